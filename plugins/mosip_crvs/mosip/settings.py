"""Where a country's MOSIP is and who we are there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from mosip_crvs.aid import check_center_and_machine
from mosip_crvs.errors import StopTheRun
from mosip_crvs.packet.request import Registrar

_LEAST = {"concurrency": 1, "events_per_second": 0, "timeout": 0.01, "takeover_wait": 0}


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
    :param concurrency: calls in flight at once from one task.
    :param events_per_second: ceiling for all tasks together; 0 means none.
    :param timeout: seconds for one call, connection and answer together.
    :param takeover_wait: seconds to let pass since a dead task's last sign of life before its packets are created
        again, so that a call it left behind has ended.
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
    keycloak_url: str = ""
    keycloak_path: str = "/auth"
    hub_path: str = "/hub/"
    schema_version: str = "0.1"
    language: str = "eng"
    holidays: frozenset[date] | None = None
    client_secret_next: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not _is_web_address(self.base_url):
            raise StopTheRun("the 'mosip' connection's host must be a URL such as https://api-internal.example.org")
        if self.keycloak_url and not _is_web_address(self.keycloak_url):
            raise StopTheRun("the 'mosip' connection's keycloak_url must be a URL such as https://iam.example.org")
        if not self.client_id or not self.client_secret:
            raise StopTheRun("the 'mosip' connection needs a login (client id) and a password (client secret)")
        if self.login_via not in {"keycloak", "authmanager"}:
            raise StopTheRun("the 'mosip' connection's login_via must be keycloak or authmanager")
        for name, least in _LEAST.items():
            if not least <= getattr(self, name) < math.inf:
                raise StopTheRun(f"the 'mosip' connection's {name} must be a number of at least {least}")
        try:
            check_center_and_machine(self.center_id, self.machine_id)
        except ValueError as problem:
            raise StopTheRun(str(problem)) from problem

    @property
    def registrar(self) -> Registrar:
        """Who sends."""
        return Registrar(self.center_id, self.machine_id, self.officer_id, self.source)

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

_DECIMALS = ("events_per_second", "timeout", "takeover_wait")

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
    for name in given.keys() - {"concurrency", "holidays", *_DECIMALS}:
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
