"""Checking what was signed, and the evidence itself: by whom, and is it still what it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, text

from mosip_crvs.errors import FixTheData
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.installation import is_ours, key_id_of, public_keys, signed_by
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation.signed import LINK, Anchor, Signed, anchor_of

APPLICATIONS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking one balance came to.

    :param problems: sentences; none when all is as it was signed.
    :param notes: what one should know although nothing is wrong.
    """

    day: str
    key_id: str | None
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say it in a line."""
        if self.problems:
            return f"{self.day}: WRONG: {'; '.join(self.problems)}"
        said = "signature right, numbers as signed, evidence as it was" + "".join(f"; {note}" for note in self.notes)
        return f"{self.day}: {said} (key {self.key_id})"


@dataclass(frozen=True, slots=True)
class EvidenceChecked:
    """What checking all the evidence came to.

    :param rows: how many rows were looked at.
    :param broken: the AIDs whose chain does not hold, at most one in each part that was looked at; the first first.
    """

    rows: int
    applications: int
    broken: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say it in a line."""
        size = f"{self.rows:,} rows of {self.applications:,} applications"
        if not self.broken:
            return f"evidence: {size}: every chain holds"
        return f"evidence: {size}: WRONG: the chain of {self.broken[0]} is the first that does not hold"


def check_balances(ledger: Engine, seal: Seal | None, day: date | None = None) -> Iterator[Checked]:
    """Check every balance that the ledger keeps, or a day's, oldest first.

    :param seal: with it, it is also checked that the keys were made by this installation.
    """
    with transaction(ledger) as connection:
        rows = connection.execute(_KEPT, {"day": day}).all()
    keys = public_keys(ledger)  # after the rows: a key may be made, and used, in between
    for row in rows:
        if row.document is None or row.signature is None or row.key_id is None:
            yield Checked(str(row.day), None, ("it is not signed",))
            continue
        signed = Signed(row.document, bytes(row.signature), row.key_id, keys.get(row.key_id, ""))
        problems = [*_key_problems(ledger, seal, keys, signed), *_row_problems(row, signed)]
        yield Checked(str(row.day), row.key_id, tuple(problems or _anchor_problems(ledger, signed)))


def check_file(ledger: Engine | None, seal: Seal | None, signed: Signed) -> Checked:
    """Check a signed balance that was kept elsewhere.

    :param ledger: None to check the signature only, by the key that the file brings along.
    """
    content = signed.content
    day = str(content["balance"].get("day"))
    if ledger is None:
        right = key_fits(signed) and signed_by(signed.public_key, signed.document, signed.signature)
        return Checked(day, signed.key_id, () if right else (_NOT_RIGHT,), (_ITS_OWN_KEY,))
    problems = _key_problems(ledger, seal, public_keys(ledger), signed)
    if problems:
        return Checked(day, signed.key_id, tuple(problems))
    problems, notes = _beside_the_ledger(ledger, signed, content["balance"])
    return Checked(day, signed.key_id, tuple(problems or _anchor_problems(ledger, signed)), notes)


def key_fits(signed: Signed) -> bool:
    """Say whether a file's key has the id by which the file names it."""
    try:
        return key_id_of(signed.public_key) == signed.key_id
    except ValueError:
        return False


def check_evidence(ledger: Engine) -> EvidenceChecked:
    """Compute every chain anew in the database, part by part, and hold it against the rows and the applications.

    An application's state must be the one that its last evidence moved it to.
    """
    rows = applications = after = 0
    broken: list[str] = []
    while True:
        with transaction(ledger) as connection:
            part = connection.execute(_CHAINS, {"after": after, "most": APPLICATIONS_AT_ONCE}).one()
        if part.last is None:
            break
        after = part.last
        rows += part.rows
        applications += part.applications
        broken += [part.broken] if part.broken else []
    with transaction(ledger) as connection:
        orphan = connection.execute(_ORPHANS).one()
    broken += [orphan.broken] if orphan.broken else []
    return EvidenceChecked(rows + orphan.rows, applications, tuple(broken))


_NOT_RIGHT = "the signature is not right: the document, the signature or the key was changed"
_ITS_OWN_KEY = "by the key in the file itself: compare its id with what the installation told you"


def _key_problems(ledger: Engine, seal: Seal | None, keys: dict[str, str], signed: Signed) -> list[str]:
    if signed.key_id not in keys:
        return [f"the key {signed.key_id} is none of this installation"]
    if not signed_by(keys[signed.key_id], signed.document, signed.signature):
        return [_NOT_RIGHT]
    if seal is not None and not is_ours(ledger, seal, signed.key_id):
        return [f"the key {signed.key_id} was not made by this installation, or its seal's key is not given any more"]
    return []


def _row_problems(row: Any, signed: Signed) -> list[str]:
    """Hold the numbers that the ledger shows against those that were signed."""
    try:
        balance = signed.content["balance"]
    except FixTheData as problem:
        return [str(problem)]
    beside = (balance["day"], balance["balanced"], datetime.fromisoformat(balance["taken_at"]))
    if row.terms != balance or beside != (str(row.day), row.balanced, row.taken_at):
        return ["the numbers in the ledger are not those that were signed"]
    return []


def _beside_the_ledger(ledger: Engine, signed: Signed, balance: dict[str, Any]) -> tuple[list[str], tuple[str, ...]]:
    """Hold a file against the day's balance in the ledger, which may be newer, but never older."""
    with transaction(ledger) as connection:
        row = connection.execute(_KEPT, {"day": date.fromisoformat(balance["day"])}).one_or_none()
    if row is None:
        return ["the ledger keeps no balance of this day"], ()
    taken_at = datetime.fromisoformat(balance["taken_at"])
    if row.taken_at > taken_at:
        return [], (f"the ledger keeps a newer one, taken at {row.taken_at:%Y-%m-%d %H:%M:%S} UTC",)
    same = row.taken_at == taken_at and row.document == signed.document
    return ([] if same else ["the ledger keeps other numbers, or older ones"]), ()


def _anchor_problems(ledger: Engine, signed: Signed) -> list[str]:
    content = signed.content
    then = Anchor(**content["anchor"])
    with transaction(ledger) as connection:
        now = anchor_of(connection, date.fromisoformat(content["balance"]["day"]), then.last_evidence_id)
    if now == then:
        return []
    return [
        f"the evidence was changed after it was signed: {then.evidence_rows:,} rows then, {now.evidence_rows:,} now "
        f"up to number {then.last_evidence_id}"
    ]


_KEPT = text(
    "SELECT day, terms, balanced, taken_at, document, signature, key_id FROM balances "
    "WHERE day = coalesce(CAST(:day AS date), day) ORDER BY day"
)

_CHAINS = text(
    f"""
    WITH part AS MATERIALIZED (
        SELECT application_id, aid, state, triggering_at, evidence_count, evidence_head FROM applications
         WHERE application_id > :after ORDER BY application_id LIMIT :most
    ), linked AS (
        SELECT e.aid, e.sequence, e.link, e.moved_to,
               e.link = {LINK} AND e.sequence = row_number() OVER chain AS holds
          FROM evidence e JOIN part USING (aid)
        WINDOW chain AS (PARTITION BY e.aid ORDER BY e.sequence)
    ), chains AS (
        SELECT aid, count(*) AS rows, bool_and(holds) AS holds,
               (array_agg(link ORDER BY sequence DESC))[1] AS head,
               (array_agg(moved_to ORDER BY sequence DESC))[1] AS moved_to
          FROM linked GROUP BY aid
    )
    SELECT max(part.application_id) AS last, count(*) AS applications,
           CAST(coalesce(sum(chains.rows), 0) AS bigint) AS rows,
           (array_agg(part.aid ORDER BY part.application_id) FILTER (
               WHERE part.evidence_count <> coalesce(chains.rows, 0)
                  OR part.evidence_head <> coalesce(chains.head, CAST('' AS bytea)) OR NOT chains.holds
                  OR part.state <> coalesce(nullif(chains.moved_to, 'AID_ASSIGNED'),
                         CASE WHEN part.triggering_at IS NULL THEN 'AID_ASSIGNED' ELSE 'TRIGGERING' END)))[1] AS broken
      FROM part LEFT JOIN chains USING (aid)
    """  # noqa: S608 (constants of this file)
)

_ORPHANS = text(
    "SELECT count(*) AS rows, min(e.aid) AS broken FROM evidence e "
    "WHERE NOT EXISTS (SELECT 1 FROM applications a WHERE a.aid = e.aid)"
)
