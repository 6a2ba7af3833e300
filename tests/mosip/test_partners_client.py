"""Partner management: rows among others, absence in its many codes, and the client id that follows from a key."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from mosip_servers import FarSide, Said, said

from mosip_crvs.errors import MosipRefused
from mosip_crvs.mosip import esignet
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.esignet import ClientManagement
from mosip_crvs.mosip.partners import Partners, oidc_client_id
from mosip_crvs.onboarding import certificates


@pytest.fixture
def data(far_side: FarSide) -> Partners:
    """Partner management, for which no token is asked."""
    return Partners(Door(SingleCalls(far_side.url), None))


def answered(response: Any) -> Said:
    """A success."""
    return said({"response": response, "errors": []})


def refused(code: str, status: int = 200) -> Said:
    """A refusal."""
    return said({"response": None, "errors": [{"errorCode": code, "message": "no"}]}, status)


def sent(far_side: FarSide) -> dict[str, Any]:
    """The envelope of the last call."""
    return dict(json.loads(far_side.asked[-1].body))


# --- looking


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("in_data", [True, False])
def test_a_policy_group_is_found_by_its_whole_name(
    far_side: FarSide, data: Partners, wrapped: bool, in_data: bool
) -> None:
    rows: list[dict[str, Any]] = [{"id": "1", "name": "civil-2"}, {"id": "2", "name": "Civil"}]
    rows = [{"policyGroup": row} for row in rows] if wrapped else rows
    far_side.say(answered({"data": rows} if in_data else rows))
    group = data.policy_group("civil")
    assert group is not None
    assert group["id"] == "2"
    assert data.policy_group("civ") is None


@pytest.mark.parametrize("spelling", ["policyName", "name"])
def test_a_policy_is_found_by_its_name_within_its_group(far_side: FarSide, data: Partners, spelling: str) -> None:
    rows = [("1", "credentials", "others"), ("2", "Credentials", "civil"), ("3", "credentials", "Civil")]
    far_side.say(answered([{"policyId": id, spelling: name, "policyGroupName": group} for id, name, group in rows]))
    policy = data.policy_named("credentials", "civil")
    assert policy is not None
    assert policy["policyId"] == "3"
    assert data.policy_named("credentials", "nobody's") is None


def test_a_partner_that_is_not_there_is_none_and_a_refusal_is_not(far_side: FarSide, data: Partners) -> None:
    far_side.say(refused("PMS_PRT_005"))
    assert data.partner("crvs") is None
    far_side.say(refused("KER-ATH-403", 403))
    for look in (lambda: data.partner("crvs"), lambda: data.certificate("crvs"), lambda: data.oidc_client("c")):
        with pytest.raises(MosipRefused, match="KER-ATH-403"):
            look()


@pytest.mark.parametrize("name", ["certificateData", "signedCertificateData"])
def test_a_certificate_is_found_by_either_name(far_side: FarSide, data: Partners, name: str) -> None:
    far_side.say(answered({name: "PEM"}))
    assert data.certificate("crvs") == "PEM"
    far_side.say(refused("PMS_KKS_001"))
    assert data.certificate("crvs") is None


def test_mappings_of_others_are_left_out(far_side: FarSide, data: Partners) -> None:
    ours = {"partnerId": "crvs", "policyId": "1", "statusCode": "approved"}
    far_side.say(answered({"data": [{**ours, "partnerId": "crvs-2"}, {**ours, "policyId": "2"}, ours]}))
    assert data.mappings("crvs", "1") == [ours]


@pytest.mark.parametrize("name", ["label", "apiKeyLabel"])
def test_labels_of_api_keys_are_found_by_either_name(far_side: FarSide, data: Partners, name: str) -> None:
    far_side.say(answered({"data": [{"partnerId": "crvs", name: "registry"}, {"partnerId": "other", name: "a"}]}))
    assert [row["label"] for row in data.api_keys("crvs")] == ["registry"]


@pytest.mark.parametrize("refusal", [refused("PMS_ESI_004"), refused("PMS_PRT_058"), said({}, 404)])
def test_an_oidc_client_that_is_not_there_is_none(far_side: FarSide, data: Partners, refusal: Said) -> None:
    far_side.say(refusal)
    assert data.oidc_client("c") is None


def test_a_credential_type_that_leads_nowhere_is_none(far_side: FarSide, data: Partners) -> None:
    far_side.say(refused("PMS_PRT_064"))
    assert data.credential_policy("crvs", "opencrvs") is None


# --- changes


def test_names_stay_one_part_of_the_path(far_side: FarSide, data: Partners) -> None:
    far_side.say(answered({}))
    data.map_credential_type("crvs", "a/b", "births & deaths?")
    assert far_side.asked[0].path == (
        "/v1/partnermanager/partners/crvs/credentialtype/a%2Fb/policies/births%20%26%20deaths%3F"
    )


def test_certificates_go_to_the_domain_of_registries(far_side: FarSide, data: Partners) -> None:
    far_side.say(answered({}))
    data.upload_authority("ROOT")
    assert sent(far_side)["request"] == {"certificateData": "ROOT", "partnerDomain": "AUTH"}
    data.upload_certificate("crvs", "LEAF")
    assert sent(far_side)["request"] == {"partnerId": "crvs", "certificateData": "LEAF", "partnerDomain": "AUTH"}


def test_an_authority_that_is_there_is_a_success(far_side: FarSide, data: Partners) -> None:
    far_side.say(refused("KER-PCM-003"))
    data.upload_authority("ROOT")
    far_side.say(refused("KER-PCM-017"))
    with pytest.raises(MosipRefused, match="KER-PCM-017"):
        data.upload_authority("ROOT")


def test_a_mapping_is_asked_for_and_granted(far_side: FarSide, data: Partners) -> None:
    far_side.say(answered({}))
    data.request_mapping("crvs", "credentials", "Civil registration")
    assert sent(far_side)["request"] == {"policyName": "credentials", "useCaseDescription": "Civil registration"}
    data.approve_mapping("77")
    assert (far_side.asked[-1].method, far_side.asked[-1].path) == ("PUT", "/v1/partnermanager/partners/policy/77")
    assert sent(far_side)["request"] == {"status": "Approved"}


def test_an_api_key_is_given_back(far_side: FarSide, data: Partners) -> None:
    far_side.say(answered({"apiKey": "k", "label": "registry"}))
    assert data.generate_api_key("crvs", "auth", "registry") == "k"
    assert far_side.asked[0].method == "PATCH"


def test_clients_are_made_with_the_other_spelling_of_the_moment(far_side: FarSide, data: Partners) -> None:
    far_side.say(answered({}))
    data.create_oidc_client({"name": "a"})
    data.update_oidc_client("c", {"clientName": "a"})
    ClientManagement(Door(SingleCalls(far_side.url), None)).create({"clientId": "c"})
    ClientManagement(Door(SingleCalls(far_side.url), None)).update("c", {"clientName": "a"})
    for asked in far_side.asked:
        body = json.loads(asked.body)
        assert "requestTime" in body
        assert "requesttime" not in body


@pytest.mark.parametrize("code", ["duplicate_client_id", "duplicate_public_key"])
def test_a_client_that_esignet_has_is_a_success(far_side: FarSide, code: str) -> None:
    far_side.say(refused(code))
    ClientManagement(Door(SingleCalls(far_side.url), None)).create({"clientId": "c"})


def test_esignets_discovery_is_plain(far_side: FarSide) -> None:
    far_side.say(said({"acr_values_supported": ["a"]}))
    assert esignet.discovery(Door(SingleCalls(far_side.url), None)) == {"acr_values_supported": ["a"]}


# --- the client id


def test_a_client_id_is_the_hash_of_the_keys_base64_text() -> None:
    # printf YWJj | openssl dgst -sha256 -binary | base64 | tr '+/' '-_'     (YWJj is the base64 of abc)
    assert oidc_client_id(b"abc") == "NdlWlNPxYCFdspPHiZ2qWQeDeDj7S4EZ7XE-MkRsEmY"


def test_a_client_id_and_a_web_key_follow_from_the_key(private_key: str) -> None:
    numbers = load_pem_private_key(private_key.encode(), None).public_key().public_numbers()  # type: ignore[union-attr]
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")  # rsaEncryption, no parameters
    rsa_key = der(0x30, integer(numbers.n) + integer(numbers.e))
    key = der(0x30, algorithm + der(0x03, b"\0" + rsa_key))
    assert certificates.public_key(private_key) == key
    digest = hashlib.sha256(base64.b64encode(key)).digest()
    assert oidc_client_id(key) == base64.urlsafe_b64encode(digest).decode().rstrip("=")

    made = certificates.jwk(private_key)
    assert {name: made[name] for name in ("kty", "use", "alg", "e")} == {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "e": "AQAB",
    }
    assert int.from_bytes(base64.urlsafe_b64decode(made["n"] + "==")) == numbers.n
    assert len(made["n"]) == 342  # 256 bytes without padding
    assert set(made) == {"kty", "use", "alg", "n", "e"}  # nothing private


@pytest.fixture(scope="module")
def private_key() -> str:
    """An RSA key."""
    return certificates.new_key()


def der(tag: int, content: bytes) -> bytes:
    """Write a value as DER does."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(number: int) -> bytes:
    """Write a positive integer as DER does: with room for the sign."""
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1))
