"""The keys of this installation: by them it signs what others must be able to trust, such as balances.

Ed25519. The private key is sealed, so that who copies the ledger cannot sign. The first key is made when one is first
needed; after a rotation the old public keys stay, because what they signed stays signed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from sqlalchemy import Connection, Engine, text

from mosip_crvs.errors import StopTheRun
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sealing import Seal


@dataclass(frozen=True)
class SigningKey:
    """A key that signs.

    :param key_id: :func:`key_id_of` its public key.
    """

    key_id: str
    private: Ed25519PrivateKey

    def sign(self, document: str) -> bytes:
        """Sign a text's UTF-8 bytes; 64 bytes."""
        return self.private.sign(document.encode())


def signing_key(ledger: Engine, seal: Seal) -> SigningKey:
    """Give the newest key; make the first one if there is none.

    :raises StopTheRun: when the seal does not open it.
    """
    with transaction(ledger) as connection:
        _one_at_a_time(connection)
        row = connection.execute(_NEWEST).one_or_none()
        return _make(connection, seal) if row is None else _opened(seal, row.key_id, row.sealed_private_key)


def rotate_key(ledger: Engine, seal: Seal) -> SigningKey:
    """Make a new key, by which everything is signed from now on."""
    with transaction(ledger) as connection:
        _one_at_a_time(connection)
        return _make(connection, seal)


def public_keys(ledger: Engine) -> dict[str, str]:
    """Give the public key (PEM) of every key that there was, by its id, newest last."""
    with transaction(ledger) as connection:
        rows = connection.execute(text("SELECT key_id, public_key FROM installation_keys ORDER BY made_at, key_id"))
        return {row.key_id: row.public_key for row in rows}


def is_ours(ledger: Engine, seal: Seal, key_id: str) -> bool:
    """Say whether a key was made by who holds the seal's key; anybody else who can write here could add a public key.

    A key that was sealed by a seal's key which is given no more cannot be told from a stranger's.
    """
    with transaction(ledger) as connection:
        sealed = connection.execute(
            text("SELECT sealed_private_key FROM installation_keys WHERE key_id = :id"), {"id": key_id}
        ).scalar_one_or_none()
    if sealed is None:
        return False
    try:
        return key_id_of(_public(_opened(seal, key_id, sealed).private)) == key_id
    except (StopTheRun, ValueError):
        return False


def signed_by(public_key: str, document: str, signature: bytes) -> bool:
    """Say whether a signature over a text is that of a public key (PEM)."""
    try:
        key = load_pem_public_key(public_key.encode())
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(signature, document.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id_of(public_key: str) -> str:
    """Name a public key (PEM) by the first 32 hexadecimal digits of the SHA-256 over its DER.

    :raises ValueError: when it is none.
    """
    der = load_pem_public_key(public_key.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:32]


def _make(connection: Connection, seal: Seal) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public_key = _public(private)
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    made = SigningKey(key_id_of(public_key), private)
    connection.execute(
        text(
            "INSERT INTO installation_keys (key_id, public_key, sealed_private_key, made_at) "
            "VALUES (:id, :public, :sealed, clock_timestamp())"
        ),
        {"id": made.key_id, "public": public_key, "sealed": seal.close(secret)},
    )
    return made


def _opened(seal: Seal, key_id: str, sealed: bytes) -> SigningKey:
    private = load_pem_private_key(seal.open(sealed).encode(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise StopTheRun(f"the installation's key {key_id} is not an Ed25519 key")
    return SigningKey(key_id, private)


def _public(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _one_at_a_time(connection: Connection) -> None:
    """Two that find no key must not make two."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('mosip_crvs.installation_keys', 0))"))


_NEWEST = text("SELECT key_id, sealed_private_key FROM installation_keys ORDER BY made_at DESC, key_id LIMIT 1")
