"""What happened to one application, stage by stage (``mosip-packets.md`` §4.3, §6.3).

The only call that says why an application failed. Its comments are left behind: they may quote the application.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mosip_crvs.mosip.authorised import ABSENT, failure, response_of, send_authorised
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.endpoints import Read
from mosip_crvs.mosip.token import TokenSource

TRANSACTIONS = Read("GET", "/registrationprocessor/v1/registrationtransaction/search/{aid}")
TRANSACTION_ROLES = "REGISTRATION_PROCESSOR, REGISTRATION_ADMIN or RESIDENT"

_MOST_CODE = 64
_FAILED = frozenset({"FAILED", "REJECTED", "ERROR"})
_PASSED = frozenset({"SUCCESS", "PROCESSED"})


@dataclass(frozen=True, slots=True)
class Stage:
    """One transaction.

    :param type_code: which stage, such as ``CMD_VALIDATION``.
    :param status: ``SUCCESS``, ``FAILED``, ``REPROCESS`` and the like.
    :param sub_status: why, such as ``RPR-CMD-FAILED-010``; empty when MOSIP gave none.
    """

    type_code: str
    status: str
    sub_status: str


def transactions(calls: SingleCalls, tokens: TokenSource, aid: str) -> tuple[Stage, ...]:
    """Ask for an application's stages, the first first; none when MOSIP has none of it (yet).

    :raises MosipRefused: when the client may not ask; the text names the roles.
    :raises MosipUnavailable: when MOSIP does not answer as it should.
    """
    reply = send_authorised(calls, tokens, TRANSACTIONS, aid=aid)
    what = f"{TRANSACTIONS.method} {TRANSACTIONS.template}"
    found = response_of(reply, what, TRANSACTION_ROLES)
    if found is ABSENT:
        return ()
    if not isinstance(found, list):
        raise failure(reply, what, TRANSACTION_ROLES, "RESPONSE_NULL")
    rows = [row for row in found if isinstance(row, dict) and row.get("registrationId") in (aid, None)]
    return tuple(
        Stage(_text(row, "transactionTypeCode"), _text(row, "statusCode"), _text(row, "subStatusCode"))
        for row in _in_order(rows)
    )


def first_failure(stages: Sequence[Stage]) -> Stage | None:
    """Find the stage that an application fell at; a failure that the same stage later made good does not count."""
    for place, stage in enumerate(stages):
        if stage.status in _FAILED and not any(
            later.type_code == stage.type_code and later.status in _PASSED for later in stages[place + 1 :]
        ):
            return stage
    return None


def _in_order(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Sort by the moment of each row, because MOSIP reads them from its table in no order; as received without it."""
    moments = [_moment(row.get("createdDateTimes")) for row in rows]
    known = [moment for moment in moments if moment is not None]
    if len(known) < len(rows):
        return rows
    return [rows[place] for place in sorted(range(len(rows)), key=known.__getitem__)]


def _moment(value: Any) -> datetime | None:
    """Read a moment, an ISO text or Java's list of numbers; all of one answer are in one zone."""
    try:
        if isinstance(value, list):
            year, month, day, hour, minute, second, nanoseconds = (*value, 0, 0)[:7]
            return datetime(year, month, day, hour, minute, second, nanoseconds // 1000)  # noqa: DTZ001
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError):
        return None


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) and len(value) <= _MOST_CODE and value.isprintable() else ""
