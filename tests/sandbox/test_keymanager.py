"""The key manager and the RID generator, and the traps in them (mosip-onboarding.md §3.1, §5, §6)."""

from __future__ import annotations

from typing import Any

import pytest
from onboarding_calls import KEYMANAGER, MASTERDATA, SEARCH, Provisioner
from sandbox_calls import Caller

WHICH = "applicationId=REGISTRATION&referenceId=10001_10077"
RID = "/v1/ridgenerator/generate/rid"


@pytest.fixture
async def onboarded(mosip: Caller) -> Provisioner:
    """A MOSIP where all prerequisites are met."""
    return Provisioner(mosip)


async def test_the_signing_key_is_the_onboarded_machines_until_the_key_volume_is_lost(onboarded: Provisioner) -> None:
    [row] = (await onboarded.do("POST", f"{MASTERDATA}/machines/search", SEARCH))["data"]
    assert row["signPublicKey"] == await onboarded.signing_key()
    await onboarded.edit("signingKey", "current", number=1)
    assert row["signPublicKey"] != await onboarded.signing_key()
    assert await onboarded.code("POST", f"{KEYMANAGER}/tpmsigning/publickey", {}) == "KER-MSD-999"


async def test_asking_for_a_certificate_makes_a_key_and_asking_for_all_does_not(onboarded: Provisioner) -> None:
    before = await onboarded.control("state")
    assert await onboarded.do("GET", f"{KEYMANAGER}/getAllCertificates?{WHICH}") == {"allCertificates": []}
    assert (await onboarded.control("state"), await onboarded.count()) == (before, 0)
    made = await onboarded.do("GET", f"{KEYMANAGER}/getCertificate?{WHICH}")
    assert made["certificate"].startswith("-----BEGIN CERTIFICATE-----")
    [seen] = (await onboarded.do("GET", f"{KEYMANAGER}/getAllCertificates?{WHICH}"))["allCertificates"]
    assert (seen["certificateData"], seen["expiryAt"]) == (made["certificate"], made["expiryAt"])
    assert (await onboarded.control("state"))["keymanager"]["keys"] == ["REGISTRATION/10001_10077"]
    assert await onboarded.count() == 1
    assert await onboarded.code("GET", f"{KEYMANAGER}/getCertificate?applicationId=NONE") == "KER-KMS-002"


async def test_trust_is_asked_of_whoever_keeps_the_certificates(onboarded: Provisioner) -> None:
    onboarded.sandbox.onboarding.keymanager.trust = lambda certificate, domain: (certificate, domain) == ("c", "AUTH")
    path = f"{KEYMANAGER}/verifyCertificateTrust"
    for domain, trusted in (("AUTH", True), ("DEVICE", False)):
        said = await onboarded.do("POST", path, {"certificateData": "c", "partnerDomain": domain})
        assert said == {"status": trusted}


async def test_every_rid_uses_a_number_up(onboarded: Provisioner) -> None:
    token: Any = onboarded.mosip.regproc
    rids = [(await onboarded.do("GET", f"{RID}/10001/10077", token=token))["rid"] for _ in range(2)]
    assert [rid[:15] for rid in rids] == ["100011007700001", "100011007700002"]
    assert {len(rid) for rid in rids} == {29}
    assert await onboarded.count() == 2
    assert await onboarded.code("GET", f"{RID}/1/10077", token=token) == "KER-RIG-003"
    assert (await onboarded.mosip.call("GET", f"{RID}/10001/10077", token=onboarded.token))[0] == 403
