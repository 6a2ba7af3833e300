"""Ways to take a partner's prerequisites away: certificates, authorities, policies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from tests.onboarding.environments import Environment
from tests.onboarding.levers import AUTH_PARTNER, PARTNER, Lever

from mosip_crvs.onboarding import certificates


def certificate_at_mosip(*, days: int = 700, organization: str = "Registrar General", ours: bool = True) -> Lever:
    """MOSIP has another certificate of the partner."""

    def pull(mosip: Environment) -> None:
        key = mosip.file(certificates.key_file(PARTNER)).read_text() if ours else certificates.new_key()
        pem = _certificate(key, days=days, organization=organization)
        mosip.edit("partner_certificates", PARTNER, signedCertificateData=pem)

    return pull


def old_authority(mosip: Environment) -> None:
    """The root in the folder ends soon."""
    mosip.file("root.pem").write_text(_certificate(certificates.new_key(), days=20, organization="Authority"))


def _certificate(private_pem: str, *, days: int, organization: str) -> str:
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    names = ((NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, PARTNER))
    name = x509.Name([x509.NameAttribute(kind, value) for kind, value in names])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days, hours=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def each_authority(change: Callable[[Environment, str], None]) -> Lever:
    """Do something to every certification authority that MOSIP knows."""

    def pull(mosip: Environment) -> None:
        for authority in mosip.state()["state"]["pms"]["ca_certificates"]:
            change(mosip, authority)

    return pull


def pms_rows(entity: str, change: dict[str, Any] | None, **values: str) -> Lever:
    """Change, or with None delete, the rows of partner management that have these values."""

    def pull(mosip: Environment) -> None:
        for row_id, row in mosip.state()["state"]["pms"][entity].items():
            if all(row.get(name) == value for name, value in values.items()):
                mosip.edit(entity, row_id, delete=change is None, **(change or {}))

    return pull


def type_of_another_policy(mosip: Environment) -> None:
    """The credential type leads to the policy of somebody else."""
    (row,) = mosip.state()["state"]["pms"]["credential_types"]
    mosip.edit("credential_types", row, policyId=mosip.ids[f"{AUTH_PARTNER}/policy_id"])
