"""The benchmark measures what it says, and refuses figures of a run in which an event was lost or sent twice."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import campaign
from bench.far_side import EventsWrong, FarSide, check
from bench.floor import send
from bench.report import Memory, Round, as_table, figures
from bench.work import Result

PACKET = (b'{"request":{"id":"', b'","fields":{}}}')
TRIGGER = (b'{"request":{"registrationId":"', b'"}}')
AIDS = [f"1000110077{number:05d}20260101000000" for number in range(300)]


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    with FarSide(campaign.environment()) as started:
        yield started


def _send(far_side: FarSide, aids: list[str]) -> None:
    asyncio.run(send(far_side.url, "a-token", aids, [PACKET], TRIGGER))


def test_the_stub_counts_every_packet_and_trigger_once(far_side: FarSide) -> None:
    _send(far_side, AIDS)
    counts = far_side.counts()
    check(counts, len(AIDS), "a clean run")
    assert counts == {
        "creates": 300,
        "triggers": 300,
        "created": 300,
        "triggered": 300,
        "without_packet": 0,
        "body_bytes": 300 * (len(PACKET[0]) + 29 + len(PACKET[1])),
    }
    far_side.reset()
    assert set(far_side.counts().values()) == {0}


def test_a_double_send_is_detected(far_side: FarSide) -> None:
    _send(far_side, [*AIDS, AIDS[7]])
    with pytest.raises(EventsWrong, match=r"planted: 1 packet\(s\) were sent twice; 1 trigger\(s\) were sent twice"):
        check(far_side.counts(), len(AIDS), "planted")


def test_a_lost_event_is_detected(far_side: FarSide) -> None:
    _send(far_side, AIDS[:-2])
    with pytest.raises(EventsWrong, match=r"2 packet\(s\) of 300 were lost; 2 trigger\(s\) of 300 were lost"):
        check(far_side.counts(), len(AIDS), "planted")


def test_a_trigger_before_its_packet_is_detected(far_side: FarSide) -> None:
    with socket.create_connection(("127.0.0.1", far_side.port), timeout=5) as wire:
        body = b"".join((TRIGGER[0], AIDS[0].encode(), TRIGGER[1]))
        path = b"/registrationprocessor/v1/workflowmanager/workflowinstance"
        wire.sendall(b"POST %b HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (path, len(body), body))
        assert wire.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert far_side.counts()["without_packet"] == 1


def test_the_stub_reads_requests_however_the_wire_cuts_them(far_side: FarSide) -> None:
    body = b"".join((PACKET[0], AIDS[0].encode(), PACKET[1]))
    request = b"PUT /commons/v1/packetmanager/createPacket HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_connection(("127.0.0.1", far_side.port), timeout=5) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(request), 25):
            wire.sendall(request[at : at + 25])
        wire.sendall(request * 2)  # and two at once
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 3:
            received += wire.recv(65536)
    counts = far_side.counts()
    assert (counts["creates"], counts["created"]) == (3, 1)


def test_a_wrong_run_ends_with_1_and_a_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def wrong(*_: object) -> dict[str, object]:
        raise EventsWrong("round 1 of 1, sync: 1 trigger(s) were sent twice")

    monkeypatch.setattr(campaign, "run", wrong)
    assert command.main(["--quick", "--json", str(tmp_path / "bench.json")]) == 1
    assert "1 trigger(s) were sent twice" in capsys.readouterr().err
    assert not (tmp_path / "bench.json").exists()


def test_ratios_are_medians_of_rounds_and_say_whether_they_are_met() -> None:
    rounds = [Round(Result(1000, 1.0), Result(1000, seconds), Result(100, 1.0)) for seconds in (2.0, 4.0, 2.5)]
    said = figures(rounds, Memory(Result(10, 1.0, peak_rss=100), Result(100, 1.0, peak_rss=130)))
    assert said["sync_of_floor"] == {"ratio": 0.4, "at_least": 0.3, "met": True}
    assert said["sync_of_loop"] == {"ratio": 4.0, "at_least": 3.0, "met": True}
    assert said["memory_growth"] == {"ratio": 1.3, "at_most": 1.2, "met": False}
    assert "at most 1.2 x: MISSED" in as_table(said)


@pytest.mark.slow
def test_the_quick_form_gives_sane_figures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "bench.json"
    assert command.main(["--quick", "--json", str(file)]) == 0
    said = json.loads(file.read_text(encoding="utf-8"))
    for part in ("floor", "sync", "loop"):
        assert said[part]["events_per_second"] > 0, part
        assert said[part]["cpu_microseconds_per_event"] > 0, part
    assert said["floor"]["events_per_second"] > said["loop"]["events_per_second"]
    assert 0 < said["sync_of_floor"]["ratio"] < 2
    assert said["sync_of_loop"]["ratio"] > 0
    assert said["memory"]["large"]["events"] == 10 * said["memory"]["small"]["events"]
    assert 20 < said["memory"]["large"]["peak_rss_bytes"] / 2**20 < 2000
    assert 0.5 < said["memory_growth"]["ratio"] < 5
    assert said["machine"]["postgresql"]["fsync"] == "on"
    assert said["machine"]["cores"] >= 1
    assert "sync, share of the floor" in capsys.readouterr().out
