"""The private folder: whole files for their owner alone, one run at a time, and clear words when a file is damaged."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from mosip_crvs.errors import StopTheRun
from mosip_crvs.onboarding.keeping import Keeping


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    """A folder that is not there yet."""
    return Keeping(tmp_path / "made" / "here", "demo")


def mode(path: Path) -> int:
    """A path's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_looking_makes_no_folder(keeping: Keeping) -> None:
    assert (keeping.ids, keeping.attested, keeping.secret("a"), keeping.every_secret()) == ({}, {}, None, frozenset())
    assert keeping.read("key.pem") is None
    assert not keeping.folder.exists()


def test_everything_is_for_its_owner_alone_whatever_the_umask(keeping: Keeping) -> None:
    before = os.umask(0)
    try:
        keeping.pin({"center_id": "10001"})
        keeping.make_secret("client")
        keeping.write("key.pem", "a key")
    finally:
        os.umask(before)
    assert mode(keeping.folder) == 0o700
    assert {each.name: mode(each) for each in keeping.folder.iterdir()} == {
        "demo.state.json": 0o600,
        "demo.secrets.json": 0o600,
        "demo.key.pem": 0o600,
    }


def test_what_was_kept_is_there_for_the_next_run(keeping: Keeping) -> None:
    keeping.pin({"center_id": "10001"})
    keeping.pin({"machine_id": "10077"})
    keeping.attest("G3")
    later = Keeping(keeping.folder, "demo")
    assert later.ids == {"center_id": "10001", "machine_id": "10077"}
    assert set(later.attested) == {"G3"}
    assert Keeping(keeping.folder, "other").ids == {}


def test_what_is_known_is_not_written_again(keeping: Keeping) -> None:
    keeping.pin({"center_id": "10001"})
    written = keeping.file("state.json").stat()
    keeping.pin({"center_id": "10001"})
    assert keeping.file("state.json").stat().st_ino == written.st_ino


def test_a_secret_is_made_once(keeping: Keeping) -> None:
    made = keeping.make_secret("client")
    assert Keeping(keeping.folder, "demo").make_secret("client") == made
    assert keeping.make_secret("other") != made
    assert len(made) >= 32


def test_a_staged_secret_takes_the_current_ones_place(keeping: Keeping) -> None:
    old, new = keeping.make_secret("client"), keeping.make_secret("client", staged=True)
    assert (keeping.secret("client"), keeping.secret("client", staged=True)) == (old, new)
    assert keeping.every_secret() == {old, new}
    keeping.promote_secret("client")
    assert (keeping.secret("client"), keeping.secret("client", staged=True)) == (new, None)


def test_a_staged_secret_is_forgotten_alone(keeping: Keeping) -> None:
    old = keeping.make_secret("client")
    keeping.make_secret("client", staged=True)
    keeping.drop_staged("client")
    assert (keeping.secret("client"), keeping.secret("client", staged=True)) == (old, None)
    keeping.drop_staged("nobody")


@pytest.mark.parametrize("name", ["state.json", "secrets.json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"ids": {"center',
        b"[]",
        b"null",
        b'{"ids": []}',
        b'{"ids": {"center_id": 5}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=["empty", "torn", "a list", "null", "a list within", "a number within", "no text", "deep"],
)
def test_a_damaged_file_is_named_and_never_written_over(keeping: Keeping, name: str, content: bytes) -> None:
    keeping.pin({"machine_id": "10077"})
    keeping.make_secret("client")
    path = keeping.file(name)
    path.write_bytes(content)
    for use in (
        lambda: keeping.pin({"center_id": "10001"}) if name == "state.json" else keeping.make_secret("other"),
        lambda: keeping.attest("G3") if name == "state.json" else keeping.promote_secret("client"),
        lambda: keeping.ids if name == "state.json" else keeping.every_secret(),
    ):
        with pytest.raises(StopTheRun, match=f"demo.{name}.*mend it, or put its backup back"):
            use()
    assert path.read_bytes() == content


def test_an_error_does_not_quote_a_damaged_file(keeping: Keeping) -> None:
    keeping.make_secret("client")
    keeping.file("secrets.json").write_text('{"client": {"current": "very-secret"')
    with pytest.raises(StopTheRun) as caught:
        keeping.every_secret()
    assert "very-secret" not in str(caught.value)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(keeping: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping.pin({"center_id": "10001"})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StopTheRun, match=r"demo\.state\.json cannot be written: No space left on device"):
        keeping.pin({"center_id": "10002"})
    assert json.loads(keeping.file("state.json").read_text())["ids"] == {"center_id": "10001"}
    assert [each.name for each in keeping.folder.iterdir()] == ["demo.state.json"]


def test_two_runs_of_one_environment_do_not_meet(keeping: Keeping) -> None:
    with keeping.alone():
        with pytest.raises(StopTheRun, match="another run is provisioning 'demo': wait for its end"):
            Keeping(keeping.folder, "demo").alone().__enter__()
        with Keeping(keeping.folder, "other").alone():
            pass
    with Keeping(keeping.folder, "demo").alone():
        pass


def test_a_file_by_its_whole_path_is_left_where_it_is(keeping: Keeping, tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_text("a root")
    assert keeping.file(str(root)) == root
    assert keeping.read(str(root)) == "a root"


def test_a_key_that_is_no_text_is_named(keeping: Keeping) -> None:
    keeping.write("root.pem", "")
    keeping.file("root.pem").write_bytes(b"\x30\x82\xff\xfe")  # DER
    with pytest.raises(StopTheRun, match=r"demo\.root\.pem cannot be read .*: it must be text, PEM"):
        keeping.read("root.pem")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "state"
    with pytest.raises(StopTheRun, match=f"the folder {folder} cannot be made"), Keeping(folder, "demo").alone():
        pass
