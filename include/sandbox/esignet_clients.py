"""eSignet's relying parties: what it takes as one, and how one proves who it is (mosip-onboarding.md §8)."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.pms import Refused, Row
from sandbox.pms_content import PmsContent

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEEWAY_SECONDS = 5


def public_key(jwk: Any) -> PublicKeyTypes:
    """The key of a JWK, RSA or EC.

    :raises ValueError: if it is no public key of a known kind.
    """
    if not isinstance(jwk, dict) or jwk.get("kty") not in ("RSA", "EC") or "d" in jwk:
        raise ValueError("no public JWK")
    read = jwt.algorithms.RSAAlgorithm if jwk["kty"] == "RSA" else jwt.algorithms.ECAlgorithm
    try:
        return read.from_jwk(jwk)  # type: ignore[return-value]
    except (jwt.InvalidKeyError, TypeError, KeyError) as problem:
        raise ValueError("no public JWK") from problem


def client_id_of(jwk: Any) -> str:
    """PMS's client id: base64url without padding of SHA-256 over the base64 **text** of the key's DER.

    :raises ValueError: as `public_key`.
    """
    der = public_key(jwk).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    hashed = hashlib.sha256(base64.b64encode(der)).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _is_uri(value: Any) -> bool:
    return isinstance(value, str) and "://" in value and not any(character.isspace() for character in value)


def _is_list(values: Any, least: int, most: int, allowed: Iterable[str] | None = None) -> bool:
    if not isinstance(values, list) or not least <= len(values) <= most:
        return False
    return allowed is None or set(map(str, values)) <= set(allowed)


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= longest


FIELDS = (
    "clientName", "userClaims", "authContextRefs", "logoUri", "redirectUris", "grantTypes", "clientAuthMethods",
    "clientNameLangMap", "additionalConfig",
)  # fmt: skip


class EsignetClients:
    """The relying parties. PMS registers its own here, as others do directly."""

    def __init__(self, content: PmsContent) -> None:
        self._content = content
        self._used: set[tuple[str, str]] = set()

    def create(self, given: Mapping[str, Any], user: str) -> Row:
        """A new one.

        :raises Refused: with eSignet's code.
        """
        for code, name, longest in (("invalid_client_id", "clientId", 100), ("invalid_rp_id", "relyingPartyId", 100)):
            if not _is_text(given.get(name), longest):
                raise Refused(code, code)
        self._check(given)
        try:
            key = client_id_of(given.get("publicKey"))
        except ValueError:
            raise Refused("invalid_public_key", "invalid_public_key") from None
        if given["clientId"] in self._content.rows("esignet_clients"):
            raise Refused("duplicate_client_id", "duplicate_client_id")
        if self._content.find("esignet_clients", publicKeyHash=key):
            raise Refused("duplicate_public_key", "duplicate_public_key")
        row = {name: given.get(name) for name in FIELDS} | {
            "id": given["clientId"],
            "relyingPartyId": given["relyingPartyId"],
            "publicKey": json.dumps(given["publicKey"], sort_keys=True),
            "publicKeyHash": key,
            "status": "ACTIVE",
        }
        return self._content.add("esignet_clients", row, user)

    def update(self, client_id: str, given: Mapping[str, Any], user: str) -> Row:
        """Everything but the key, the id and the relying party.

        :raises Refused: with eSignet's code.
        """
        row = self._content.rows("esignet_clients").get(client_id)
        if row is None:
            raise Refused("invalid_client_id", "invalid_client_id")
        self._check(given)
        if given.get("status") not in ("ACTIVE", "INACTIVE"):
            raise Refused("invalid_status", "invalid_status")
        kept = {name: given[name] for name in FIELDS if name in given}
        return self._content.change(row, user, status=given["status"], **kept)

    def proves(self, client_id: str, assertion: str, audiences: Iterable[str]) -> bool:
        """Is this the client's own assertion, for this server, in time, and never seen before?"""
        row = self._content.rows("esignet_clients").get(client_id)
        if row is None or row["status"] != "ACTIVE":
            return False
        try:
            claims = jwt.decode(
                assertion,
                public_key(json.loads(row["publicKey"])),  # type: ignore[arg-type]
                algorithms=self._content.offered("token_endpoint_auth_signing_alg_values_supported"),
                audience=list(audiences),
                issuer=client_id,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "sub", "aud", "jti"]},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return False
        once = (client_id, str(claims["jti"]))
        if claims["sub"] != client_id or claims["iat"] > time.time() + LEEWAY_SECONDS or once in self._used:
            return False
        self._used.add(once)
        return True

    def _check(self, given: Mapping[str, Any]) -> None:
        """What both creation and update must say.

        :raises Refused: with eSignet's code, which is its text as well.
        """
        redirects, offered = given.get("redirectUris"), self._content.offered
        acrs, claims = offered("acr_values_supported"), offered("claims_supported")
        grants, methods = offered("grant_types_supported"), offered("token_endpoint_auth_methods_supported")
        for code, passed in (
            ("invalid_client_name", _is_text(given.get("clientName"), 256)),
            ("invalid_claim", _is_list(given.get("userClaims"), 0, 30, claims)),
            ("invalid_acr", _is_list(given.get("authContextRefs"), 1, 30, acrs)),
            ("invalid_uri", _is_uri(given.get("logoUri"))),
            ("invalid_redirect_uri", _is_list(redirects, 1, 5) and all(map(_is_uri, redirects or ()))),
            ("invalid_grant_type", _is_list(given.get("grantTypes"), 1, 3, grants)),
            ("invalid_client_auth", _is_list(given.get("clientAuthMethods"), 1, 3, methods)),
        ):
            if not passed:
                raise Refused(code, code)
