"""Every answer of MOSIP and what to do about it: one table (``mosip-packets.md`` §1.6, §3.2, §4.4, §4.6, §10.4;
``mosip-events.md`` §2.5, §4.3; ``mosip-onboarding.md``).

MOSIP answers HTTP 200 for most errors, so the code decides and not the status. A code that is not in the table is
judged by its family, and then by the status; what nobody knows is for an operator.
"""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What the caller does about an answer."""

    RETRY = "retry"
    """Passing: the same call again, later."""
    ALREADY_DONE = "already_done"
    """An earlier call had succeeded."""
    FIX_DATA = "fix_data"
    """This application cannot succeed as it is; others can."""
    STOP = "stop"
    """The set-up is wrong: no call will succeed."""
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 (the name of an action)
    """Get a new token once, then treat it as STOP."""
    OPERATOR = "operator"
    """MOSIP does not say why: retry a little, then a person must look."""
    ABSENT = "absent"
    """What was asked for does not exist (yet)."""


ACTIONS: dict[str, Action] = {
    # Trigger
    "RPR-WIS-001": Action.ALREADY_DONE,
    "RPR-WIS-000": Action.OPERATOR,
    "RPR-WIN-000": Action.STOP,
    "RPR-WIN-001": Action.STOP,
    "RPR-WIN-002": Action.STOP,
    # createPacket
    "KER-PUT-006": Action.STOP,
    "KER-PUT-025": Action.STOP,
    "KER-KPM-008": Action.STOP,
    "KER-KPM-007": Action.FIX_DATA,
    "KER-PUT-028": Action.OPERATOR,
    # Key manager, as its errors surface
    "KER-CRY-011": Action.STOP,
    "KER-KMS-002": Action.STOP,
    "KER-KMS-010": Action.STOP,
    # Authentication
    "KER-ATH-401": Action.REFRESH_TOKEN,
    "KER-ATH-402": Action.REFRESH_TOKEN,
    "KER-ATH-403": Action.STOP,
    "KER-ATH-006": Action.REFRESH_TOKEN,
    "KER-ATH-007": Action.REFRESH_TOKEN,
    "KER-ATH-002": Action.RETRY,
    "KER-ATH-021": Action.RETRY,
    "RPR-AUT-01": Action.REFRESH_TOKEN,
    "RPR-AUT-02": Action.STOP,
    "RPR-AUT-03": Action.REFRESH_TOKEN,
    # Status calls
    "RPR-RGS-001": Action.RETRY,
    "RPR-RGS-002": Action.RETRY,
    "RPR-RGS-016": Action.STOP,  # the request's shape
    "RPR-RGS-017": Action.STOP,
    "RPR-RGS-018": Action.OPERATOR,  # an AID whose process is no main process, or any fault at all
    "RPR-RGS-019": Action.STOP,  # version, time or id missing
    "RPR-RGS-020": Action.STOP,
    "RPR-RGS-021": Action.STOP,
    "RPR-RGS-022": Action.STOP,  # version, time or id wrong; the time when a clock is hours off
    "RPR-RGS-023": Action.STOP,
    "RPR-RGS-024": Action.STOP,
    "RPR-RGS-030": Action.RETRY,
    "RPR-RGS-031": Action.ABSENT,  # no such AID
    "RPR-RTS-001": Action.ABSENT,  # no transactions of such an AID
    "RPR-RTS-002": Action.OPERATOR,
    "RPR-RTS-003": Action.STOP,
    "RPR-RPN-001": Action.ABSENT,  # the same in older releases
    "RPR-SYS-018": Action.RETRY,
    # Credential requests
    "IDR-CRG-001": Action.RETRY,  # its database
    "IDR-CRG-002": Action.RETRY,  # a service behind it
    "IDR-CRG-003": Action.ABSENT,  # no such request
    "IDR-CRG-004": Action.OPERATOR,  # issued already, and in older releases any fault at all
    "IDR-CRG-005": Action.OPERATOR,
    "IDR-CRG-006": Action.OPERATOR,
    "IDR-CRG-007": Action.OPERATOR,  # it has given up retrying
    "IDR-CRG-009": Action.ABSENT,
    # Data share
    "DAT-SER-002": Action.RETRY,  # a service behind it
    "DAT-SER-003": Action.ABSENT,  # the file behind the link is gone
    "DAT-SER-006": Action.ABSENT,  # the link is used up; in older releases also unknown
    "DAT-SER-007": Action.RETRY,  # it could not read the policy
    "DAT-SER-008": Action.ABSENT,  # no such link
    # Onboarding (mosip-onboarding.md): what was done before, and what is not there
    "KER-USR-018": Action.ALREADY_DONE,
    "KER-USR-013": Action.ALREADY_DONE,
    "KER-PCM-003": Action.ALREADY_DONE,
    "PMS_POL_014": Action.ALREADY_DONE,
    "PMS_POL_009": Action.ALREADY_DONE,
    "PMS_POL_020": Action.ALREADY_DONE,
    "PMS_PRT_051": Action.ALREADY_DONE,
    "PMS_PRT_053": Action.ALREADY_DONE,
    "PMS_PRT_060": Action.ALREADY_DONE,
    "PMS_PM_034": Action.ALREADY_DONE,
    "PMS_ESI_001": Action.ALREADY_DONE,
    "duplicate_client_id": Action.ALREADY_DONE,
    "duplicate_public_key": Action.ALREADY_DONE,
    "KER-MSD-215": Action.ABSENT,
    "KER-MSD-041": Action.STOP,
    "KER-SCH-007": Action.ABSENT,
    "KER-USR-007": Action.ABSENT,
    "KER-USR-017": Action.ABSENT,
    "KER-USR-019": Action.ABSENT,
    "PMS_PRT_005": Action.ABSENT,
    "PMS_PRT_006": Action.ABSENT,
    "PMS_PRT_064": Action.ABSENT,
    # Our own names for answers that carry no code
    "NO_ANSWER": Action.RETRY,
    "TIMED_OUT": Action.RETRY,
    "REPLY_UNREADABLE": Action.RETRY,
    "RESPONSE_NULL": Action.RETRY,
    "PACKET_WITHOUT_ID": Action.RETRY,
}

FAMILIES: tuple[tuple[str, Action], ...] = (
    ("KER-KPM-", Action.RETRY),
    ("KER-PUT-", Action.RETRY),
    ("KER-CRY-", Action.RETRY),
    ("KER-KMS-", Action.RETRY),
    ("KER-MSD-", Action.STOP),
    ("KER-USR-", Action.STOP),
    ("KER-SCH-", Action.STOP),
    ("KER-PCM-", Action.STOP),
    ("KER-PMS-", Action.STOP),
    ("ADM-MSD-", Action.STOP),
    ("PMS_", Action.STOP),
    ("KER-ATH-", Action.STOP),
    ("RPR-WIN-", Action.STOP),
    ("RPR-SYS-", Action.RETRY),
    ("DAT-SER-", Action.RETRY),
)

_BY_STATUS: dict[int, Action] = {
    400: Action.FIX_DATA,
    401: Action.REFRESH_TOKEN,
    403: Action.STOP,
    404: Action.STOP,
    405: Action.STOP,
    408: Action.RETRY,
    413: Action.FIX_DATA,
    415: Action.STOP,
    429: Action.RETRY,
}


def action_for(status: int, code: str | None) -> Action:
    """Say what to do about an answer.

    :param status: its HTTP status; 0 when there was none.
    :param code: its first ``errorCode``, or one of our own names.
    """
    if code is not None:
        if code in ACTIONS:
            return ACTIONS[code]
        for prefix, action in FAMILIES:
            if code.startswith(prefix):
                return action
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Action.RETRY if status >= 500 or status == 0 else Action.OPERATOR
