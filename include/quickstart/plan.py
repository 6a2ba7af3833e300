"""What a stack is to be: decided by the verb, handed to the supervisor, constant for the stack's life."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quickstart.errors import QuickstartError

_DEMANDED = ("MOSIP_CLIENT_ID", "MOSIP_CLIENT_SECRET", "MOSIP_CENTER_ID", "MOSIP_MACHINE_ID")


@dataclass(frozen=True)
class FarSide:
    """A MOSIP and who we are there.

    :param base_url: below it lie MOSIP's default paths (``/auth``, ``/hub``, the services' own).
    :param partner_id: the credential partner; empty for no credentials.
    :param identifiers: which the registry may have, separated by commas.
    :param data_share_hosts: that links to credentials may lead to; empty for ``base_url``'s.
    :param signing_certificates: MOSIP's, in the folder with the partner's keys; empty for what the plugin finds itself.
    :param poll_after: seconds after which MOSIP is asked about an application; 0 for the plugin's own patience.
    """

    base_url: str
    client_id: str
    client_secret: str
    center_id: str
    machine_id: str
    officer_id: str
    schema_version: str = "0.1"
    client_secret_next: str = ""
    partner_id: str = ""
    partner_secret: str = ""
    identifiers: str = ""
    data_share_hosts: str = ""
    signing_certificates: str = ""
    poll_after: float = 0.0


@dataclass(frozen=True)
class Plan:
    """A stack to start.

    :param fresh: begin with empty databases; otherwise with those of the stack before.
    :param far_side: the MOSIP to talk to; None for a sandbox of our own.
    :param stock: leave our sandbox as stock MOSIP comes, and let the user provision it.
    :param holidays: dates of the sandbox's country.
    :param timezone: the registry's zone, in which a day begins and ends.
    :param receiver_host: the address that the receiver listens on.
    :param receiver_url: where the hub reaches the receiver; empty for ``http://<host>:<port>``.
    """

    fresh: bool
    far_side: FarSide | None = None
    timezone: str = "UTC"
    receiver_host: str = "127.0.0.1"
    receiver_url: str = ""
    stock: bool = False
    holidays: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One line, for the supervisor's standard input."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Plan:
        """The plan in :meth:`to_json`'s line."""
        fields = json.loads(line)
        far_side, holidays = fields.pop("far_side"), tuple(fields.pop("holidays"))
        return cls(far_side=FarSide(**far_side) if far_side else None, holidays=holidays, **fields)


def plan_from(
    *,
    fresh: bool,
    mosip: str | None,
    stock: bool = False,
    holidays: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """The plan for a verb's options and the caller's environment.

    :raises QuickstartError: naming what is missing or cannot be read.
    """
    timezone = environment.get("CRVS_REGISTRY_TIMEZONE", "UTC")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise QuickstartError(f"CRVS_REGISTRY_TIMEZONE is not a time zone: {timezone!r}") from error
    if mosip and (stock or holidays):
        raise QuickstartError("--stock and --holiday are about the sandbox, and --mosip takes its place")
    return Plan(
        fresh=fresh,
        stock=stock,
        holidays=tuple(holidays),
        far_side=_far_side(mosip, environment) if mosip else None,
        timezone=timezone,
        receiver_host=environment.get("CRVS_RECEIVER_HOST", "127.0.0.1"),
        receiver_url=environment.get("CRVS_RECEIVER_URL", "").rstrip("/"),
    )


def _far_side(url: str, environment: Mapping[str, str]) -> FarSide:
    if not url.startswith(("http://", "https://")):
        raise QuickstartError(f"--mosip needs an http:// or https:// address, not {url!r}")
    missing = [name for name in _DEMANDED if not environment.get(name)]
    if missing:
        raise QuickstartError(f"--mosip needs {', '.join(missing)} in the environment")
    return FarSide(
        base_url=url.rstrip("/"),
        client_id=environment["MOSIP_CLIENT_ID"],
        client_secret=environment["MOSIP_CLIENT_SECRET"],
        center_id=environment["MOSIP_CENTER_ID"],
        machine_id=environment["MOSIP_MACHINE_ID"],
        officer_id=environment.get("MOSIP_OFFICER_ID") or "crvs",
        partner_id=environment.get("MOSIP_PARTNER_ID", ""),
        partner_secret=environment.get("MOSIP_PARTNER_SECRET", ""),
        identifiers=environment.get("MOSIP_IDENTIFIERS", ""),
        data_share_hosts=environment.get("MOSIP_DATA_SHARE_HOSTS", ""),
        signing_certificates=environment.get("MOSIP_SIGNING_CERTIFICATES", ""),
    )
