"""Whether a credential is MOSIP's: never believed for anything but the right signature by a trusted key."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.credential.sealing import Pair, b64, forged, new_pair, signed, signed_plainly, x5c

from mosip_crvs.credential.layout import Reason, UnreadableCredential
from mosip_crvs.credential.proof import (
    SigningCertificate,
    Verdict,
    signing_certificates,
    verify,
    verify_linked_data,
)
from mosip_crvs.errors import StopTheRun

CONTENT = b'{"id":"http://mosip.io/credentials/1","credentialSubject":{"fullName":"Amina Tazi"}}'
OTHER = CONTENT.replace(b"Amina", b"Anima")


def _trusted(*pairs: Pair) -> tuple[SigningCertificate, ...]:
    return signing_certificates("".join(pair.pem for pair in pairs))


def _named(pair: Pair) -> dict[str, Any]:
    """The header as shipped."""
    return {"x5c": x5c(pair), "x5t#S256": b64(pair.thumbprint), "kid": "k1"}


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_the_right_signature_is_verified(algorithm: str, whole: bool, named: bool, mosip: Pair, stranger: Pair) -> None:
    header = _named(mosip) if named else {}
    jws = signed(CONTENT, mosip, algorithm=algorithm, whole=whole, **header)
    assert verify(jws, CONTENT, _trusted(stranger, mosip)) is Verdict.VERIFIED
    assert verify(jws, OTHER, _trusted(stranger, mosip)) is Verdict.WRONG


def test_it_is_the_encoded_payload_that_is_signed(mosip: Pair) -> None:
    """Without PyJWT: header, dot, base64url of the content in clear."""
    head, _, tail = signed(CONTENT, mosip).split(".")
    number = int.from_bytes(base64.urlsafe_b64decode(tail + "=="), "big")
    public = mosip.key.public_key().public_numbers()
    block = pow(number, public.e, public.n).to_bytes(256, "big")
    assert block.endswith(hashlib.sha256(f"{head}.{b64(CONTENT)}".encode()).digest())
    assert verify(f"{head}..{tail}", CONTENT, _trusted(mosip)) is Verdict.VERIFIED


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_payload_that_is_not_encoded_is_verified_too(algorithm: str, mosip: Pair) -> None:
    jws = signed_plainly(CONTENT, mosip, algorithm=algorithm)
    assert verify(jws, CONTENT, _trusted(mosip)) is Verdict.VERIFIED
    assert verify(jws, OTHER, _trusted(mosip)) is Verdict.WRONG


def test_a_payload_that_came_along_must_be_the_content(mosip: Pair) -> None:
    head, _, tail = signed(CONTENT, mosip).split(".")
    assert verify(f"{head}.{b64(CONTENT)}.{tail}", CONTENT, _trusted(mosip)) is Verdict.VERIFIED
    assert verify(f"{head}.{b64(OTHER)}.{tail}", CONTENT, _trusted(mosip)) is Verdict.WRONG
    assert verify(signed(OTHER, mosip, whole=True), CONTENT, _trusted(mosip)) is Verdict.WRONG


@pytest.mark.parametrize("signature", [None, ""])
def test_no_signature_is_unsigned(signature: str | None, mosip: Pair) -> None:
    assert verify(signature, CONTENT, _trusted(mosip)) is Verdict.UNSIGNED


def test_a_key_that_is_not_trusted_is_wrong_and_named_in_the_header_unverifiable(mosip: Pair, stranger: Pair) -> None:
    assert verify(signed(CONTENT, stranger), CONTENT, _trusted(mosip)) is Verdict.WRONG
    for name, value in _named(stranger).items():
        if name != "kid":
            jws = signed(CONTENT, stranger, **{name: value})
            assert verify(jws, CONTENT, _trusted(mosip)) is Verdict.UNVERIFIABLE


@pytest.mark.parametrize("name", ["x5c", "x5t#S256", "x5t"])
def test_a_named_certificate_is_the_only_one_tried(name: str, mosip: Pair, stranger: Pair) -> None:
    values = {**_named(mosip), "x5t": b64(hashlib.sha1(mosip.der).digest())}
    jws = signed(CONTENT, stranger, **{name: values[name]})
    assert verify(jws, CONTENT, _trusted(mosip, stranger)) is Verdict.WRONG
    assert verify(signed(CONTENT, mosip, **{name: values[name]}), CONTENT, _trusted(stranger, mosip)) is (
        Verdict.VERIFIED
    )


def test_a_new_certificate_of_a_trusted_key_does_not_stop_anything(mosip: Pair) -> None:
    renewed = new_pair("KERNEL-SIGN again", mosip.key)
    assert verify(signed(CONTENT, mosip, **_named(renewed)), CONTENT, _trusted(mosip)) is Verdict.VERIFIED


def test_a_key_id_names_a_certificate_that_was_told_with_it(mosip: Pair, stranger: Pair) -> None:
    ours = [SigningCertificate(mosip.certificate, "k1"), SigningCertificate(stranger.certificate, "k2")]
    assert verify(signed(CONTENT, mosip, kid="k1"), CONTENT, ours) is Verdict.VERIFIED
    assert verify(signed(CONTENT, stranger, kid="k1"), CONTENT, ours) is Verdict.WRONG
    unknown = new_pair("unknown")
    assert verify(signed(CONTENT, unknown, kid="k3"), CONTENT, ours) is Verdict.UNVERIFIABLE
    assert verify(signed(CONTENT, unknown, kid="k3"), CONTENT, _trusted(mosip)) is Verdict.WRONG
    assert verify(signed(CONTENT, unknown), CONTENT, ours) is Verdict.WRONG


def test_without_certificates_nothing_is_verifiable(mosip: Pair) -> None:
    assert verify(signed(CONTENT, mosip, **_named(mosip)), CONTENT, ()) is Verdict.UNVERIFIABLE


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256", "RS512", "rs256", None, 7, ["RS256"], {"a": 1}])
def test_another_algorithm_is_unverifiable(algorithm: Any, mosip: Pair) -> None:
    assert verify(forged({"alg": algorithm}), CONTENT, _trusted(mosip)) is Verdict.UNVERIFIABLE


def test_the_algorithm_cannot_be_swapped(mosip: Pair) -> None:
    head = b64(json.dumps({"alg": "PS256"}).encode())
    tail = signed(CONTENT, mosip, algorithm="RS256").rpartition(".")[2]
    assert verify(f"{head}..{tail}", CONTENT, _trusted(mosip)) is Verdict.WRONG


@pytest.mark.parametrize("critical", [["exp"], ["b64", "exp"], "b64", {}, None, 7])
def test_what_must_be_understood_and_is_not_is_unverifiable(critical: Any, mosip: Pair) -> None:
    jws = forged({"alg": "RS256", "crit": critical, "exp": 1})
    assert verify(jws, CONTENT, _trusted(mosip)) is Verdict.UNVERIFIABLE


@pytest.mark.parametrize(
    "jws",
    [
        "x",
        "..",
        "a.b",
        "a..b.c",
        "!!..!!",
        "e30..",
        "..e30",
        "bm9uZQ..e30",
        "W10..e30",
        "é..é",
        " ",
        b64(b"[" * 9999) + "..e30",
    ],
)
def test_what_is_no_jws_is_wrong(jws: str, mosip: Pair) -> None:
    assert verify(jws, CONTENT, _trusted(mosip)) is Verdict.WRONG


@pytest.mark.parametrize("chain", [[], "x", [7], ["é"], ["*"], [None], {"0": "x"}])
def test_a_chain_that_cannot_be_read_names_none(chain: Any, mosip: Pair) -> None:
    assert verify(signed(CONTENT, mosip, x5c=chain), CONTENT, _trusted(mosip)) is Verdict.VERIFIED


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_change_of_a_signature_is_verified_but_for_its_spelling(data: st.DataObject, mosip: Pair) -> None:
    jws = signed(CONTENT, mosip, **_named(mosip))
    place = data.draw(st.integers(0, len(jws) - 2))  # the last letter has bits that mean nothing
    changed = jws[:place] + data.draw(st.characters(exclude_characters=jws[place])) + jws[place + 1 :]
    assert verify(changed, CONTENT, _trusted(mosip)) is not Verdict.VERIFIED


@settings(max_examples=200, deadline=None)
@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "b64", "crit", "kid", "x5c", "x5t", "x5t#S256"]),
        st.one_of(
            st.sampled_from(["RS256", "PS256", ["b64"], True, False]), st.none(), st.integers(), st.lists(st.text())
        ),
    ),
    tail=st.binary(max_size=300),
)
def test_whatever_comes_gets_a_verdict_and_is_never_verified(header: Any, tail: bytes, mosip: Pair) -> None:
    assert verify(forged(header, tail=tail), CONTENT, _trusted(mosip)) in (Verdict.WRONG, Verdict.UNVERIFIABLE)


@pytest.mark.parametrize("text", ["", "nothing", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_signing_certificates_that_cannot_be_read_stop_the_run(text: str) -> None:
    with pytest.raises(StopTheRun):
        signing_certificates(text)


def test_a_private_key_is_no_signing_certificate(mosip: Pair) -> None:
    with pytest.raises(StopTheRun, match="KERNEL"):
        signing_certificates(mosip.key_pem)


def _credential(proof: Any) -> bytes:
    return json.dumps({"type": ["VerifiableCredential"], "credentialSubject": {}, "proof": proof}).encode()


def _proof(jws: Any) -> dict[str, Any]:
    return {"type": "RsaSignature2018", "proofPurpose": "assertionMethod", "jws": jws}


def test_a_linked_data_proof_as_mosip_writes_it_is_unverifiable_here(mosip: Pair) -> None:
    assert verify_linked_data(_credential(_proof(signed_plainly(b"hash", mosip)))) is Verdict.UNVERIFIABLE
    assert verify_linked_data(_credential({"type": "Ed25519Signature2020"})) is Verdict.UNVERIFIABLE


@pytest.mark.parametrize("proof", [None, {}, [], ""])
def test_a_credential_without_a_linked_data_proof_is_unsigned(proof: Any) -> None:
    assert verify_linked_data(_credential(proof)) is Verdict.UNSIGNED
    assert verify_linked_data(CONTENT) is Verdict.UNSIGNED


@pytest.mark.parametrize(
    "jws",
    [
        None, "", 7, "x..y", forged({"alg": "PS256"}), forged({"alg": "none", "b64": False, "crit": ["b64"]}),
        forged({"alg": "PS256", "b64": False}), forged({"alg": "PS256", "b64": False, "crit": ["b64"]}, tail=b""),
        forged({"alg": "PS256", "b64": False, "crit": ["b64"]}).replace("..", ".aGFzaA."),
    ],
)  # fmt: skip
def test_a_linked_data_proof_of_another_form_is_wrong(jws: Any) -> None:
    assert verify_linked_data(_credential(_proof(jws))) is Verdict.WRONG


def test_a_proof_that_is_no_object_is_wrong() -> None:
    assert verify_linked_data(_credential(["proof"])) is Verdict.WRONG


def test_a_linked_data_proof_of_what_is_no_credential_is_not_looked_for() -> None:
    with pytest.raises(UnreadableCredential) as caught:
        verify_linked_data(b"Amina Tazi")
    assert caught.value.reason is Reason.NOT_A_CREDENTIAL
