"""Access tokens as Keycloak issues them, and their verification as MOSIP's services do it (mosip-packets.md §10)."""

from __future__ import annotations

import base64
import functools
import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEY_ID = "sandbox-realm-key"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a token is issued to, and through which client (`azp`)."""

    id: str
    username: str
    azp: str
    roles: frozenset[str]
    scopes: frozenset[str]
    email: str | None
    is_service: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """What a service takes from a token."""

    user_id: str
    azp: str
    audience: frozenset[str]
    roles: frozenset[str]
    expires: float
    scopes: frozenset[str] = frozenset()
    email: str | None = None


@functools.cache
def realm_key() -> rsa.RSAPrivateKey:
    """The realm's signing key, made once a process because making one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class TokenOffice:
    """Issues and reads tokens of one realm.

    Reading is cached by token text; expiry is looked at every time.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._read: dict[str, Claims | None] = {}

    def issue(self, subject: Subject, seconds: int) -> str:
        """An access token that lasts so many seconds."""
        now = int(time.time())
        payload: dict[str, Any] = {
            "exp": now + seconds,
            "iat": now,
            "jti": str(uuid.uuid4()),
            "iss": self.issuer,
            "aud": "account",
            "sub": subject.id,
            "typ": "Bearer",
            "azp": subject.azp,
            "acr": "1",
            "realm_access": {"roles": sorted(subject.roles)},
            "scope": " ".join(sorted(subject.scopes)),
            "preferred_username": subject.username,
        }
        if subject.is_service:
            payload["clientId"] = subject.azp
        if subject.email is not None:
            payload["email"] = subject.email
        return jwt.encode(payload, realm_key(), algorithm="RS256", headers={"kid": KEY_ID})

    def read(self, token: str) -> Claims | None:
        """The claims of a valid token; None for one that is malformed, foreign or expired."""
        if token not in self._read:
            if len(self._read) > 4096:
                self._read.clear()
            self._read[token] = self._verify(token)
        claims = self._read[token]
        return claims if claims is not None and claims.expires > time.time() else None

    def certs(self) -> dict[str, Any]:
        """The realm's JWKS."""
        numbers = realm_key().public_key().public_numbers()
        key = {"kid": KEY_ID, "kty": "RSA", "alg": "RS256", "use": "sig"}
        return {"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]}

    def _verify(self, token: str) -> Claims | None:
        try:
            payload = jwt.decode(
                token, realm_key().public_key(), algorithms=["RS256"], issuer=self.issuer,
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
            )  # fmt: skip
            audience = payload.get("aud", [])
            return Claims(
                user_id=payload["preferred_username"],
                azp=payload["azp"],
                audience=frozenset([audience] if isinstance(audience, str) else audience),
                roles=frozenset(payload["realm_access"]["roles"]),
                expires=float(payload["exp"]),
                scopes=frozenset(str(payload.get("scope", "")).split()),
                email=payload.get("email"),
            )
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
            return None
