"""What MOSIP's codes mean to a registrar: one plain sentence or two for each (``mosip-packets.md`` §6.3, §7). Pure.

MOSIP takes no correction of a failed application: after a correction the registration is sent as a new application,
or an operator of MOSIP resumes the old one once the cause is gone.
"""

from __future__ import annotations

import re

GENERAL = (
    "MOSIP stopped the application and gave a reason that is not known here. "
    "Ask MOSIP's operators, and give them the application number and the code."
)
"""For every code that nobody listed."""

OUTCOMES: dict[str, str] = {
    "COMPLETED": "MOSIP has finished the application. Nothing needs to be done.",
    "PACKET_REJECTED": (
        "MOSIP decided against the application, most often because a person with the same data is known already. "
        "Check whether this person was registered before."
    ),
    "PACKET_FAILED": (
        "MOSIP could not finish the application: a check failed. Look at the stage that failed for the reason, and "
        "correct the registration or the set-up it names."
    ),
    "AWAITING_INFO": (
        "MOSIP waits for more information about this registration. Ask MOSIP's operators what is missing; "
        "the application goes on when it has been given."
    ),
    "HALF_CREATED": (
        "MOSIP noted the application but never began to work on it. "
        "Nothing needs to be done: the registration is sent again by itself, as a new application."
    ),
    "REVOKED_SUCCESS": (
        "MOSIP had finished the application and has since taken the identity back, or refuses it. "
        "Ask MOSIP's operators whether it holds, and do not amend the record: it is not sent again."
    ),
}
"""What became of an application."""

_OFFICER = "the registration officer"
_SUPERVISOR = "the supervisor"
_MOSIP_SIDE = "Nothing in the registration is wrong. "
_TRY_AGAIN = "MOSIP tries again by itself; if it stays so, tell MOSIP's operators."


def _person(who: str, module: str) -> dict[str, str]:
    """Give the sentences of operator and supervisor validation, which are alike."""
    renew = "Nothing in the registration is wrong: have the account put right in MOSIP and the application sent anew."
    return {
        f"RPR-{module}-FAILED-001": f"The account of {who} that sends the registrations is not active. {renew}",
        f"RPR-{module}-FAILED-002": (
            "The packet does not say when it was created. " + _MOSIP_SIDE + "Tell those who run the transfer to MOSIP."
        ),
        f"RPR-{module}-FAILED-003": f"MOSIP does not take the sign-in of {who} as confirmed. {renew}",
        f"RPR-{module}-FAILED-004": f"The account of {who} was not active when the packet was created. {renew}",
    }


EXPLANATIONS: dict[str, str] = {
    # Packet validator
    "RPR-PKV-FAILED-001": (
        "A file of the packet is missing or damaged. "
        + _MOSIP_SIDE
        + "Have the registration sent as a new application."
    ),
    "RPR-PKV-FAILED-002": (
        "The data do not follow MOSIP's ID schema. Check names, dates and codes of the registration, correct them, and "
        "have it sent as a new application."
    ),
    "RPR-PKV-FAILED-003": (
        "The packet changed on its way. " + _MOSIP_SIDE + "Have the registration sent as a new application."
    ),
    "RPR-PKV-FAILED-006": (
        "A code, such as a place or a gender, is not in MOSIP's lists. Correct it in the registration, or have it "
        "added to MOSIP's lists."
    ),
    "RPR-PKV-FAILED-008": (
        "MOSIP knows no person with this UIN. Find the right UIN and correct it in the registration."
    ),
    "RPR-PKV-FAILED-009": (
        "A required field is empty. Fill it in the registration and have it sent as a new application."
    ),
    "RPR-PKV-FAILED-010": (
        "MOSIP has this application number for another kind of application. Tell those who run the transfer to MOSIP."
    ),
    "RPR-PKV-FAILED-011": (
        "The packet says that the supervisor rejected the registration. Check the registration with the supervisor."
    ),
    "RPR-PKV-FAILED-012": (
        "MOSIP found data that it cannot accept. Check names, dates and codes of the registration, correct them, and "
        "have it sent as a new application."
    ),
    "RPR-PKV-FAILED-014": "MOSIP could not read the packet from its store. " + _MOSIP_SIDE + _TRY_AGAIN,
    "RPR-PKV-FAILED-017": (
        "The registration says that the informant did not consent. Ask the informant and correct the entry."
    ),
    "RPR-PKV-FAILED-018": (
        "MOSIP cannot read the packet, and trying again does not help. "
        + _MOSIP_SIDE
        + "Have the registration sent as a new application."
    ),
    # Centre and machine
    "RPR-CMD-FAILED-002": (
        "MOSIP does not know the registration centre. " + _MOSIP_SIDE + "The centre must be set up in MOSIP."
    ),
    "RPR-CMD-FAILED-003": (
        "The registration centre was not active on the day the packet was created. "
        + _MOSIP_SIDE
        + "Have the centre activated in MOSIP and the registration sent as a new application."
    ),
    "RPR-CMD-FAILED-004": (
        "MOSIP does not know the machine that sends the registrations. " + _MOSIP_SIDE + "It must be set up in MOSIP."
    ),
    "RPR-CMD-FAILED-005": (
        "The machine that sends the registrations was not active on the day the packet was created. "
        + _MOSIP_SIDE
        + "Have it activated in MOSIP and the registration sent as a new application."
    ),
    "RPR-CMD-FAILED-010": (
        "The packet was created on a holiday of the centre, and MOSIP refuses those. "
        + _MOSIP_SIDE
        + "Have it sent as a new application on a working day."
    ),
    "RPR-CMD-FAILED-011": (
        "MOSIP could not find out whether the centre was open when the packet was created. " + _MOSIP_SIDE + _TRY_AGAIN
    ),
    "RPR-CMD-FAILED-012": "MOSIP could not look the machine up. " + _MOSIP_SIDE + _TRY_AGAIN,
    "RPR-CMD-FAILED-013": "MOSIP could not look the registration centre up. " + _MOSIP_SIDE + _TRY_AGAIN,
    "RPR-CMD-FAILED-014": (
        "MOSIP's check of centre and machine failed without a closer reason. "
        + _MOSIP_SIDE
        + "Tell MOSIP's operators the application number."
    ),
    "RPR-CMD-FAILED-015": (
        "MOSIP has no entry of the machine for the day the packet was created. "
        + _MOSIP_SIDE
        + "The machine must be set up in MOSIP."
    ),
    "RPR-CMD-FAILED-019": (
        "MOSIP's own languages are not configured for the check of centre and machine. "
        + _MOSIP_SIDE
        + "Tell MOSIP's operators."
    ),
    # Officer and supervisor
    **_person(_OFFICER, "OVM"),
    "RPR-OVM-FAILED-005": (
        "The packet names no registration officer. " + _MOSIP_SIDE + "Tell those who run the transfer to MOSIP."
    ),
    "RPR-OVM-FAILED-006": (
        "The packet names no supervisor. " + _MOSIP_SIDE + "Tell those who run the transfer to MOSIP."
    ),
    **_person(_SUPERVISOR, "SVM"),
    "RPR-SVM-FAILED-005": (
        "MOSIP does not take the supervisor's password or one-time code as confirmed. "
        + _MOSIP_SIDE
        + "Tell those who run the transfer to MOSIP."
    ),
    # Comparison of the data with those of other persons
    "RPR-DDP-SKIPPED-003": "MOSIP compared no data with those of other persons: for infants it never does.",
    "RPR-DDP-FAILED-001": (
        "MOSIP holds the person for one that it knows already. Check whether this person was registered before."
    ),
    "RPR-DDP-FAILED-002": (
        "Another person has the same name and date of birth in MOSIP. If it is another child, such as a twin, "
        "ask MOSIP's operators to decide; if not, remove the second registration."
    ),
    # National ID
    "RPR-UIN-FAILED-001": "The UIN is in use already. Check whether the registration names the right UIN.",
    "RPR-UIN-FAILED-002": "MOSIP could not activate the UIN. Ask MOSIP's operators, with the application number.",
    "RPR-UIN-FAILED-003": "The UIN was deactivated before. Check whether the registration names the right UIN.",
    "RPR-UIN-FAILED-004": (
        "MOSIP could not create a UIN. "
        "Check that a birth names no UIN of the child; otherwise ask MOSIP's operators to resume the application."
    ),
    "RPR-UIN-FAILED-005": (
        "MOSIP could not change the person's data. Check that the UIN of the deceased is right; "
        "otherwise ask MOSIP's operators to resume the application."
    ),
    "RPR-UIN-FAILED-006": "MOSIP could not activate the UIN again. Ask MOSIP's operators.",
    "RPR-UIN-FAILED-007": "MOSIP could not deactivate the UIN. Ask MOSIP's operators.",
    "RPR-UIN-FAILED-008": (
        "MOSIP could not write the person's data, or found no person with this UIN. Check the UIN of the deceased; "
        "for a birth ask MOSIP's operators."
    ),
    "RPR-UIN-FAILED-009": "MOSIP could not write the person's data for the moment. " + _MOSIP_SIDE + _TRY_AGAIN,
    "RPR-UIN-SUCCESS-001": "MOSIP has created a UIN. Nothing needs to be done.",
    "RPR-UIN-SUCCESS-002": "MOSIP has taken the new data of the person. Nothing needs to be done.",
    "RPR-UIN-SUCCESS-003": "MOSIP has activated the UIN. Nothing needs to be done.",
    "RPR-UIN-SUCCESS-004": "MOSIP has deactivated the UIN. Nothing needs to be done.",
    # Retries
    "RPR-RPS-FAILED-001": (
        "MOSIP tried the application as often as it may and gave up. "
        + _MOSIP_SIDE
        + "Ask MOSIP's operators to resume it once the cause is gone."
    ),
    "RPR-SYS-EXCEPTION-001": "A part of MOSIP was out of order. " + _MOSIP_SIDE + _TRY_AGAIN,
}
"""By sub-status code."""

STAGES: dict[str, str] = {
    "PKV": "MOSIP found fault with the packet. Check the registration's data and ask MOSIP's operators why.",
    "PKC": "MOSIP could not tell which kind of person this is. Check date of birth and age in the registration.",
    "CMD": "MOSIP found fault with the registration centre or the machine. " + _MOSIP_SIDE + "Tell MOSIP's operators.",
    "OVM": "MOSIP found fault with the officer's account. " + _MOSIP_SIDE + "Tell those who run the transfer to MOSIP.",
    "SVM": "MOSIP found fault with the supervisor's account. "
    + _MOSIP_SIDE
    + "Tell those who run the transfer to MOSIP.",
    "IVM": "MOSIP found fault with the introducer. Check the parent's or guardian's data in the registration.",
    "DDP": "MOSIP found a person with similar data. Check whether this person was registered before.",
    "BDP": "MOSIP found a person with similar biometrics. Check whether this person was registered before.",
    "MNV": "An officer of MOSIP found the person to be known already. Check whether this person was registered before.",
    "UIN": "MOSIP could not create or change the UIN. Ask MOSIP's operators, and give them the application number.",
    "FIN": "MOSIP could not put the new data into force. " + _MOSIP_SIDE + "Ask MOSIP's operators to resume it.",
}
"""By the stage in a failed code, for codes of a stage that nobody listed."""

_STAGE = re.compile(r"RPR-([A-Z]{3})-?FAILED-")


def explain(code: str | None) -> str:
    """Say what a code means and what a registrar can do.

    :param code: a sub-status code, or a key of :data:`OUTCOMES`.
    """
    known = EXPLANATIONS.get(code or "") or OUTCOMES.get(code or "")
    if known is not None:
        return known
    stage = _STAGE.match(code or "")
    return STAGES.get(stage[1], GENERAL) if stage else GENERAL
