"""Finding private keys by certificate, while keys come and go."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from tests.credential.sealing import Pair, b64, new_pair, seal

from mosip_crvs.credential.keyring import KeyRing
from mosip_crvs.credential.layout import open_credential
from mosip_crvs.errors import StopTheRun


def _put(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.replace('_', '.')}.pem").write_text(text)
    return folder


def _told(folder: Path) -> str:
    with pytest.raises(StopTheRun) as caught:
        KeyRing.from_folder(folder)
    return str(caught.value)


def test_the_key_of_a_certificate_is_found_whatever_the_files_are_called(
    tmp_path: Path, partner: Pair, stranger: Pair
) -> None:
    keys = KeyRing.from_folder(_put(tmp_path, a_key=stranger.key_pem, b=partner.pem, c_key=partner.key_pem))
    assert open_credential(b64(seal(b"{}", partner)), keys) == b"{}"
    assert keys.key_for(stranger.thumbprint) is None
    assert len(keys) == 1


def test_old_credentials_open_while_the_certificate_is_changed(tmp_path: Path, partner: Pair, stranger: Pair) -> None:
    """MOSIP's own certificate of the same key, in the same file; and another key beside the old one."""
    again = new_pair("made by MOSIP", partner.key)
    _put(tmp_path, crvs1=partner.pem + "\n" + again.pem, crvs1_key=partner.key_pem)
    _put(tmp_path, new=stranger.pem, new_key=stranger.key_pem)
    keys = KeyRing.from_folder(tmp_path)
    assert len(keys) == 3
    for pair in (partner, again, stranger):
        assert open_credential(b64(seal(b"{}", pair)), keys) == b"{}"


def test_a_key_and_its_certificate_may_be_in_one_file(tmp_path: Path, partner: Pair, stranger: Pair) -> None:
    text = partner.key_pem + partner.pem + stranger.pem + stranger.key_pem
    assert len(KeyRing.from_folder(_put(tmp_path, both_key=text))) == 2


def test_a_key_is_taken_from_key_files_only(tmp_path: Path, partner: Pair) -> None:
    assert len(KeyRing.from_folder(_put(tmp_path, both=partner.key_pem + partner.pem))) == 0


def test_what_else_lies_in_the_folder_is_passed_over(tmp_path: Path, partner: Pair, stranger: Pair) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256())
    _put(tmp_path, crvs1=partner.pem, crvs1_key=partner.key_pem, root=stranger.pem)
    _put(tmp_path, crvs1_csr=request.public_bytes(Encoding.PEM).decode())
    (tmp_path / "state.json").write_text("{}")
    (tmp_path / "notes.txt").write_bytes(b"\xff")
    assert len(KeyRing.from_folder(tmp_path)) == 1


def test_line_breaks_that_came_as_two_characters_are_read(tmp_path: Path, partner: Pair) -> None:
    flat = partner.pem.replace("\n", "\\n")
    assert len(KeyRing.from_folder(_put(tmp_path, a=flat, a_key=partner.key_pem))) == 1


def test_every_file_that_cannot_be_read_is_told_by_name(tmp_path: Path, partner: Pair) -> None:
    sealed = partner.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass")).decode()
    curve = ec.generate_private_key(ec.SECP256R1())
    curve_pem = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    _put(tmp_path, good=partner.pem, good_key=partner.key_pem)
    spoiled = {
        "empty": "", "cut": partner.pem[:300], "spoilt": partner.pem.replace(partner.pem[100:200], "A" * 100),
        "halves": partner.pem + partner.pem[:300], "none_key": partner.pem, "sealed_key": sealed,
        "curve_key": curve_pem,
    }  # fmt: skip
    _put(tmp_path, **spoiled)
    (tmp_path / "binary.pem").write_bytes(b"\x30\x82\xff\xfe")
    (tmp_path / "folder.pem").mkdir()
    told = _told(tmp_path)
    for name in [*(each.replace("_", ".") for each in spoiled), "binary", "folder"]:
        assert f"{name}.pem (" in told
    assert "good" not in told
    assert str(tmp_path) in told
    assert "PRIVATE KEY" not in told
    assert partner.pem[100:130] not in told


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "nowhere" in _told(tmp_path / "nowhere")


def test_an_empty_folder_is_an_empty_ring(tmp_path: Path) -> None:
    assert len(KeyRing.from_folder(tmp_path)) == 0


def test_a_certificate_with_another_key_is_refused(partner: Pair, stranger: Pair) -> None:
    with pytest.raises(StopTheRun):
        KeyRing([(partner.certificate, stranger.key)])


def test_the_thumbprint_is_the_hash_of_the_certificate_not_of_the_key(partner: Pair, keys: KeyRing) -> None:
    assert keys.key_for(hashlib.sha256(partner.der).digest()) is partner.key
    assert keys.key_for(b"") is None
