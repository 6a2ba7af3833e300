"""The operator that brings credentials: off without a partner, and silent about people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from credential_scene import OF_PERSON, PSUT, Scene
from day_books import Books
from receiver_calls import serving
from small_mosip import SmallMosip
from tests.credential.sealing import Pair, new_pair

from mosip_crvs.errors import CredentialMissing, StopTheRun
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.operators.credentials import FetchCredentialsOperator

CONTEXT: Any = {}
EXTRA = {"center_id": "10001", "machine_id": "10077"}


@pytest.fixture(scope="module")
def pairs() -> tuple[Pair, Pair]:
    return new_pair("crvs1"), new_pair("KERNEL-SIGN")


@pytest.fixture
def scene(
    books: Books, seal: Seal, pairs: tuple[Pair, Pair], ledger_connection: Any, tmp_path: Path
) -> Iterator[Scene]:
    own, signer = pairs
    (tmp_path / "crvs1.key.pem").write_text(own.key_pem)
    (tmp_path / "crvs1.pem").write_text(own.pem)
    (tmp_path / "mosip-signing.pem").write_text(signer.pem)
    mosip = SmallMosip()
    with serving(mosip.app()) as url:
        made = Scene.of(books, seal, mosip, url, own, signer)
        made.apply(1)
        yield made


def run(connect: Any, scene: Scene, **extra: Any) -> dict[str, int]:
    connect("mosip", conn_type="mosip", host=scene.url, login="mosip-crvs1-client", password="s", extra=EXTRA | extra)
    return FetchCredentialsOperator(task_id="credentials").execute(CONTEXT)


@pytest.mark.parametrize("by", ["connection", "environment", "onboarding"])
def test_a_credential_arrives_by_the_keys_of_the_folder_and_nobody_is_named(
    scene: Scene,
    connect: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    by: str,
) -> None:
    scene.issue()
    names = {"environment": "CRVS_PARTNER_KEYS", "onboarding": "CRVS_ONBOARDING_DIR"}
    extra = {"partner_keys": str(tmp_path)} if by == "connection" else {}
    if by in names:
        monkeypatch.setenv(names[by], str(tmp_path))
    counts = run(connect, scene, partner_id="crvs1", partner_secret="p", **extra)
    assert (counts["identifiers"], counts["acknowledged"]) == (1, 1)
    assert scene.result() == ("issued", "PSUT", PSUT, 2)
    said = "".join(capfd.readouterr()) + str(counts)
    assert not [value for value in OF_PERSON if value in said]


def test_without_a_partner_nothing_is_asked(scene: Scene, connect: Any) -> None:
    assert run(connect, scene) == {}


def test_a_partner_without_a_secret_is_told_where_it_belongs(scene: Scene, connect: Any, tmp_path: Path) -> None:
    with pytest.raises(CredentialMissing, match="partner_secret"):
        run(connect, scene, partner_id="crvs1", partner_keys=str(tmp_path))


def test_a_folder_that_is_not_there_stops(scene: Scene, connect: Any, tmp_path: Path) -> None:
    with pytest.raises(StopTheRun, match="nowhere"):
        run(
            connect,
            scene,
            partner_id="crvs1",
            partner_secret="p",
            partner_keys=str(tmp_path / "nowhere"),
            mosip_signing_certificates=scene.signer.pem,
        )
