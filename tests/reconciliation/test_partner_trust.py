"""What credentials are judged by: files first, then the key manager; an outage makes nobody believe more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from receiver_calls import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.credential.sealing import Pair, new_pair

from mosip_crvs.errors import MosipUnavailable, StopTheRun
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.reconciliation.opening import Trust
from mosip_crvs.reconciliation.partner_trust import trust_of


@pytest.fixture(scope="module")
def own() -> Pair:
    return new_pair("crvs1")


@pytest.fixture(scope="module")
def signer() -> Pair:
    return new_pair("KERNEL-SIGN")


class KeyManager:
    """Tells certificates, or what it is told to."""

    answer: Any = None
    status = 200
    url = ""

    def app(self) -> Starlette:
        token = "/auth/realms/mosip/protocol/openid-connect/token"
        return Starlette(
            routes=[
                Route(token, lambda _: JSONResponse({"access_token": "t", "expires_in": 300}), methods=["POST"]),
                Route("/v1/keymanager/getAllCertificates", self.tell),
            ]
        )

    def tell(self, request: Request) -> Response:
        assert dict(request.query_params) == {"applicationId": "KERNEL", "referenceId": "SIGN"}
        return JSONResponse(self.answer, status_code=self.status)

    def trust(self, folder: Path, **settings: Any) -> Trust:
        plain = MosipSettings(self.url, "client", "secret", "10001", "10077", partner_id="crvs1")
        chosen, calls = replace(plain, **settings), SingleCalls(self.url)
        return trust_of(chosen, folder, calls, TokenSource(lambda: fetch_token(calls, chosen)))


@pytest.fixture
def mosip(signer: Pair) -> Iterator[KeyManager]:
    keymanager = KeyManager()
    keymanager.answer = {"response": {"allCertificates": [{"certificateData": signer.pem}]}, "errors": None}
    with serving(keymanager.app()) as url:
        keymanager.url = url
        yield keymanager


@pytest.fixture
def folder(tmp_path: Path, own: Pair) -> Path:
    (tmp_path / "crvs1.key.pem").write_text(own.key_pem)
    (tmp_path / "crvs1.pem").write_text(own.pem)
    return tmp_path


def test_the_key_manager_is_asked_when_no_file_is_there(mosip: KeyManager, folder: Path, signer: Pair) -> None:
    trust = mosip.trust(folder)
    assert ([each.certificate for each in trust.signers], trust.is_required) == ([signer.certificate], True)
    assert len(trust.keys) == 1


@pytest.mark.parametrize("where", ["default", "named", "text"])
def test_certificates_of_a_file_or_of_the_settings_go_first(mosip: KeyManager, folder: Path, where: str) -> None:
    other = new_pair("KERNEL-SIGN")
    (folder / "other.pem").write_text(other.pem)
    if where == "default":
        (folder / "mosip-signing.pem").write_text(other.pem)
    named = {"default": "", "named": "other.pem", "text": other.pem}[where]
    trust = mosip.trust(folder, mosip_signing_certificates=named)
    assert [each.certificate for each in trust.signers] == [other.certificate]


def test_a_key_manager_that_may_not_tell_leaves_proofs_to_a_warning(mosip: KeyManager, folder: Path) -> None:
    mosip.status, mosip.answer = 403, {"response": None, "errors": [{"errorCode": "KER-ATH-403", "message": "no"}]}
    assert mosip.trust(folder).is_required is False
    with pytest.raises(StopTheRun, match=r"mosip-signing\.pem"):
        mosip.trust(folder, credential_proof="require")


def test_a_key_manager_that_is_down_makes_nobody_believe(mosip: KeyManager, folder: Path) -> None:
    mosip.status = 503
    with pytest.raises(MosipUnavailable):
        mosip.trust(folder)


def test_the_country_may_choose_to_be_warned_only(mosip: KeyManager, folder: Path) -> None:
    assert mosip.trust(folder, credential_proof="warn").is_required is False


def test_a_file_that_is_named_and_missing_stops(mosip: KeyManager, folder: Path) -> None:
    with pytest.raises(StopTheRun, match=r"missing\.pem"):
        mosip.trust(folder, mosip_signing_certificates="missing.pem")
