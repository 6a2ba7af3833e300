"""Evidence is kept for ever: the database itself refuses to change it."""

from __future__ import annotations

import pytest
from day_books import PREFIX, Books, aid, completed
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mosip_crvs.reconciliation.inbox import settle_inbox


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence SET moved_to = 'REJECTED'",
        "UPDATE evidence SET alarm = NULL",
        "DELETE FROM evidence",
        "TRUNCATE evidence",
    ],
)
def test_evidence_can_be_neither_changed_nor_removed(books: Books, statement: str) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    books.receive(completed(aid(1)))
    settle_inbox(books.ledger, PREFIX)
    before = books.evidence()

    with pytest.raises(DBAPIError, match="append-only"), books.ledger.begin() as connection:
        connection.execute(text(statement))

    assert books.evidence() == before
    assert len(before) == 1
