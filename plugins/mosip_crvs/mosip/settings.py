"""Where a country's MOSIP is and who we are there."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from mosip_crvs.aid import check_center_and_machine
from mosip_crvs.errors import StopTheRun
from mosip_crvs.packet.request import Registrar

_PARTNER = re.compile(r"[a-z0-9][a-z0-9._-]*")
_LEAST = {
    "concurrency": 1, "events_per_second": 0, "timeout": 0.01, "takeover_wait": 0, "poll_after": 0,
    "half_created_after": 0, "credential_keep_days": 0,
}  # fmt: skip
_IDENTIFIERS = {"PSUT", "UIN", "VID"}
_PROOF_POLICIES = {"", "require", "warn"}


@dataclass(frozen=True)
class MosipSettings:
    """One MOSIP, as the ``mosip`` connection describes it. Defaults are MOSIP's own.

    :param base_url: scheme, host and port; every service's default path lies below it.
    :param login_via: ``keycloak`` (client_credentials) or ``authmanager`` (``clientidsecretkey``).
    :param keycloak_url: scheme, host and port of Keycloak where it is not below ``base_url``; tokens must come by the
        host that MOSIP believes.
    :param client_secret_next: the secret that is about to take the present one's place; tried when that is refused.
    :param app_id: authmanager's ``appId``, which selects the realm.
    :param receiver_url: where MOSIP's hub reaches our receiver.
    :param partner_id: our credential partner, in lower case as Keycloak writes its client; empty for no credentials.
    :param partner_secret: the secret of the client of that name, where it is not the connection's own login.
    :param concurrency: calls in flight at once from one task.
    :param events_per_second: ceiling for all tasks together; 0 means none.
    :param timeout: seconds for one call, connection and answer together.
    :param takeover_wait: seconds to let pass since a dead task's last sign of life before its packets are created
        again, so that a call it left behind has ended.
    :param poll_after: seconds after its trigger from which MOSIP may be asked about an application; its own reprocessor
        looks every three minutes.
    :param half_created_after: seconds after which an application that MOSIP noted and did not begin is given up.
    :param credential_suffix: MOSIP's ``appIdBasedCredentialIdSuffix`` for our partner, which makes the number of a
        credential's request predictable; empty when it has none.
    :param data_share_hosts: ``host`` or ``host:port`` that links to credentials may lead to; without any, only
        ``base_url``'s own.
    :param identifiers: kinds of identifiers that the registry may have: ``PSUT`` always, ``UIN`` and ``VID`` if named
        here, in this order.
    :param partner_keys: the folder with the partner's private keys and certificates; empty for the deployment's own.
    :param mosip_signing_certificates: MOSIP's certificates of application ``KERNEL``, reference ``SIGN``: PEM, or a
        file of it; empty for ``mosip-signing.pem`` in the folder with the keys, or else what the key manager says.
    :param credential_proof: ``require`` for credentials that MOSIP demonstrably signed only, ``warn`` for all with an
        alarm; empty for ``require`` where MOSIP's certificates are known, else ``warn``.
    :param credential_status: the word that MOSIP is told of a credential that was taken.
    :param credential_keep_days: how long a credential that could not be used is kept, as MOSIP encrypted it.
    :param language: one of MOSIP's mandatory languages, in which masterdata is asked about the centre.
    :param holidays: the centre's holidays, for when masterdata cannot be read; empty when it has none, None when
        nobody has said. The list answers for the years that it names.
    """

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    center_id: str
    machine_id: str
    officer_id: str = "crvs"
    source: str = "CRVS1"
    realm: str = "mosip"
    login_via: str = "keycloak"
    app_id: str = "regproc"
    receiver_url: str = ""
    concurrency: int = 64
    events_per_second: float = 0.0
    timeout: float = 30.0
    takeover_wait: float = 30.0
    poll_after: float = 240.0
    half_created_after: float = 1800.0
    credential_suffix: str = ""
    keycloak_url: str = ""
    keycloak_path: str = "/auth"
    hub_path: str = "/hub/"
    schema_version: str = "0.1"
    language: str = "eng"
    holidays: frozenset[date] | None = None
    client_secret_next: str = field(default="", repr=False)
    partner_id: str = ""
    partner_secret: str = field(default="", repr=False)
    data_share_hosts: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ("PSUT",)
    partner_keys: str = ""
    mosip_signing_certificates: str = ""
    credential_proof: str = ""
    credential_status: str = "served"
    credential_keep_days: float = 30.0

    def __post_init__(self) -> None:
        if not _is_web_address(self.base_url):
            raise StopTheRun("the 'mosip' connection's host must be a URL such as https://api-internal.example.org")
        if self.keycloak_url and not _is_web_address(self.keycloak_url):
            raise StopTheRun("the 'mosip' connection's keycloak_url must be a URL such as https://iam.example.org")
        if not self.client_id or not self.client_secret:
            raise StopTheRun("the 'mosip' connection needs a login (client id) and a password (client secret)")
        if self.login_via not in {"keycloak", "authmanager"}:
            raise StopTheRun("the 'mosip' connection's login_via must be keycloak or authmanager")
        if self.partner_id and not _PARTNER.fullmatch(self.partner_id):
            raise StopTheRun("the 'mosip' connection's partner_id must be in lower case, such as crvs1")
        for name, least in _LEAST.items():
            if not least <= getattr(self, name) < math.inf:
                raise StopTheRun(f"the 'mosip' connection's {name} must be a number of at least {least}")
        self._check_credentials()
        try:
            check_center_and_machine(self.center_id, self.machine_id)
        except ValueError as problem:
            raise StopTheRun(str(problem)) from problem

    def _check_credentials(self) -> None:
        if not _IDENTIFIERS.issuperset(self.identifiers):
            raise StopTheRun("the 'mosip' connection's identifiers must be PSUT, UIN, VID, or several of them")
        if self.credential_proof not in _PROOF_POLICIES:
            raise StopTheRun("the 'mosip' connection's credential_proof must be require or warn")

    @property
    def registrar(self) -> Registrar:
        """Who sends."""
        return Registrar(self.center_id, self.machine_id, self.officer_id, self.source)

    @property
    def partner_login(self) -> MosipSettings | None:
        """The same MOSIP, entered as the credential partner; None when nobody gave the partner's secret."""
        if self.partner_id == self.client_id:
            return self
        if not self.partner_id or not self.partner_secret:
            return None
        return replace(self, client_id=self.partner_id, client_secret=self.partner_secret, client_secret_next="")

    @property
    def token_base(self) -> str:
        """Below which URL tokens come from."""
        return self.keycloak_url.rstrip("/") if self.keycloak_url and self.login_via == "keycloak" else self.base_url

    @property
    def token_path(self) -> str:
        """Where tokens come from."""
        if self.login_via == "authmanager":
            return "/v1/authmanager/authenticate/clientidsecretkey"
        return f"{self.keycloak_path.rstrip('/')}/realms/{self.realm}/protocol/openid-connect/token"


EXTRA_FIELDS = frozenset(f.name for f in fields(MosipSettings)) - {"base_url", "client_id", "client_secret"}
"""The names that the ``mosip`` connection's extra may set."""

_DECIMALS = (
    "events_per_second", "timeout", "takeover_wait", "poll_after", "half_created_after", "credential_keep_days",
)  # fmt: skip
_LISTS = ("data_share_hosts", "identifiers")

CREATE_PACKET_PATH = "/commons/v1/packetmanager/createPacket"
WORKFLOW_INSTANCE_PATH = "/registrationprocessor/v1/workflowmanager/workflowinstance"


def from_extra(base_url: str, client_id: str, client_secret: str, extra: dict[str, Any]) -> MosipSettings:
    """Build settings from a connection's parts.

    :param extra: the connection's extra; names that are not ours (TLS, proxies, time-outs) are left to the HTTP hook.
    :raises StopTheRun: naming the field that is missing or of the wrong type.
    """
    given = {name: value for name, value in extra.items() if name in EXTRA_FIELDS and _is_given(name, value)}
    _convert(given, "concurrency", int)
    for name in _DECIMALS:
        _convert(given, name, float)
    if "holidays" in given:
        given["holidays"] = _dates(given["holidays"])
    for name in given.keys() & set(_LISTS):
        given[name] = _texts(name, given[name])
    for name in given.keys() - {"concurrency", "holidays", *_DECIMALS, *_LISTS}:
        given[name] = str(given[name])
    missing = [name for name in ("center_id", "machine_id") if name not in given]
    if missing:
        raise StopTheRun(f"the 'mosip' connection's extra lacks {', '.join(missing)}")
    return MosipSettings(base_url.rstrip("/"), client_id, client_secret, **given)


def _is_given(name: str, value: Any) -> bool:
    """Say whether an extra is set; an empty one is not, but for the path that newer Keycloaks do without."""
    return value is not None and (value != "" or name == "keycloak_path")


def _convert(given: dict[str, Any], name: str, kind: type) -> None:
    if name in given:
        try:
            given[name] = kind(given[name])
        except (TypeError, ValueError, OverflowError) as problem:
            raise StopTheRun(f"the 'mosip' connection's {name} must be a number") from problem


def _texts(name: str, given: Any) -> tuple[str, ...]:
    """Read a list of texts, or a text of them separated by commas."""
    entries = given.split(",") if isinstance(given, str) else given
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise StopTheRun(f"the 'mosip' connection's {name} must be texts, in a list or separated by commas")
    return tuple(entry.strip() for entry in entries if entry.strip())


def _dates(given: Any) -> frozenset[date]:
    """Read a list of ISO dates, or a text of them; the word ``none`` and an empty list say that there are none."""
    entries = given.split(",") if isinstance(given, str) else given
    if isinstance(given, str) and given.strip().lower() == "none":
        entries = []
    try:
        return frozenset(date.fromisoformat(entry.strip()) for entry in entries)
    except (AttributeError, TypeError, ValueError) as problem:
        raise StopTheRun(
            "the 'mosip' connection's holidays must be dates such as 2026-12-25, in a list or separated by commas, "
            "or the word none"
        ) from problem


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
