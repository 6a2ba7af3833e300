"""Trust by domain, and what an upload of a partner's certificate is looked at for (mosip-onboarding.md §6.2)."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from certificate_authority import ORGANISATION, Authority, as_p7b, of_version_2, root, self_signed
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from pms_calls import PARTNER, PARTNERS, Desk, ca_request, leaf_request, partner_request

CA = f"{PARTNERS}/certificate/ca/upload"
LEAF = f"{PARTNERS}/certificate/upload"
CHAIN = "/v1/partnermanager/trust-chain-certificates"
VERIFY = "/v1/keymanager/verifyCertificateTrust"


@pytest.fixture
async def authority(desk: Desk) -> Authority:
    """A root that AUTH trusts, and a partner in need of a certificate."""
    await desk.group()
    await desk.do("POST", PARTNERS, partner_request())
    found = root()
    await desk.do("POST", CA, ca_request(found.pem))
    return found


async def test_a_certificate_is_signed_again_and_approves_its_partner(desk: Desk, authority: Authority) -> None:
    leaf = authority.leaf()
    made = await desk.do("POST", LEAF, leaf_request(leaf))
    found = await desk.do("GET", f"{PARTNERS}/{PARTNER}")
    assert (found["status"], found["isActive"]) == ("approved", True)
    own = x509.load_pem_x509_certificate(leaf.encode())
    signed = x509.load_pem_x509_certificate(made["signedCertificateData"].encode())
    assert signed.issuer != own.issuer
    assert (signed.subject, signed.public_key()) == (own.subject, own.public_key())
    assert (await desk.do("GET", f"{PARTNERS}/{PARTNER}/certificate"))["certificateData"] == (
        made["signedCertificateData"]
    )
    both = await desk.do("GET", f"{PARTNERS}/{PARTNER}/certificate-data")
    assert (both["caSignedCertificateData"], both["isCaSignedCertificateExpired"]) == (leaf, False)


async def test_the_same_certificate_may_come_again(desk: Desk, authority: Authority) -> None:
    leaf = authority.leaf()
    first = await desk.do("POST", LEAF, leaf_request(leaf))
    second = await desk.do("POST", LEAF, leaf_request(leaf))
    assert first["certificateId"] != second["certificateId"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda ca: "-----BEGIN CERTIFICATE-----MIIC-----END CERTIFICATE-----", "KER-PCM-001"),
        (lambda ca: ca.leaf().replace("\n", ""), "KER-PCM-001"),
        (lambda ca: of_version_2(ca.leaf()), "KER-PCM-007"),
        (lambda ca: self_signed(), "KER-PCM-015"),
        (lambda ca: ca.leaf(days=-1), "KER-PCM-004"),
        (lambda ca: ca.leaf(starts=5), "KER-PMS-020"),
        (lambda ca: ca.leaf(days=330), "KER-KMS-021"),
        (lambda ca: root("Root CA").leaf(), "KER-PCM-006"),
        (lambda ca: ca.sub_ca().leaf(), "KER-PCM-006"),
        (lambda ca: ca.leaf(key=rsa.generate_private_key(65537, 1024)), "KER-PCM-013"),
        (lambda ca: ca.leaf(digest=hashes.SHA224()), "KER-PCM-014"),
        (lambda ca: ca.leaf(organisation=ORGANISATION.upper()), "KER-PCM-008"),
    ],
)
async def test_a_certificate_that_does_not_pass_changes_nothing(
    desk: Desk, authority: Authority, make: Callable[[Authority], str], code: str
) -> None:
    assert await desk.refused("POST", LEAF, leaf_request(make(authority))) == code
    assert (await desk.do("GET", f"{PARTNERS}/{PARTNER}"))["status"] == "InProgress"
    assert await desk.refused("GET", f"{PARTNERS}/{PARTNER}/certificate") == "PMS_PRT_108"


async def test_a_year_minus_a_month_is_long_enough(desk: Desk, authority: Authority) -> None:
    await desk.do("POST", LEAF, leaf_request(authority.leaf(days=340)))


async def test_trust_is_by_domain(desk: Desk, authority: Authority) -> None:
    leaf = authority.leaf()
    assert await desk.refused("POST", LEAF, leaf_request(leaf, domain="DEVICE")) == "KER-PCM-006"
    assert await desk.refused("POST", LEAF, leaf_request(leaf, domain="CRVS")) == "KER-PCM-011"
    await desk.do("POST", CA, ca_request(authority.pem, "DEVICE"))
    await desk.do("POST", LEAF, leaf_request(leaf, domain="DEVICE"))
    assert desk.sandbox.partners.trust.trusts(leaf, "AUTH")
    assert not desk.sandbox.partners.trust.trusts(leaf, "FTM")


async def test_a_chain_is_uploaded_root_first(desk: Desk) -> None:
    await desk.group()
    await desk.do("POST", PARTNERS, partner_request())
    top = root("Top")
    middle = top.sub_ca("Middle")
    bottom = middle.sub_ca("Bottom")
    assert await desk.refused("POST", CA, ca_request(middle.pem)) == "KER-PCM-005"
    await desk.do("POST", CA, ca_request(top.pem))
    assert await desk.refused("POST", CA, ca_request(bottom.pem)) == "KER-PCM-005"
    await desk.do("POST", CA, ca_request(middle.pem))
    await desk.do("POST", CA, ca_request(bottom.pem))
    assert await desk.refused("POST", CA, ca_request(middle.pem)) == "KER-PCM-003"
    await desk.do("POST", LEAF, leaf_request(bottom.leaf()))


async def test_a_chain_may_come_in_one_p7b(desk: Desk) -> None:
    top = root("Top")
    middle = top.sub_ca("Middle")
    await desk.do("POST", CA, ca_request(as_p7b(middle, top)))
    found = await desk.do("GET", f"{CHAIN}?partnerDomain=AUTH")
    assert [(row["caCertificateType"], row["issuedTo"]) for row in found["data"]] == [
        ("ROOT", "CN=Top,O=Authority"),
        ("INTERMEDIATE", "CN=Middle,O=Authority"),
    ]
    assert (await desk.do("GET", f"{CHAIN}?partnerDomain=DEVICE"))["totalResults"] == 0
    file = (await desk.do("GET", f"{CHAIN}/{found['data'][0]['certId']}/certificateFile"))["p7bFile"]
    assert pkcs7.load_der_pkcs7_certificates(base64.urlsafe_b64decode(file)) == [top.certificate]


async def test_who_is_no_ca_cannot_vouch_for_a_partner(desk: Desk, authority: Authority) -> None:
    person = authority.sub_ca("Somebody", is_ca=False)
    await desk.do("POST", CA, ca_request(person.pem))
    assert await desk.refused("POST", LEAF, leaf_request(person.leaf())) == "KER-PCM-006"


@pytest.mark.parametrize(
    ("make", "domain", "code"),
    [
        (lambda: root(days=360).pem, "AUTH", "KER-PCM-017"),
        (lambda: root(days=-1).pem, "AUTH", "KER-PCM-004"),
        (lambda: root().pem, "CRVS", "KER-PCM-011"),
        (lambda: "not a certificate", "AUTH", "KER-PCM-001"),
    ],
)
async def test_a_ca_that_does_not_pass(desk: Desk, make: Callable[[], str], domain: str, code: str) -> None:
    assert await desk.refused("POST", CA, ca_request(make(), domain)) == code
    assert (await desk.do("GET", CHAIN))["totalResults"] == 0


async def test_an_upload_for_nobody_is_refused(desk: Desk, authority: Authority) -> None:
    assert await desk.refused("POST", LEAF, leaf_request(authority.leaf(), "nobody")) == "PMS_PRT_005"


async def test_the_key_manager_tells_whether_a_chain_is_trusted(desk: Desk, authority: Authority) -> None:
    trusted = await desk.do("POST", VERIFY, ca_request(authority.leaf()))
    stranger = await desk.do("POST", VERIFY, ca_request(root().leaf()))
    assert (trusted["status"], stranger["status"]) == (True, False)


async def test_an_old_certificate_can_be_put_in_place_by_hand(desk: Desk, authority: Authority) -> None:
    await desk.do("POST", LEAF, leaf_request(authority.leaf()))
    await desk.edit("partner_certificates", PARTNER, {"certificateData": authority.leaf(days=-1)})
    found = await desk.do("GET", f"{PARTNERS}/{PARTNER}/certificate-data")
    assert found["isCaSignedCertificateExpired"]
