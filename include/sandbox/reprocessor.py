"""The registration processor: a tick takes resumable workflows and finishes them (mosip-events.md §4.4)."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial

from sandbox.country import Country
from sandbox.credentials import Credentials
from sandbox.events import WorkflowEvents, additional_info_request_id
from sandbox.faults import Faults
from sandbox.identities import Identities
from sandbox.packet_reader import default_source
from sandbox.packet_store import PacketStore, StoredPacket, person_digest
from sandbox.record import Record
from sandbox.registrations import Registration, Registrations, Step
from sandbox.settings import CRVS_PROCESSES, Settings
from sandbox.stages import CLASSIFIED, CMD_PASSED, VALIDATED, Case, Verdict, walk

ERROR_CODES = {"REJECTED": "PACKET_REJECTED", "FAILED": "PACKET_FAILED"}
PAUSED = "PAUSED_FOR_ADDITIONAL_INFO"
ASKED_FOR_MORE = Step("INTERNAL_WORKFLOW_ACTION", "PROCESSED", "RPR-WIA-SUCCESS-001", "Paused for additional info")
STOPPED = Step("INTERNAL_WORKFLOW_ACTION", "REJECTED", "RPR-WAS-SUCCESS-001", "Stopped by an operator")
_TURN = 25

_FORCED: dict[str, tuple[str, Step]] = {
    "reject": (
        "REJECTED",
        Step("DEMOGRAPHIC_VERIFICATION", "REJECTED", "RPR-DDP-FAILED-002", "Potential match found"),
    ),
    "fail": ("FAILED", Step("CMD_VALIDATION", "FAILED", "RPR-CMD-FAILED-014", "Validation failure")),
    "reprocess_failed": (
        "REPROCESS_FAILED",
        Step("PACKET_REPROCESS", "REPROCESS", "RPR-RPP-FAILED-001", "Retry budget spent"),
    ),
}


class Reprocessor:
    """Finishes workflows, a quota at a time."""

    def __init__(
        self,
        settings: Settings,
        faults: Faults,
        *,
        store: PacketStore,
        registrations: Registrations,
        identities: Identities,
        events: WorkflowEvents,
        credentials: Credentials,
        record: Record,
        country: Country,
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._store = store
        self._registrations = registrations
        self._identities = identities
        self._events = events
        self._credentials = credentials
        self._record = record
        self._country = country
        self._one_at_a_time = asyncio.Lock()

    async def tick(self, quota: int | None = None) -> dict[str, int]:
        """Finish the oldest resumable workflows. :returns: how many ended in which status."""
        async with self._one_at_a_time:
            rows = self._registrations.take_resumable(self._settings.tick_quota if quota is None else quota)
            results: Counter[str] = Counter()
            for count, row in enumerate(rows, start=1):
                if row.status == "RESUMABLE":  # An operator may have stopped it since.
                    self.finish(row)
                    results[row.status] += 1
                if count % _TURN == 0:
                    await asyncio.sleep(0)
            return dict(results)

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            await asyncio.sleep(self._settings.tick_seconds)
            await self.tick()

    def finish(self, row: Registration) -> None:
        """Walk one workflow to its end and tell everyone who wants to know."""
        if row.process not in CRVS_PROCESSES:
            row.status = "PROCESSING"  # Accepted, but no route takes it: it hangs (mosip-events.md §4.2).
            return
        resumed, row.resumed = row.resumed, False
        if not resumed and self._faults.hit("pause", row.rid):
            self._pause(row)
            return
        packet = self._packet(row)
        case = (
            Case(row.process, None, {}, {})
            if packet is None
            else Case(row.process, packet.schema, packet.identity(), packet.meta())
        )
        forced = None if resumed else self._forced(row)
        verdict = forced or walk(case, self._country, self._identities.exists)
        uin = self._apply(row.rid, verdict, case)
        digest = None if packet is None else person_digest(case.identity, self._settings.digest_fields)
        self._conclude(row, verdict, uin, digest)
        if verdict.action is not None and uin is not None:
            self._events.tell_of_identity(row.rid, verdict.action, uin)
        issue = None
        if packet is not None and uin is not None:
            issue = partial(self._credentials.request, packet, uin)
            if self._faults.hit("credential_before_workflow", row.rid):
                issue()
                issue = None
        if verdict.status != "REPROCESS_FAILED":
            self._events.send(row)
        if issue is not None:
            issue()

    def reject(self, row: Registration) -> None:
        """An operator ends a workflow, whatever it is; the identity it may have made stays."""
        self._registrations.withdraw(row)
        self._conclude(row, Verdict("REJECTED", None, [*row.steps, STOPPED]), None, None)
        self._events.send(row)

    def _pause(self, row: Registration) -> None:
        """More is wanted. Nothing happens until an operator acts."""
        row.status, row.additional_info_req_id = PAUSED, additional_info_request_id(row)
        row.steps = (VALIDATED, CLASSIFIED, ASKED_FOR_MORE)
        self._record.pause(row.rid, PAUSED)
        self._events.tell_of_pause(row)

    def _conclude(self, row: Registration, verdict: Verdict, uin: str | None, digest: str | None) -> None:
        row.status = verdict.status
        row.error_code = ERROR_CODES.get(verdict.status)
        row.additional_info_req_id = None
        row.steps = tuple(verdict.steps)
        self._record.finish(row.rid, verdict.status, verdict.reason, action=verdict.action, uin=uin, digest=digest)

    def _packet(self, row: Registration) -> StoredPacket | None:
        """regproc reads with the source of its own row, and metaInfo with the process's default: both must fit."""
        if row.source is None or row.source != default_source(row.process):
            return None
        return self._store.get(row.rid, row.source, row.process)

    def _forced(self, row: Registration) -> Verdict | None:
        for fault, (status, step) in _FORCED.items():
            if self._faults.hit(fault, row.rid):
                steps = [VALIDATED, CLASSIFIED] + ([CMD_PASSED] if fault == "reject" else [])
                return Verdict(status, None, [*steps, step])
        return None

    def _apply(self, aid: str, verdict: Verdict, case: Case) -> str | None:
        if verdict.action == "create":
            return self._identities.create(aid)
        if verdict.action == "update":
            uin = str(case.identity["UIN"])
            if case.identity.get("declaredAsDeceased") == "Y":
                self._identities.declare_deceased(uin)
            return uin
        return None
