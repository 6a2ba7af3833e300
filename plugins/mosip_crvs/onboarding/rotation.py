"""A client's secret, changed in two phases: kept here first, given to Keycloak, tried, and only then in use.

Keycloak knows one secret of a client, and the old one is dead the moment the new one is set. So whoever uses it is told
both beforehand: the sync tries ``client_secret_next`` of its connection when its secret is refused.
"""

from __future__ import annotations

from mosip_crvs.errors import CredentialMissing, MosipRefused, QuestionForOperator
from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.keycloak import KeycloakAdmin, token_path
from mosip_crvs.mosip.token import client_grant, fetch_by_grant
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.surroundings import Identity


def stage(access: Access, client_id: str) -> str:
    """Make the next secret and keep it; Keycloak does not know it yet. Asked again, it is the same one."""
    return access.keeping.make_secret(client_id, staged=True)


def commit(access: Access, identity: Identity, client_id: str, *, force: bool = False) -> str:
    """Give the staged secret to Keycloak, try it, and let it take the old one's place; safe to repeat after a kill.

    :param force: although the present secret is not known here, and nothing can be put back.
    :return: what was done, in a sentence.
    :raises QuestionForOperator: when nothing is staged, or the present secret is not known.
    :raises MosipRefused: when the new secret is not accepted; the old one was put back.
    """
    keeping = access.keeping
    staged = keeping.secret(client_id, staged=True)
    if staged is None:
        raise QuestionForOperator(f"no next secret of {client_id} is kept here: rotate-secret --stage makes one")
    if _works(access, client_id, staged):
        keeping.promote_secret(client_id)
        access.forget_tokens(identity)
        told = _told(access, identity, staged)
        return f"Keycloak had the next secret of {client_id} already; it is the current one now{told}"
    present = _present_secret(access, identity, client_id, force=force)
    admin = KeycloakAdmin(access.keycloak_door(Door), access.prefix, access.surroundings.realm)
    _set_secret(admin, client_id, staged)
    if not _works(access, client_id, staged):
        if present is None:
            raise MosipRefused(f"Keycloak took the next secret of {client_id} and refuses it; no other one is known")
        _set_secret(admin, client_id, present)
        raise MosipRefused(f"Keycloak took the next secret of {client_id} and refuses it; the old one was put back")
    keeping.promote_secret(client_id)
    access.forget_tokens(identity)
    told = _told(access, identity, staged)
    return f"the secret of {client_id} is changed; tokens of before stay good until they expire{told}"


def roll_back(access: Access, client_id: str) -> str:
    """Forget the next secret, if Keycloak does not know it.

    :raises QuestionForOperator: when Keycloak does.
    """
    staged = access.keeping.secret(client_id, staged=True)
    if staged is None:
        return f"nothing was staged for {client_id}"
    if _works(access, client_id, staged):
        raise QuestionForOperator(f"Keycloak uses the next secret of {client_id} already: commit it")
    access.keeping.drop_staged(client_id)
    return f"the next secret of {client_id} is forgotten"


def _present_secret(access: Access, identity: Identity, client_id: str, *, force: bool) -> str | None:
    try:
        present = access.login(identity).secret
    except CredentialMissing:
        present = ""
    if present and _works(access, client_id, present):
        return present
    if not force:
        raise QuestionForOperator(
            f"the present secret of {client_id} is not known here, so it could not be put back: give it in the "
            "environment, or use --force if nobody else uses the client"
        )
    return None


def _told(access: Access, identity: Identity, staged: str) -> str:
    """Say that an old secret is still given: what is given goes before what is kept."""
    given = access.surroundings.logins.get(identity)
    if given is None or given.secret == staged:
        return ""
    return f". The secret given for the {identity} is the old one now: take it away, or give the new one"


def _set_secret(admin: KeycloakAdmin, client_id: str, secret: str) -> None:
    client = admin.client(client_id)
    if client is None:
        raise QuestionForOperator(f"Keycloak has no client {client_id}: run provision")
    admin.update_client(client, {"secret": secret})


def _works(access: Access, client_id: str, secret: str) -> bool:
    """Try a secret. That Keycloak does not answer is not a refusal, and is not taken for one."""
    path = token_path(access.prefix, access.surroundings.realm)
    try:
        fetch_by_grant(access.iam, path, client_grant(client_id, secret))
    except MosipRefused:
        return False
    return True
