"""Endpoints: what is filled into a path stays in its place, and what changes MOSIP cannot be taken for a reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mosip_servers import FarSide, said

from mosip_crvs.errors import StopTheRun
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import ReadingDoor
from mosip_crvs.mosip.endpoints import BANNED, PROBES, READING_POSTS, Probe, Read, Write
from mosip_crvs.mosip.masterdata import USER_AT

PLACE = Read("GET", "/users/{officer}/at/{moment}?id={officer}")


@pytest.mark.parametrize(
    ("given_part", "sent"),
    [
        ("crvs", "crvs"),
        ("a/b", "a%2Fb"),
        ("a?b=c&d", "a%3Fb%3Dc%26d"),
        ("a b#c", "a%20b%23c"),
        ("100%", "100%25"),
        ("../up", "..%2Fup"),
        ("état", "%C3%A9tat"),
        ("{moment}", "%7Bmoment%7D"),
    ],
)
def test_a_part_cannot_leave_its_place(far_side: FarSide, given_part: str, sent: str) -> None:
    far_side.say(said({"response": []}))
    ReadingDoor(SingleCalls(far_side.url), None).ask(PLACE, officer=given_part, moment="now")
    assert far_side.asked[0].path == f"/users/{sent}/at/now?id={sent}"


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_a_part_that_is_no_place_is_refused(part: str) -> None:
    with pytest.raises(StopTheRun, match=r"the officer .* cannot be part of an address at MOSIP"):
        USER_AT.path(officer=part, moment="2024-01-01T00:00:00.000Z")


@given(part=st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_any_other_part_leaves_the_path_as_long_as_it_is(part: str) -> None:
    try:
        part.encode()
    except UnicodeEncodeError:
        return  # half of a character is nobody's id
    path = Read("GET", "/a/{part}/b").path(part=part)
    assert path.count("/") == 3
    assert not set(path) & set("?#& ")


@pytest.mark.parametrize("prefix", ["", "/auth", "/a/b"])
def test_a_prefix_is_a_path(prefix: str) -> None:
    assert Read("GET", "{prefix}/realms/{realm}").path(prefix=prefix, realm="mosip") == f"{prefix}/realms/mosip"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_is_no_reading(method: str) -> None:
    with pytest.raises(ValueError, match="is no reading"):
        Read(method, "/v1/masterdata/machines")


@pytest.mark.parametrize("path", sorted(READING_POSTS))
def test_a_search_is_a_reading_by_post_alone(path: str) -> None:
    Read("POST", path)
    with pytest.raises(ValueError, match="is no reading"):
        Read("PUT", path)
    with pytest.raises(ValueError, match="is no reading"):
        Read("POST", path + "/other")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/keymanager/getCertificate?applicationId=REGISTRATION",
        "/v1/keymanager/GETCERTIFICATE",
        "/v1/ridgenerator/generate/rid/{center}/{machine}",
        "/v1/partnermanager/misps/{id}/licenseKey",
    ],
)
def test_a_get_that_changes_something_is_no_reading(path: str) -> None:
    with pytest.raises(ValueError, match="is no reading"):
        Read("GET", path)


def test_the_harmless_neighbours_of_what_is_banned_are_readings() -> None:
    Read("GET", "/v1/keymanager/getAllCertificates?applicationId={application}")
    Read("GET", "/v1/partnermanager/misps")
    assert all(reason for reason in BANNED.values())


def test_only_known_calls_are_probes() -> None:
    for call in PROBES:
        Probe(*call.split(" ", 1))
    with pytest.raises(ValueError, match="is not known to be refused"):
        Probe("POST", "/v1/masterdata/machines")
    Write("POST", "/v1/masterdata/machines")
