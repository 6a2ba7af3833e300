"""The realm roles, and confidential clients with roles of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from mosip_crvs.errors import CredentialMissing, MosipRefused, QuestionForOperator
from mosip_crvs.mosip import keycloak as kc
from mosip_crvs.mosip.keycloak import missing_roles, missing_settings
from mosip_crvs.onboarding.items.steps import creating, later, patching
from mosip_crvs.onboarding.provision import Bench, Item, Plan
from mosip_crvs.onboarding.surroundings import Identity


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

    :raises QuestionForOperator: when it is there with a secret that is not ours: to overwrite it would lock others out.
    """
    client = bench.keycloak.client(client_id)
    if client is None:
        return Plan(
            [
                creating(
                    f"confidential client {client_id}",
                    kc.CREATE_CLIENT,
                    lambda: bench.keycloak.create_client(client_id, _secret(bench, client_id, identity)),
                ),
                patching(f"realm roles {', '.join(roles)} for service-account-{client_id}", kc.ASSIGN_ROLES, later),
            ]
        )
    wrong = missing_settings(client)
    if wrong:
        return Plan(
            [
                patching(
                    f"client {client_id}: {', '.join(sorted(wrong))}",
                    kc.UPDATE_CLIENT,
                    lambda: bench.keycloak.update_client(client, wrong | _lost_secret(bench, identity, client, wrong)),
                ),
            ]
        )
    _check_secret(bench, client_id, identity)
    return _role_plan(bench, client_id, str(client["id"]), identity, roles)


def _role_plan(bench: Bench, client_id: str, uuid: str, identity: Identity, roles: Sequence[str]) -> Plan:
    account = bench.keycloak.service_account(uuid)
    if account is None:
        raise MosipRefused(f"Keycloak shows no service account of {client_id}")
    missing = missing_roles(bench.keycloak.roles_of(str(account["id"])), roles)
    if not missing:
        return Plan()

    def assign() -> None:
        assign_roles(bench, str(account["id"]), missing)
        bench.access.forget_tokens(identity)

    return Plan(
        [patching(f"realm roles {', '.join(missing)} for service-account-{client_id}", kc.ASSIGN_ROLES, assign)]
    )


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


def _check_secret(bench: Bench, client_id: str, identity: Identity) -> None:
    try:
        bench.access.tokens(identity).get()
    except (CredentialMissing, MosipRefused) as problem:
        raise QuestionForOperator(
            f"the client {client_id} exists, and its secret is not known here ({problem}). Somebody may be using it. "
            "Give its secret in the environment, or change it for good with: rotate-secret --force"
        ) from None


def runtime_client(bench: Bench) -> Plan:
    """Plan the client that sends packets."""
    clients = bench.country.clients
    return client_plan(bench, clients.runtime, Identity.RUNTIME, clients.runtime_roles)


ITEMS: tuple[Item, ...] = (
    Item("roles", "realm roles", _roles),
    Item("runtime", "runtime client", runtime_client, needs=("roles",)),
)
