"""regproc's two tables: sync rows (`registration_list`) and registration rows (mosip-packets.md §4.6, §6.1)."""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field

from sandbox.wire import now_text


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of a workflow, as `registrationtransaction/search` shows it."""

    type_code: str
    status: str
    sub_status: str
    comment: str


@dataclass(slots=True)
class Registration:
    """A row of `registration`: one workflow instance.

    :param additional_info_req_id: `<RID>-<process>-<iteration>` of what a paused workflow waits for
        (mosip-events.md §2.2); None for one that waits for nothing.
    :param resumed: an operator sent it on, and no tick has taken it since.
    """

    rid: str
    process: str
    source: str | None
    iteration: int
    workflow_instance_id: str
    created: str
    status: str = "RESUMABLE"
    error_code: str | None = None
    steps: tuple[Step, ...] = field(default=())
    additional_info_req_id: str | None = None
    resumed: bool = False

    @property
    def past_validator(self) -> bool:
        """Has the packet validator passed? `/registrationstatus/search` turns on it (mosip-packets.md §4.3)."""
        return any(step.type_code == "VALIDATE_PACKET" and step.status == "SUCCESS" for step in self.steps)


class Registrations:
    """Rows by (rid, process, iteration), and the queue of resumable ones in the order of their update."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, int], Registration] = {}
        self._by_rid: dict[str, list[Registration]] = {}
        self._synced: dict[str, set[str]] = {}
        self._resumable: deque[Registration] = deque()

    def exists(self, rid: str, process: str, iteration: int) -> bool:
        """Is there a workflow already, in any state?"""
        return (rid, process, iteration) in self._rows

    def is_synced(self, rid: str, process: str) -> bool:
        """Is there a sync row?"""
        return process in self._synced.get(rid, ())

    def sync(self, rid: str, process: str) -> None:
        """Write the sync row, which comes first and not in one transaction with the other."""
        self._synced.setdefault(rid, set()).add(process)

    def add(self, rid: str, process: str, source: str | None, iteration: int, *, queued: bool = True) -> Registration:
        """Write the registration row.

        :param queued: whether the reprocessor shall find it.
        """
        row = Registration(rid, process, source, iteration, str(uuid.uuid4()), now_text())
        self._rows[(rid, process, iteration)] = row
        self._by_rid.setdefault(rid, []).append(row)
        if queued:
            self._resumable.append(row)
        return row

    def take_resumable(self, limit: int) -> list[Registration]:
        """The oldest resumable rows, at most `limit`."""
        return [self._resumable.popleft() for _ in range(min(limit, len(self._resumable)))]

    def resume(self, row: Registration) -> None:
        """An operator's `RESUME_PROCESSING`: resumable again, at the end of the queue."""
        row.status, row.error_code, row.additional_info_req_id, row.resumed = "RESUMABLE", None, None, True
        self._resumable.append(row)

    def withdraw(self, row: Registration) -> None:
        """Take a row out of the queue, if it is there."""
        self._resumable = deque(other for other in self._resumable if other is not row)

    @property
    def waiting(self) -> int:
        """How many rows wait for a tick."""
        return len(self._resumable)

    def of(self, rid: str) -> list[Registration]:
        """All rows of a RID."""
        return self._by_rid.get(rid, [])

    def processes_of(self, rid: str) -> set[str]:
        """Processes of a RID's sync rows."""
        return self._synced.get(rid, set())
