"""What a number of the balance counts, written once: the number and the list behind it read the same lines of SQL.

The lines speak of an application as ``a``.
"""

from __future__ import annotations

from mosip_crvs.model import ApplicationState

NOT_TRIED = "NOT_TRIED"
"""Why an application is held that no call was made for yet."""

SYNC_AGAIN = "run the sync of that day again"
"""What to do about registrations that stand in the registry and were never read."""

TERMS: dict[str, tuple[ApplicationState, ...]] = {
    "held": (ApplicationState.AID_ASSIGNED,),
    "completed": (ApplicationState.COMPLETED,),
    "rejected": (ApplicationState.REJECTED,),
    "failed": (ApplicationState.FAILED, ApplicationState.HALF_CREATED),
    "awaiting": (ApplicationState.AWAITING_INFO,),
    "in_progress": (ApplicationState.TRIGGERING, ApplicationState.TRIGGERED, ApplicationState.HALF_CREATED),
    "known": (ApplicationState.WITHDRAWN,),
}
"""The terms of applications, and the states that may stand in each. :data:`TERM_OF` decides."""

SENT_TERMS = ("completed", "rejected", "failed", "awaiting", "in_progress")
"""The terms whose sum is what was submitted."""

OPEN_TERMS = ("awaiting", "in_progress")
"""The terms of what was submitted and is not settled."""

TERM_OF = """
    CASE a.state
        WHEN 'AID_ASSIGNED' THEN 'held'
        WHEN 'HALF_CREATED' THEN CASE WHEN a.superseded_by IS NULL THEN 'in_progress' ELSE 'failed' END
        WHEN 'AWAITING_INFO' THEN 'awaiting'
        WHEN 'FAILED' THEN 'failed'
        WHEN 'REJECTED' THEN 'rejected'
        WHEN 'COMPLETED' THEN 'completed'
        WHEN 'WITHDRAWN' THEN 'known'
        ELSE 'in_progress'
    END
"""

# A superseded application stays in the term of its own batch. Only when its successor was claimed in the same batch
# are there two for one reading, and the current one stands for both.
COUNTED = """
    (a.is_current OR NOT EXISTS (
        SELECT 1 FROM applications c
         WHERE c.is_current AND c.kind = a.kind AND c.registration_id = a.registration_id AND c.act = a.act
           AND c.act_number = a.act_number AND c.batch_id = a.batch_id))
"""

CENTER_OF = "left(a.aid, 5)"

REASONS: dict[str, str] = {
    "ANSWER_UNKNOWN": "the trigger was sent and its answer never came",
    "HALF_CREATED": "MOSIP noted it and never began it",
    "AWAITING_INFO": "MOSIP waits for information",
    "MOSIP_WORKING": "MOSIP says that it works on it",
    "UPLOAD_PENDING": "MOSIP has noted it and not begun",
    "UNKNOWN_TO_MOSIP": "MOSIP, asked, does not know it",
    "STATUS_REFUSED": "MOSIP cannot say: registration.processor.main-processes lacks the CRVS processes",
    "POLLING_FORBIDDEN": "our client may not ask for the status",
    "NOT_ANSWERED": "MOSIP was asked and left it out of its answer",
    "NOT_ASKED_YET": "sent, and not asked about yet",
}
"""Why something that was submitted is not settled. Silence is never a failure, so each has a name for it."""

REASON_OF = f"""
    CASE a.state
        WHEN 'AID_ASSIGNED' THEN coalesce(a.held_code, '{NOT_TRIED}')
        WHEN 'TRIGGERING' THEN 'ANSWER_UNKNOWN'
        WHEN 'HALF_CREATED' THEN 'HALF_CREATED'
        WHEN 'AWAITING_INFO' THEN 'AWAITING_INFO'
        WHEN 'TRIGGERED' THEN CASE
            WHEN a.last_status IN ('NOT_FOUND', 'RPR-RGS-031') THEN 'UNKNOWN_TO_MOSIP'
            WHEN a.last_status = 'UPLOAD_PENDING' THEN 'UPLOAD_PENDING'
            WHEN a.last_status IN ('RPR-RGS-018', 'POISONED') THEN 'STATUS_REFUSED'
            WHEN nullif(a.last_status, '') IS NOT NULL THEN 'MOSIP_WORKING'
            WHEN a.last_polled_at IS NOT NULL OR a.polls > 0 THEN 'NOT_ANSWERED'
            WHEN (SELECT p.verdict FROM pollings p WHERE p.call = 'externalstatus'
                   ORDER BY p.taken_at DESC, p.polling_id DESC LIMIT 1) = 'forbidden' THEN 'POLLING_FORBIDDEN'
            ELSE 'NOT_ASKED_YET' END
    END
"""  # noqa: S608 (constants of this file)

AGES: dict[str, str] = {
    "15m": "less than 15 minutes",
    "4h": "less than 4 hours",
    "24h": "less than 24 hours",
    "72h": "less than 72 hours",
    "7d": "less than 7 days",
    "older": "7 days and more",
}
"""How long ago something was submitted (``mosip-events.md`` §4.5), youngest first."""

AGE_OF = """
    CASE
        WHEN now() - coalesce(a.triggering_at, a.claimed_at) < interval '15 minutes' THEN '15m'
        WHEN now() - coalesce(a.triggering_at, a.claimed_at) < interval '4 hours' THEN '4h'
        WHEN now() - coalesce(a.triggering_at, a.claimed_at) < interval '24 hours' THEN '24h'
        WHEN now() - coalesce(a.triggering_at, a.claimed_at) < interval '72 hours' THEN '72h'
        WHEN now() - coalesce(a.triggering_at, a.claimed_at) < interval '7 days' THEN '7d'
        ELSE 'older'
    END
"""
