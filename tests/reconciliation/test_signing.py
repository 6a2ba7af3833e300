"""A signed balance, and the evidence behind it: whoever changes one number or one row is found out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Thread

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from day_books import DAY, Books, aid
from sqlalchemy import Engine, text

from mosip_crvs.errors import EvidenceTampered, FixTheData, RetryLater
from mosip_crvs.ledger import facts, installation
from mosip_crvs.ledger.alarms import open_alarms
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation.__main__ import main
from mosip_crvs.reconciliation.balance import day_balance, days_to_balance
from mosip_crvs.reconciliation.signed import Signed
from mosip_crvs.reconciliation.signing import evidence_horizon, keep, keep_signed_balance
from mosip_crvs.reconciliation.verifying import check_balances, check_evidence, check_file
from mosip_crvs.settlement.rules import EvidenceKind


def say(books: Books, own: str, kind: EvidenceKind, code: str | None = None) -> None:
    with transaction(books.ledger) as connection:
        digest = hashlib.sha256(f"{own}{kind}{code}".encode()).hexdigest()
        facts.record(connection, [Fact(own, kind, "a topic", code, digest, datetime.now(UTC))])


def sign(books: Books, seal: Seal) -> Signed:
    key = installation.signing_key(books.ledger, seal)
    return keep_signed_balance(books.ledger, key, DAY, evidence_horizon(books.ledger))[1]


@pytest.fixture
def signed(books: Books, seal: Seal) -> Signed:
    """A day with evidence, balanced, signed and kept."""
    books.apply(books.batch(), {aid(n): "TRIGGERED" for n in range(5)})
    books.apply(books.batch("death"), {aid(9): "COMPLETED", aid(10): "TRIGGERING"})
    for number in range(3):
        say(books, aid(number), EvidenceKind.STATUS_PROCESSING)
        say(books, aid(number), EvidenceKind.WORKFLOW_REJECTED, 'RPR-"ü"')
    return sign(books, seal)


def tamper(ledger_url: str, *statements: str) -> None:
    """Change what the database refuses to change, as only a superuser can who switches its triggers off."""
    with psycopg.connect(ledger_url) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            assert connection.execute(statement).rowcount >= 1  # type: ignore[call-overload]


def problems(books: Books, seal: Seal | None = None) -> list[str]:
    return [problem for checked in check_balances(books.ledger, seal) for problem in checked.problems]


def test_what_was_signed_and_left_alone_is_right(books: Books, seal: Seal, signed: Signed) -> None:
    (checked,) = check_balances(books.ledger, seal)

    assert checked.problems == ()
    assert f"key {signed.key_id}" in checked.sentence
    assert check_file(books.ledger, seal, Signed.from_file(signed.as_file())).problems == ()
    evidence = check_evidence(books.ledger)
    assert (evidence.rows, evidence.applications, evidence.broken) == (5 + 1 + 6, 7, ())


def test_anybody_can_check_the_signature_with_the_public_key_alone(signed: Signed) -> None:
    key = load_pem_public_key(signed.public_key.encode())
    key.verify(signed.signature, signed.document.encode())  # type: ignore[union-attr, call-arg]

    content = json.loads(signed.document)
    assert signed.document == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert content["balance"]["kinds"]["birth"]["rejected"] == 3


def test_a_chain_can_be_computed_anew_from_its_description_alone(books: Books, signed: Signed) -> None:
    rows = books.run("SELECT * FROM evidence ORDER BY aid, sequence")
    links: dict[str, bytes] = {}
    for row in rows:
        moment = row.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        items = [
            row.aid, row.sequence, row.kind, row.source, row.code, row.body_sha256, row.occasion, row.moved_from,
            row.moved_to, row.alarm, moment,
        ]  # fmt: skip
        before = links.get(row.aid, b"")
        links[row.aid] = hashlib.sha256(before + json.dumps(items, ensure_ascii=False).encode()).digest()
        assert bytes(row.link) == links[row.aid]
    heads = books.run("SELECT aid, evidence_head FROM applications WHERE evidence_count > 0")
    assert {row.aid: bytes(row.evidence_head) for row in heads} == links
    anchor = json.loads(signed.document)["anchor"]
    assert anchor["sha256"] == hashlib.sha256(b"".join(bytes(row.link) for row in rows)).hexdigest()
    assert anchor["evidence_rows"] == len(rows)


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'workflow_processed'", "source = 'x'", "code = 'x'", "code = NULL", "body_sha256 = 'x'",
        "occasion = 'x'", "moved_from = 'x'", "moved_to = 'COMPLETED'", "alarm = 'x'", "link = '\\x00'",
        "received_at = received_at + interval '1 microsecond'", "sequence = 7",
    ],
)  # fmt: skip
def test_one_changed_row_of_evidence_is_found(books: Books, signed: Signed, ledger_url: str, change: str) -> None:
    column = change.split(" ", 1)[0]
    row = (
        f"aid = '{aid(1)}' AND {column} IS NOT NULL"
        if change == "code = NULL"
        else f"aid = '{aid(1)}' AND sequence = 2"
    )
    tamper(ledger_url, f"UPDATE evidence SET {change} WHERE {row}")

    evidence = check_evidence(books.ledger)
    assert evidence.broken == (aid(1),)
    assert f"WRONG: the chain of {aid(1)} is the first" in evidence.sentence


@pytest.mark.parametrize("sequence", [1, 2, 3])
def test_one_removed_row_of_evidence_is_found_the_last_one_too(
    books: Books, signed: Signed, ledger_url: str, sequence: int
) -> None:
    tamper(ledger_url, f"DELETE FROM evidence WHERE aid = '{aid(1)}' AND sequence = {sequence}")

    assert check_evidence(books.ledger).broken == (aid(1),)
    assert "the evidence was changed after it was signed" in problems(books)[0]


def test_evidence_of_an_application_that_is_gone_is_found(books: Books, signed: Signed, ledger_url: str) -> None:
    tamper(ledger_url, f"DELETE FROM applications WHERE aid = '{aid(1)}'")

    assert check_evidence(books.ledger).broken == (aid(1),)
    assert problems(books)


def rewrite(ledger_url: str) -> None:
    """Forge a row of evidence, and compute its chain and its application's head anew."""
    own = aid(1)
    tamper(
        ledger_url,
        f"UPDATE evidence SET kind = 'workflow_processed', moved_to = 'COMPLETED', code = NULL "
        f"WHERE aid = '{own}' AND sequence = 3",
        f"""UPDATE evidence e SET link = evidence_link(
                (SELECT b.link FROM evidence b WHERE b.aid = e.aid AND b.sequence = e.sequence - 1), e.aid, e.sequence,
                e.kind, e.source, e.code, e.body_sha256, e.occasion, e.moved_from, e.moved_to, e.alarm, e.received_at)
             WHERE aid = '{own}' AND sequence = 3""",
        f"UPDATE applications SET evidence_head = (SELECT link FROM evidence WHERE aid = '{own}' AND sequence = 3), "
        f"state = 'COMPLETED' WHERE aid = '{own}'",
    )


def test_evidence_that_was_rewritten_with_all_its_chain_is_found_by_what_was_signed_before(
    books: Books, signed: Signed, ledger_url: str
) -> None:
    rewrite(ledger_url)

    assert check_evidence(books.ledger).broken == ()
    assert "the evidence was changed after it was signed: 12 rows then, 12 now" in problems(books)[0]
    assert check_file(books.ledger, None, signed).problems


def test_what_was_tampered_with_is_not_signed_over_and_a_person_is_told(
    books: Books, seal: Seal, signed: Signed, ledger_url: str
) -> None:
    rewrite(ledger_url)

    for _ in range(2):
        with pytest.raises(EvidenceTampered, match="the evidence was changed after it was signed"):
            sign(books, seal)
    (kept,) = books.run("SELECT document, signature FROM balances")
    assert (kept.document, bytes(kept.signature)) == (signed.document, signed.signature)
    assert [(alarm.code, alarm.subject) for alarm in open_alarms(books.ledger)] == [("evidence_tampered", str(DAY))]

    books.run("DELETE FROM balances")
    sign(books, seal)
    assert (open_alarms(books.ledger), problems(books)) == ([], [])


@pytest.mark.parametrize(
    "change", ["signature = NULL", "signature = '\\x00'", "terms = '{}'", "key_id = 'another'"]
)
def test_a_balance_that_was_tampered_with_is_not_signed_over(
    books: Books, seal: Seal, signed: Signed, change: str
) -> None:
    books.run(f"UPDATE balances SET {change}")

    with pytest.raises(EvidenceTampered):
        sign(books, seal)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE balances SET document = replace(document, '\"rejected\"\\:3', '\"rejected\"\\:2')", "not right"),
        ("UPDATE balances SET terms = jsonb_set(terms, '{rejected}', '2')", "not those that were signed"),
        ("UPDATE balances SET balanced = NOT balanced", "not those that were signed"),
        ("UPDATE balances SET taken_at = taken_at + interval '1 second'", "not those that were signed"),
        ("UPDATE balances SET day = day + 1", "not those that were signed"),
        ("UPDATE balances SET signature = set_byte(signature, 7, get_byte(signature, 7) # 1)", "not right"),
        ("UPDATE balances SET key_id = 'another'", "none of this installation"),
        ("UPDATE balances SET signature = NULL", "not signed"),
    ],
)
def test_one_changed_number_of_a_signed_balance_is_found(
    books: Books, signed: Signed, statement: str, said: str
) -> None:
    assert books.run(statement) == 1

    assert said in problems(books)[0]


def test_a_strangers_key_in_the_ledger_is_told_from_ours_by_the_seal(books: Books, seal: Seal, signed: Signed) -> None:
    stranger = Ed25519PrivateKey.generate()
    public = installation._public(stranger)
    books.run(
        "INSERT INTO installation_keys (key_id, public_key, sealed_private_key) VALUES (:id, :public, 'x')",
        id=installation.key_id_of(public),
        public=public,
    )
    forged = signed.document.replace('"rejected":3', '"rejected":2')
    books.run(
        "UPDATE balances SET document = :document, terms = CAST(CAST(:document AS text) AS jsonb) -> 'balance', "
        "signature = :signature, key_id = :key",
        document=forged,
        signature=stranger.sign(forged.encode()),
        key=installation.key_id_of(public),
    )

    assert problems(books) == []
    assert "was not made by this installation" in problems(books, seal)[0]


def test_what_comes_after_signing_does_not_spoil_what_was_signed(books: Books, seal: Seal, signed: Signed) -> None:
    say(books, aid(3), EvidenceKind.WORKFLOW_PROCESSED)
    books.apply(books.batch(), {aid(20): "COMPLETED"})

    assert problems(books) == []
    newer = sign(books, seal)
    checked = check_file(books.ledger, seal, signed)
    assert checked.problems == ()
    assert "the ledger keeps a newer one" in checked.sentence
    assert (
        json.loads(newer.document)["anchor"]["evidence_rows"] > json.loads(signed.document)["anchor"]["evidence_rows"]
    )


def test_evidence_whose_commit_is_late_does_not_come_in_below_the_horizon(
    books: Books, seal: Seal, signed: Signed, ledger_url: str
) -> None:
    """Its number is handed out before a later one that is committed first."""
    taken: list[int] = []
    waiting = Thread(target=lambda: taken.append(evidence_horizon(books.ledger)))
    with psycopg.connect(ledger_url) as late:
        late.execute(
            "INSERT INTO evidence (aid, sequence, kind, source, body_sha256, moved_from, moved_to, received_at, link) "
            "VALUES (%s, 99, 'k', 's', 'd', 'x', 'x', now(), '')",
            (aid(3),),
        )
        say(books, aid(4), EvidenceKind.STATUS_PROCESSING)
        (number,) = late.execute("SELECT max(evidence_id) FROM evidence").fetchone() or (0,)
        waiting.start()
        waiting.join(0.3)
        assert taken == [], "it waits for who is writing"
        with psycopg.connect(ledger_url) as vacuum:
            vacuum.execute("SET lock_timeout = '1s'")
            vacuum.execute("LOCK TABLE evidence IN SHARE UPDATE EXCLUSIVE MODE")
        with psycopg.connect(ledger_url) as later:
            later.execute("LOCK TABLE evidence IN ROW EXCLUSIVE MODE")
            late.commit()
            waiting.join(10)
            assert taken == [number], "it does not wait for who began later, and neither waits for it"


def test_who_writes_for_too_long_is_not_waited_for(books: Books, ledger_url: str) -> None:
    with psycopg.connect(ledger_url) as late:
        late.execute("LOCK TABLE evidence IN ROW EXCLUSIVE MODE")
        with pytest.raises(RetryLater, match="writing evidence"):
            evidence_horizon(books.ledger, patience=0.2)


def test_keys_rotate_and_the_old_ones_stay_good(books: Books, seal: Seal, signed: Signed) -> None:
    new = installation.rotate_key(books.ledger, seal)

    assert problems(books, seal) == []
    assert list(installation.public_keys(books.ledger)) == [signed.key_id, new.key_id]
    again = sign(books, seal)
    assert again.key_id == new.key_id
    assert problems(books, seal) == []
    assert check_file(books.ledger, seal, signed).problems == ()


def test_two_who_need_the_first_key_make_one(ledger: Engine, seal: Seal) -> None:
    start, made = Barrier(4), set[str]()

    def need() -> None:
        start.wait(10)
        made.add(installation.signing_key(ledger, seal).key_id)

    threads = [Thread(target=need) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert made == set(installation.public_keys(ledger))
    assert len(made) == 1


def test_the_private_key_is_sealed(ledger: Engine, seal: Seal) -> None:
    installation.signing_key(ledger, seal)
    with ledger.begin() as connection:
        row = connection.execute(text("SELECT * FROM installation_keys")).one()

    assert b"PRIVATE" not in bytes(row.sealed_private_key)
    assert "PRIVATE KEY" in seal.open(bytes(row.sealed_private_key))
    assert "PUBLIC KEY" in row.public_key


def test_a_balance_that_nobody_signed_is_not_taken_for_one(books: Books) -> None:
    books.batch()
    keep(books.ledger, day_balance(books.ledger, DAY))

    assert problems(books) == ["it is not signed"]


def test_a_day_of_which_mosip_speaks_again_is_balanced_again(books: Books, seal: Seal, signed: Signed) -> None:
    for number in (3, 4, 10):
        say(books, aid(number), EvidenceKind.WORKFLOW_PROCESSED)
    sign(books, seal)
    books.run("UPDATE balances SET taken_at = taken_at - interval '2 days'")
    assert days_to_balance(books.ledger, newest=0) == []

    say(books, aid(1), EvidenceKind.WORKFLOW_PROCESSED)

    assert days_to_balance(books.ledger, newest=0) == [DAY]


@pytest.fixture
def command(ledger_url: str, seal_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the command line."""
    monkeypatch.setenv("CRVS_SEAL_KEY", seal_key)
    monkeypatch.delenv("CRVS_LEDGER_URL", raising=False)


@pytest.mark.usefixtures("command")
def test_the_command_signs_verifies_and_says_what_is_wrong(
    books: Books, signed: Signed, ledger_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, there = tmp_path / "balance.json", ["--url", ledger_url]
    assert main(["sign", *there, "--day", str(DAY), "--to", str(file)]) == 0
    assert main(["verify", *there]) == 0
    assert main(["verify", *there, "--day", str(DAY), "--evidence"]) == 0
    assert main(["verify", *there, "--file", str(file)]) == 0
    assert main(["verify", "--file", str(file)]) == 0
    said = capsys.readouterr().out
    assert f"{DAY}: signature right, numbers as signed, evidence as it was (key {signed.key_id})" in said
    assert "12 rows of 7 applications: every chain holds" in said

    file.write_text(file.read_text().replace(r"\"rejected\":3", r"\"rejected\":2"))
    assert main(["verify", "--file", str(file)]) == 1
    assert main(["verify", *there, "--file", str(file)]) == 1
    file.write_text("{}")
    assert main(["verify", *there, "--file", str(file)]) == 1
    tamper(ledger_url, f"UPDATE evidence SET code = 'x' WHERE aid = '{aid(2)}' AND sequence = 1")
    assert main(["verify", *there, "--evidence"]) == 1
    assert main(["verify", *there]) == 1
    assert f"WRONG: the chain of {aid(2)}" in capsys.readouterr().out
    assert main(["verify", *there, "--day", "1999-01-01"]) == 1


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize(
    ("form", "said"), [("table", "Unexplained"), ("json", '"unexplained": 0'), ("csv", "day,kind"), ("html", "<h1>")]
)
def test_the_command_shows_a_day(
    signed: Signed, ledger_url: str, capsys: pytest.CaptureFixture[str], form: str, said: str
) -> None:
    assert main(["show", "--url", ledger_url, "--day", str(DAY), "--format", form]) == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"document": "x", "signature": "?", "key_id": "", "public_key": ""}']
)
def test_what_is_no_signed_balance_is_told_so(content: str) -> None:
    with pytest.raises(FixTheData, match="no signed balance"):
        Signed.from_file(content)


@pytest.mark.parametrize("document", ["", "{}", '{"format": "mosip-crvs-balance/1"}', '{"format": "other"}'])
def test_a_document_of_another_format_is_told_so(signed: Signed, document: str) -> None:
    with pytest.raises(FixTheData, match="format"):
        check_file(None, None, replace(signed, document=document))


def test_a_row_whose_content_was_changed_under_its_link_is_noticed_by_the_signed_file_and_by_the_next_signing(
    books: Books, seal: Seal
) -> None:
    batch = books.batch()
    books.apply(batch, {aid(1): "COMPLETED"})
    key = installation.signing_key(books.ledger, seal)
    _, signed = keep_signed_balance(books.ledger, key, DAY, evidence_horizon(books.ledger))
    with books.ledger.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE evidence SET code = 'X'"))
    assert check_file(books.ledger, seal, signed).problems
    with pytest.raises(EvidenceTampered):
        keep_signed_balance(books.ledger, key, DAY, evidence_horizon(books.ledger))


def test_a_state_that_no_evidence_moved_to_is_noticed(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "COMPLETED", aid(2): "AID_ASSIGNED", aid(3): "TRIGGERING", aid(4): "WITHDRAWN"})
    assert check_evidence(books.ledger).broken == ()
    books.run("UPDATE applications SET state = 'FAILED' WHERE aid = :aid", aid=aid(1))
    assert check_evidence(books.ledger).broken == (aid(1),)
