"""Endpoints as values: what reads, what writes, and what must never be called to look at something.

A :class:`Read` can only be made for a call that changes nothing, so that whoever is given reads alone can do no harm.
Some of MOSIP's GETs change its state, and some of its POSTs only search (``mosip-onboarding.md`` §11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from mosip_crvs.errors import StopTheRun

BANNED = {
    "/getcertificate": "the key manager makes a new key when there is none; ask getAllCertificates",
    "/ridgenerator/": "every call uses up a registration number; AIDs are minted here",
    "/licensekey": "the licence is made anew, whatever the verb says; ask /misps",
}
"""Parts of paths, in lower case, that look like readings and change MOSIP's state; and what to do instead."""

READING_POSTS = frozenset(
    {
        "/v1/masterdata/registrationcenters/search",
        "/v1/masterdata/machines/search",
        "/v1/masterdata/zoneuser/search",
        "/v1/masterdata/usercentermapping/search",
        "/v1/keymanager/tpmsigning/publickey",
        "/v1/keymanager/verifyCertificateTrust",
        "/v1/policymanager/policies/group/search",
        "/v1/partnermanager/partners/apikey/request/search",
        "/v1/partnermanager/partners/apikey/search",
        "/registrationprocessor/v1/registrationstatus/search",
        "/registrationprocessor/v1/registrationstatus/externalstatus/search",
    }
)
"""Every POST that only reads. There is no other way to read by POST."""

PROBES = {
    "PUT /commons/v1/packetmanager/createPacket": "a request of null is refused after the gates: nothing is stored",
    "POST /registrationprocessor/v1/workflowmanager/workflowinstance": (
        "a call id that does not exist is refused after the gates: nothing is started"
    ),
}
"""Calls that are shaped to be refused once they were authorised, and why they leave nothing behind."""

_PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and a path.

    :param template: path and query with ``{names}``, filled and escaped by :meth:`path`.
    :param enveloped: whether requests and answers travel in MOSIP's envelope; Keycloak's and OpenID's do not.
    :param time_field: how this service spells the envelope's moment.
    """

    method: str
    template: str
    enveloped: bool = True
    time_field: str = "requesttime"

    def path(self, **parts: str) -> str:
        """Fill the template in. What is filled in cannot leave its place, but for a ``prefix``, which is a path.

        :raises StopTheRun: for a part that names no place of its own: empty, or a step within the path.
        """
        return _PART.sub(lambda found: _escaped(found[1], parts[found[1]]), self.template)


def _escaped(name: str, value: str) -> str:
    if name == "prefix":
        return quote(value, safe="/")
    # No escaping saves the dots: HTTP clients undo it and then climb.
    if value in ("", ".", ".."):
        raise StopTheRun(f"the {name.replace('_', ' ')} {value!r} cannot be part of an address at MOSIP")
    return quote(value, safe="")


@dataclass(frozen=True, slots=True)
class Read(Endpoint):
    """A call that changes nothing.

    :raises ValueError: when it is made for a call that changes something, or may.
    """

    def __post_init__(self) -> None:
        bare = self.template.partition("?")[0]
        for part, reason in BANNED.items():
            if part in bare.lower():
                raise ValueError(f"{self.method} {bare} is no reading: {reason}")
        if self.method != "GET" and (self.method, bare) not in {("POST", path) for path in READING_POSTS}:
            raise ValueError(f"{self.method} {bare} is no reading: only GETs and the posts of READING_POSTS are")


@dataclass(frozen=True, slots=True)
class Probe(Endpoint):
    """A call that is refused on purpose, after MOSIP has let us pass.

    :raises ValueError: when it is not one of :data:`PROBES`.
    """

    def __post_init__(self) -> None:
        if f"{self.method} {self.template}" not in PROBES:
            raise ValueError(f"{self.method} {self.template} is not known to be refused without consequences")


@dataclass(frozen=True, slots=True)
class Write(Endpoint):
    """A call that changes something."""
