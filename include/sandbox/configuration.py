"""What MOSIP keeps in property files: who may call what, and what a country decided. Changing it is a human's work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CREATE_PACKET_ROLES = "mosip.role.commons-packet.putcreatepacket"

AUDIENCES: Mapping[str, frozenset[str]] = {
    "packetmanager": frozenset({"mosip-regproc-client", "mosip-crvs1-client"}),
    "regproc": frozenset(
        {
            "mosip-regproc-client", "mosip-admin-client", "mosip-resident-client", "mosip-reg-client",
            "mosip-crvs1-client",
        }
    ),
    "kernel": frozenset(
        {
            "mosip-admin-client", "mosip-pms-client", "mosip-deployment-client", "mosip-regproc-client",
            "mosip-resident-client", "opencrvs-partner",
        }
    ),
    "pms": frozenset(
        {"mosip-admin-client", "mosip-pms-client", "mosip-deployment-client", "mosip-regproc-client"}
    ),
    "idrepo": frozenset(
        {"mosip-regproc-client", "mosip-admin-client", "mosip-resident-client", "mosip-pms-client", "opencrvs-partner"}
    ),
    "datashare": frozenset({"opencrvs-partner", "mpartner-default-print"}),
}  # fmt: skip
"""`auth.server.admin.allowed.audience` of each service as shipped (mosip-onboarding.md §0.2)."""

ROLES: Mapping[str, frozenset[str]] = {
    CREATE_PACKET_ROLES: frozenset({"REGISTRATION_PROCESSOR", "ONLINE_REGISTRATION_CLIENT"}),
}
"""`mosip.role.*` keys that a country edits (mosip-onboarding.md §0.2)."""


def _copy(table: Mapping[str, frozenset[str]]) -> dict[str, set[str]]:
    return {name: set(values) for name, values in table.items()}


@dataclass(slots=True)
class Configuration:
    """One sandbox's property files. A change counts at once, as if the services had been restarted.

    :ivar audiences: allowed clients by service name.
    :ivar roles: roles by property key; endpoints that name no key have theirs compiled in.
    :ivar credential_types: `pmp.allowed.credential.types`.
    :ivar allowed_domains: `mosip.kernel.partner.allowed.domains`.
    :ivar languages: `mosip.mandatory-languages`; the first one is what regproc asks history in.
    """

    audiences: dict[str, set[str]] = field(default_factory=lambda: _copy(AUDIENCES))
    roles: dict[str, set[str]] = field(default_factory=lambda: _copy(ROLES))
    credential_types: set[str] = field(
        default_factory=lambda: {"auth", "qrcode", "euin", "reprint", "vercred", "opencrvs"}
    )
    allowed_domains: set[str] = field(default_factory=lambda: {"AUTH", "DEVICE", "FTM", "MISP"})
    languages: list[str] = field(default_factory=lambda: ["eng"])

    def view(self) -> dict[str, Any]:
        """As JSON, sorted."""
        return {
            "audiences": {name: sorted(clients) for name, clients in sorted(self.audiences.items())},
            "roles": {key: sorted(roles) for key, roles in sorted(self.roles.items())},
            "credential_types": sorted(self.credential_types),
            "allowed_domains": sorted(self.allowed_domains),
            "languages": list(self.languages),
        }

    def edit(self, change: Mapping[str, Any]) -> None:
        """Replace what `change` names, in the shape of `view`; a service or key that it does not name stays.

        All of it or, on an error, nothing.

        :raises ValueError: for a name that is no part of the configuration, a value that is no list of texts, or
            a configuration without a language.
        """
        read = {name: self._read(name, value) for name, value in change.items()}
        for name, value in read.items():
            setattr(self, name, value)

    def _read(self, name: str, value: Any) -> Any:
        if name in ("audiences", "roles"):
            if not isinstance(value, dict):
                raise ValueError(f"{name} wants lists by name")
            return getattr(self, name) | {key: set(_texts(key, values)) for key, values in value.items()}
        if name in ("credential_types", "allowed_domains"):
            return set(_texts(name, value))
        if name == "languages" and _texts(name, value):
            return list(value)
        raise ValueError(f"not to be configured: {name}")


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError(f"{name} wants a list of texts")
    return value
