"""The realm roles, and confidential clients with roles of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from hmac import compare_digest
from typing import Any

from mosip_crvs.errors import CredentialMissing, MosipRefused, QuestionForOperator
from mosip_crvs.mosip import keycloak as kc
from mosip_crvs.mosip.keycloak import missing_roles, missing_settings
from mosip_crvs.onboarding.items.steps import creating, later, patching
from mosip_crvs.onboarding.provision import Bench, Item, Plan, Step
from mosip_crvs.onboarding.surroundings import Identity

_BEGUN = "begun"
_TO_BE_TRIED = {
    name: kc.CONFIDENTIAL_CLIENT[name]
    for name in ("enabled", "publicClient", "serviceAccountsEnabled", "clientAuthenticatorType")
}
"""What a client must be before its secret opens anything at all."""


def _roles(bench: Bench) -> Plan:
    country = bench.country
    subscriber = country.subscriber.roles if country.credential_partner else ()
    wanted = dict.fromkeys((*country.clients.runtime_roles, country.officer.role, *subscriber))
    missing = [role for role in wanted if bench.keycloak.role(role) is None]
    return Plan(
        [
            creating(
                f"realm role {role}",
                kc.CREATE_ROLE,
                partial(lambda name: bench.keycloak.create_role(name, "Civil registration"), role),
            )
            for role in missing
        ]
    )


def client_plan(bench: Bench, client_id: str, identity: Identity, roles: Sequence[str]) -> Plan:
    """Plan a confidential client with realm roles.

    :raises QuestionForOperator: when it is there and may be somebody else's: a change would lock others out.
    """
    client = bench.keycloak.client(client_id)
    if client is None:
        create = partial(_create, bench, client_id, identity)
        return Plan(
            [
                creating(f"confidential client {client_id}", kc.CREATE_CLIENT, create),
                patching(f"realm roles {', '.join(roles)} for service-account-{client_id}", kc.ASSIGN_ROLES, later),
            ]
        )
    _check_ours(bench, client, identity)
    mark = made_mark(client_id)
    found = {mark: str(client["id"])} if mark in bench.keeping.ids else {}
    wrong = missing_settings(client)
    if wrong:
        return Plan(
            [
                patching(
                    f"client {client_id}: {', '.join(sorted(wrong))}",
                    kc.UPDATE_CLIENT,
                    lambda: bench.keycloak.update_client(client, wrong | _lost_secret(bench, identity, client, wrong)),
                ),
            ],
            found,
        )
    return Plan(_role_steps(bench, client, identity, roles), found)


def made_mark(client_id: str) -> str:
    """Name what we keep of a client that we made: ``begun`` before Keycloak hears of it, then Keycloak's id of it."""
    return f"made/{client_id}"


def _create(bench: Bench, client_id: str, identity: Identity) -> None:
    secret = _secret(bench, client_id, identity)
    bench.keeping.pin({made_mark(client_id): _BEGUN})
    if not bench.keycloak.create_client(client_id, secret):
        bench.keeping.forget(made_mark(client_id))  # somebody else made it meanwhile


def _role_steps(bench: Bench, client: Mapping[str, Any], identity: Identity, roles: Sequence[str]) -> list[Step]:
    client_id = str(client["clientId"])
    account = bench.keycloak.service_account(str(client["id"]))
    if account is None:
        raise MosipRefused(f"Keycloak shows no service account of {client_id}")
    missing = missing_roles(bench.keycloak.roles_of(str(account["id"])), roles)
    if not missing:
        return []

    def assign() -> None:
        assign_roles(bench, str(account["id"]), missing)
        bench.access.forget_tokens(identity)

    return [patching(f"realm roles {', '.join(missing)} for service-account-{client_id}", kc.ASSIGN_ROLES, assign)]


def assign_roles(bench: Bench, user_id: str, names: Sequence[str]) -> None:
    """Give realm roles to a user.

    :raises MosipRefused: when the realm has no such role.
    """
    roles = []
    for name in names:
        role = bench.keycloak.role(name)
        if role is None:
            raise MosipRefused(f"the realm has no role {name}")
        roles.append(role)
    bench.keycloak.assign(user_id, roles)


def _secret(bench: Bench, client_id: str, identity: Identity) -> str:
    """Give the secret of a new client: the operator's, or one that is kept here before Keycloak hears of it."""
    given = bench.access.surroundings.logins.get(identity)
    return given.secret if given and given.secret else bench.keeping.make_secret(client_id)


def _lost_secret(
    bench: Bench, identity: Identity, client: Mapping[str, object], wrong: Mapping[str, object]
) -> dict[str, str]:
    """Give the secret that a public client must be given: it has none, and Keycloak would make up one of its own."""
    return {"secret": _secret(bench, str(client["clientId"]), identity)} if "publicClient" in wrong else {}


def _check_ours(bench: Bench, client: Mapping[str, Any], identity: Identity) -> None:
    """Find out whose a client is, before anything of it is changed.

    :raises QuestionForOperator: when nothing says that it is ours.
    """
    in_the_way = missing_settings(client, _TO_BE_TRIED)
    if not in_the_way:
        _try_secret(bench, str(client["clientId"]), identity)
    elif not _made_here(bench, client) and not _has_our_secret(bench, client, identity):
        lacks = ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(in_the_way.items()))
        raise QuestionForOperator(
            f"the client {client['clientId']} exists, was not made here, and lets nobody in by a secret: it has not "
            f"{lacks}. Somebody may be using it. If it is meant for us, set this in Keycloak's admin console and give "
            "its secret in the environment; else name another client in the country file"
        )


def _try_secret(bench: Bench, client_id: str, identity: Identity) -> None:
    try:
        bench.access.tokens(identity).get()
    except (CredentialMissing, MosipRefused) as problem:
        raise QuestionForOperator(
            f"the client {client_id} exists, and its secret is not known here ({problem}). Somebody may be using it. "
            "Give its secret in the environment, or change it for good with: rotate-secret --force"
        ) from None


def _made_here(bench: Bench, client: Mapping[str, Any]) -> bool:
    """Say whether it is the very client that we made, and not one of the same name that came later."""
    return bench.keeping.ids.get(made_mark(str(client["clientId"]))) in (_BEGUN, str(client["id"]))


def _has_our_secret(bench: Bench, client: Mapping[str, Any], identity: Identity) -> bool:
    """Say whether a confidential client, which cannot be entered now, has the secret that was given or kept for it."""
    try:
        ours = bench.access.login(identity).secret
    except CredentialMissing:
        return False
    if not ours or client.get("publicClient") is not False:
        return False
    return compare_digest(bench.keycloak.client_secret(str(client["id"])).encode(), ours.encode())


def runtime_client(bench: Bench) -> Plan:
    """Plan the client that sends packets."""
    clients = bench.country.clients
    return client_plan(bench, clients.runtime, Identity.RUNTIME, clients.runtime_roles)


ITEMS: tuple[Item, ...] = (
    Item("roles", "realm roles", _roles),
    Item("runtime", "runtime client", runtime_client, needs=("roles",)),
)
