"""The table of codes: each code says one thing to do, a family speaks for the codes that nobody listed."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosip_crvs.mosip import codes
from mosip_crvs.mosip.codes import ACTIONS, FAMILIES, Action, action_for

OWN = {"NO_ANSWER", "REPLY_UNREADABLE", "RESPONSE_NULL", "PACKET_WITHOUT_ID"}


@pytest.mark.parametrize("code", sorted(ACTIONS))
@pytest.mark.parametrize("status", [0, 200, 401, 500])
def test_a_listed_code_decides_whatever_the_status(code: str, status: int) -> None:
    assert action_for(status, code) is ACTIONS[code]


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("RPR-WIS-001", Action.ALREADY_DONE),
        ("RPR-WIS-000", Action.OPERATOR),
        ("RPR-WIN-000", Action.STOP),
        ("KER-PUT-006", Action.STOP),
        ("KER-PUT-025", Action.STOP),
        ("KER-PUT-028", Action.OPERATOR),
        ("KER-KPM-007", Action.FIX_DATA),
        ("KER-KPM-008", Action.STOP),
        ("KER-CRY-011", Action.STOP),
        ("KER-ATH-401", Action.REFRESH_TOKEN),
        ("KER-ATH-402", Action.REFRESH_TOKEN),
        ("KER-ATH-403", Action.STOP),
        ("KER-ATH-002", Action.RETRY),
        ("RPR-RGS-018", Action.OPERATOR),
        ("RPR-RGS-023", Action.STOP),
        ("RPR-RGS-031", Action.ABSENT),
        ("RPR-RTS-001", Action.ABSENT),
        ("IDR-CRG-003", Action.ABSENT),
        ("IDR-CRG-004", Action.OPERATOR),
        ("DAT-SER-006", Action.ABSENT),
        ("DAT-SER-008", Action.ABSENT),
        ("NO_ANSWER", Action.RETRY),
        ("RESPONSE_NULL", Action.RETRY),
    ],
)
def test_a_code_asks_for_what_mosips_documents_say(code: str, action: Action) -> None:
    assert action_for(200, code) is action


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("KER-KPM-001", Action.RETRY),
        ("KER-PUT-017", Action.RETRY),
        ("KER-CRY-999", Action.RETRY),
        ("KER-KMS-005", Action.RETRY),
        ("KER-ATH-026", Action.STOP),
        ("RPR-WIN-009", Action.STOP),
        ("RPR-SYS-012", Action.RETRY),
        ("DAT-SER-001", Action.RETRY),
    ],
)
def test_an_unlisted_code_follows_its_family(code: str, action: Action) -> None:
    assert code not in ACTIONS
    assert action_for(200, code) is action


def test_no_code_is_in_two_groups() -> None:
    tree = ast.parse(Path(codes.__file__).read_text(encoding="utf-8"))
    tables = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)
    ]
    assert len(tables) == 2
    for table in tables:
        written = Counter(key.value for key in table.keys if isinstance(key, ast.Constant))
        assert [key for key, times in written.items() if times > 1] == []


def test_no_family_hides_another() -> None:
    prefixes = [prefix for prefix, _ in FAMILIES]
    assert len(set(prefixes)) == len(prefixes)
    assert not any(one != other and one.startswith(other) for one in prefixes for other in prefixes)
    # A family ends where a name ends: partner management writes it with another stroke.
    assert all(prefix.endswith("_" if prefix.startswith("PMS_") else "-") for prefix in prefixes)


@pytest.mark.parametrize("code", [None, "UNHEARD-OF-1", "", "HTTP_200", "ERROR_WITHOUT_CODE"])
@pytest.mark.parametrize(
    ("status", "action"),
    [
        (0, Action.RETRY), (200, Action.OPERATOR), (204, Action.OPERATOR), (302, Action.OPERATOR),
        (400, Action.FIX_DATA), (401, Action.REFRESH_TOKEN), (403, Action.STOP), (404, Action.STOP),
        (405, Action.STOP), (408, Action.RETRY),
        (409, Action.OPERATOR), (413, Action.FIX_DATA), (415, Action.STOP), (422, Action.OPERATOR), (429, Action.RETRY),
        (499, Action.OPERATOR), (500, Action.RETRY), (502, Action.RETRY), (503, Action.RETRY), (504, Action.RETRY),
    ],
)  # fmt: skip
def test_a_code_that_nobody_knows_leaves_it_to_the_status(status: int, action: Action, code: str | None) -> None:
    assert action_for(status, code) is action


@given(status=st.integers(0, 599), code=st.one_of(st.none(), st.text(max_size=20)))
def test_there_is_always_something_to_do(status: int, code: str | None) -> None:
    assert action_for(status, code) in Action


def test_our_own_names_are_not_mosips() -> None:
    assert set(ACTIONS) >= OWN
    assert not any("-" in name for name in OWN)


ONBOARDING = ("KER-USR-", "KER-PCM-", "PMS_", "duplicate_")
"""Families of the services that prerequisites are made with; none of them answers on the way of a packet."""


def test_on_the_way_of_a_packet_only_an_earlier_trigger_counts_as_done() -> None:
    done = [code for code, action in ACTIONS.items() if action is Action.ALREADY_DONE]
    assert [code for code in done if not code.startswith(ONBOARDING)] == ["RPR-WIS-001"]
    assert [prefix for prefix, action in FAMILIES if action is Action.ALREADY_DONE] == []


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("KER-USR-018", Action.ALREADY_DONE),  # the user is in the zone
        ("KER-USR-021", Action.STOP),  # the user is in another zone
        ("KER-PCM-003", Action.ALREADY_DONE),  # the authority is there
        ("KER-PCM-006", Action.STOP),  # no path to an authority
        ("PMS_POL_009", Action.ALREADY_DONE),
        ("PMS_PRT_011", Action.STOP),  # the e-mail address is somebody else's
        ("PMS_PRT_005", Action.ABSENT),
        ("KER-MSD-215", Action.ABSENT),
        ("KER-MSD-414", Action.STOP),
        ("KER-SCH-010", Action.STOP),
        ("PMS_PRT_999", Action.STOP),
    ],
)
def test_an_onboarding_code_asks_for_what_mosips_documents_say(code: str, action: Action) -> None:
    assert action_for(200, code) is action
