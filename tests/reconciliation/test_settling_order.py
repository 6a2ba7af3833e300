"""In whatever order MOSIP's words arrive, and however they fall into runs and pages, applications end the same."""

from __future__ import annotations

from itertools import count

import pytest
from day_books import PREFIX, Books, aid, completed, paused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mosip_crvs.reconciliation import inbox
from mosip_crvs.reconciliation.inbox import settle_inbox

_NUMBERS = count(1)
_STRENGTH = ["TRIGGERED", "AWAITING_INFO", "FAILED", "REJECTED", "COMPLETED"]
_SAYS = {
    "AWAITING_INFO": paused,
    "FAILED": lambda of: completed(of, "FAILED", "PACKET_FAILED"),
    "REJECTED": lambda of: completed(of, "REJECTED", "PACKET_REJECTED"),
    "COMPLETED": completed,
}


@st.composite
def words_in_two_orders(draw: st.DrawFn) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    words = draw(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(_STRENGTH[1:])), max_size=10))
    return words, draw(st.permutations(words))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=words_in_two_orders(), page=st.integers(1, 4), runs=st.integers(1, 3))
def test_the_order_of_words_does_not_change_where_applications_end(
    books: Books, orders: tuple[list[tuple[int, str]], list[tuple[int, str]]], page: int, runs: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "PAGE_SIZE", page)
        for words in orders:
            own = [aid(next(_NUMBERS)) for _ in range(3)]
            books.apply(books.batch(), dict.fromkeys(own, "TRIGGERED"))
            for run in range(runs):
                books.receive(*(_SAYS[word](own[which]) for which, word in words[run::runs]))
                settle_inbox(books.ledger, PREFIX)

            expected = {
                name: max((word for w, word in words if w == which), key=_STRENGTH.index, default="TRIGGERED")
                for which, name in enumerate(own)
            }
            states = books.states()
            assert {name: states[name] for name in own} == expected
            said = {(fact.aid, fact.kind) for fact in books.evidence() if fact.aid in own}
            assert len(said) == len(set(words))
