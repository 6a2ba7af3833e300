"""What partner management holds: policy groups, policies, partners, mappings, keys, certificates, clients."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.content import digest
from sandbox.pms import Row
from sandbox.wire import now_text

ENTITIES = (
    "policy_groups",
    "policies",
    "partners",
    "partner_policy_requests",
    "credential_types",
    "api_keys",
    "licences",
    "oidc_clients",
    "ca_certificates",
    "partner_certificates",
    "esignet_clients",
    "esignet_discovery",
    "acr_values",
)

DISCOVERY = "openid-configuration"
"""Id of the only row of `esignet_discovery`."""

OFFERED: Mapping[str, tuple[str, ...]] = {
    "acr_values_supported": (
        "mosip:idp:acr:static-code",
        "mosip:idp:acr:generated-code",
        "mosip:idp:acr:linked-wallet",
        "mosip:idp:acr:biometrics",
        "mosip:idp:acr:knowledge",
    ),
    "claims_supported": (
        "name", "address", "gender", "birthdate", "picture", "email", "phone_number", "individual_id",
    ),
    "grant_types_supported": ("authorization_code",),
    "token_endpoint_auth_methods_supported": ("private_key_jwt",),
    "token_endpoint_auth_signing_alg_values_supported": ("RS256", "ES256"),
}  # fmt: skip
"""What eSignet offers its clients."""

SECRETS = frozenset({"apiKey", "licenseKey"})
LONG = frozenset({"certificateData", "publicKey"})
"""Not secret, but shown as a fingerprint all the same."""

NOT_SHOWN = frozenset(
    {
        "crBy", "crDtimes", "updBy", "updDtimes", "requestDatetimes", "validFromDate", "validToDate",
        "validFromDatetime", "validToDatetime", "licenseKeyExpiry", "uploadTime", "signedCertificateData",
    }
)  # fmt: skip
"""Times, and what is different each time it is made."""

ACR_VALUES: Mapping[str, str] = {
    "otp": "mosip:idp:acr:generated-code",
    "bio": "mosip:idp:acr:biometrics",
    "pin": "mosip:idp:acr:static-code",
    "kbt": "mosip:idp:acr:linked-wallet",
}
"""ACR by authentication type as mosip-config ships it: without `kbi` (mosip-onboarding.md §8)."""


def _shown(name: str, value: Any) -> Any:
    return digest(str(value)) if (name in SECRETS or name in LONG) and value is not None else value


class PmsContent:
    """Rows by entity and id. Ids are made up from a seed, so that two runs of the same calls agree."""

    def __init__(self, seed: int = 0) -> None:
        self._numbers = random.Random(f"pms {seed}")
        self._rows: dict[str, dict[str, Row]] = {entity: {} for entity in ENTITIES}
        for kind, acr in ACR_VALUES.items():
            self._rows["acr_values"][kind] = {"id": kind, "acr": acr}
        offered = {name: list(values) for name, values in OFFERED.items()}
        self._rows["esignet_discovery"][DISCOVERY] = {"id": DISCOVERY} | offered

    def new_id(self, digits: int = 9) -> str:
        """An id as policy management makes them: digits."""
        return str(self._numbers.randrange(10 ** (digits - 1), 10**digits))

    def new_key(self) -> str:
        """A secret: an API key or a licence key."""
        return f"{self._numbers.getrandbits(256):064x}"

    def rows(self, entity: str) -> dict[str, Row]:
        """Rows of an entity by id, in the order they were made."""
        return self._rows[entity]

    def offered(self, name: str) -> list[str]:
        """What eSignet offers now, by the name it has in the discovery document."""
        return [str(value) for value in self._rows["esignet_discovery"].get(DISCOVERY, {}).get(name, ())]

    def find(self, entity: str, **values: Any) -> Row | None:
        """The first row with these values."""
        return next(self.all(entity, **values), None)

    def all(self, entity: str, **values: Any) -> Iterator[Row]:
        """Every row with these values."""
        for row in self._rows[entity].values():
            if all(row.get(name) == value for name, value in values.items()):
                yield row

    def add(self, entity: str, row: Row, user: str) -> Row:
        """A new row, made by a user now."""
        self._rows[entity][row["id"]] = row | {
            "crBy": user, "crDtimes": now_text(), "updBy": None, "updDtimes": None
        }  # fmt: skip
        return self._rows[entity][row["id"]]

    def change(self, row: Row, user: str, **values: Any) -> Row:
        """Change a row, as a user now."""
        row.update(values, updBy=user, updDtimes=now_text())
        return row

    def state(self) -> dict[str, Any]:
        """All content as JSON: rows by entity and id, without times, secrets and certificates as digests."""
        return {
            entity: {
                id: {name: _shown(name, value) for name, value in sorted(row.items()) if name not in NOT_SHOWN}
                for id, row in sorted(rows.items())
            }
            for entity, rows in sorted(self._rows.items())
        }

    def edit(self, entity: str, id: str, values: Mapping[str, Any], *, delete: bool) -> bool:
        """Change or remove one row, looking at no rule. An `acr_values` row that is not there is made.

        :returns: False when there is no such entity here.
        :raises KeyError: when the entity has no such row.
        """
        if entity not in self._rows:
            return False
        rows = self._rows[entity]
        if delete:
            del rows[id]
        elif entity == "acr_values":
            rows[id] = {"id": id} | dict(values)
        else:
            rows[id].update(values)
        return True
