"""What the generator promises about the people that it makes up."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from reference_registry import Birth, generate_births, generate_deaths, generate_hostile_births, kinds
from reference_registry.birth_defects import BIRTH_DEFECTS
from reference_registry.deaths import DEATH_DEFECTS
from reference_registry.numbers import LANES, check_digit, uins
from reference_registry.places import places

END_DAY = date(2026, 3, 31)


@pytest.fixture(scope="module")
def births() -> list[Birth]:
    return list(generate_births(20_000, days=7, seed=5, end_day=END_DAY))


def age_when_registered(birth: Birth) -> int:
    born, day = date.fromisoformat(birth.child.birth_date or ""), birth.registration.registered_at.date()
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def test_the_same_seed_gives_the_same_people_and_another_seed_gives_others() -> None:
    def names(seed: int) -> list[tuple[object, ...]]:
        births = generate_births(300, days=3, seed=seed, end_day=END_DAY)
        return [(b.child.given_name, b.child.birth_date, b.registration.registered_at) for b in births]

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_asking_for_more_gives_the_same_births_and_more() -> None:
    few = list(generate_births(40, days=2, seed=1, end_day=END_DAY))
    many = list(generate_births(200, days=2, seed=1, end_day=END_DAY))
    assert set(few) < set(many)


def test_it_makes_as_many_as_asked_and_spreads_them_evenly_over_the_days() -> None:
    births = list(generate_births(1_000, days=7, end_day=END_DAY))
    days = Counter(birth.registration.modified_at.date() for birth in births)
    assert len({b.registration.registration_id for b in births}) == 1_000
    assert sorted(days) == [END_DAY - timedelta(days=n) for n in range(6, -1, -1)]
    assert set(days.values()) == {142, 143}
    assert len(list(generate_deaths(10, days=30, end_day=END_DAY))) == 10


def test_offices_work_from_eight_to_five_in_their_own_time_zone() -> None:
    for birth in generate_births(2_000, days=3, end_day=END_DAY, time_zone="Africa/Addis_Ababa"):
        for moment in birth.registration.registered_at, birth.registration.modified_at:
            assert 8 <= moment.astimezone(ZoneInfo("Africa/Addis_Ababa")).hour < 17
        assert birth.registration.registered_at <= birth.registration.modified_at
        assert birth.registration.registered_at.date() == birth.registration.modified_at.date()


def test_every_kind_of_birth_comes_up_in_about_its_share(births: list[Birth]) -> None:
    found = Counter(birth.kind for birth in births)
    assert set(found) == (set(kinds.BIRTHS) - {kinds.BIRTH_BAD}) | set(BIRTH_DEFECTS)
    assert 0.005 < sum(found[kind] for kind in BIRTH_DEFECTS) / len(births) < 0.015
    assert 0.005 < (found[kinds.OVER_FIVE] + found[kinds.JUST_SIX]) / len(births) < 0.015


def test_every_kind_of_death_comes_up() -> None:
    found = Counter(death.kind for death in generate_deaths(10_000, days=7, end_day=END_DAY))
    assert set(found) == (set(kinds.DEATHS) - {kinds.DEATH_BAD}) | set(DEATH_DEFECTS)
    assert 0.01 < found[kinds.DEATH_VID_ONLY] / 10_000 < 0.03
    assert 0.01 < found[kinds.DEATH_NO_NUMBER] / 10_000 < 0.03


def test_a_childs_age_is_what_its_kind_says(births: list[Birth]) -> None:
    ages: defaultdict[str, set[int]] = defaultdict(set)
    for birth in births:
        if birth.kind not in BIRTH_DEFECTS:
            ages[birth.kind].add(age_when_registered(birth))
    assert ages.pop(kinds.OVER_FIVE) <= set(range(7, 18))
    assert ages.pop(kinds.NEARLY_SIX) == {5}
    assert ages.pop(kinds.JUST_SIX) == {6}
    assert ages.pop(kinds.LATE) <= {1, 2, 3, 4}
    assert set().union(*ages.values()) == {0}


def test_the_shares_of_a_table_of_kinds_add_up_to_one() -> None:
    for table in (kinds.BIRTHS, kinds.DEATHS):
        assert sum(case.share for case in table.values()) == pytest.approx(1)


def test_twins_are_two_children_of_one_mother_born_on_one_day(births: list[Birth]) -> None:
    for kind in (kinds.TWIN, kinds.TWIN_ONE_LETTER):
        by_mother: defaultdict[str, list[Birth]] = defaultdict(list)
        for birth in births:
            if birth.kind == kind:
                by_mother[birth.mother.person_id].append(birth)
        pairs = [pair for pair in by_mother.values() if len(pair) == 2]
        assert len(pairs) >= len(by_mother) - 7  # a day may end between the two
        for one, other in pairs:
            assert one.child.person_id != other.child.person_id
            assert one.registration.registration_id != other.registration.registration_id
            assert one.child.birth_date == other.child.birth_date
            assert {one.registration.birth_order, other.registration.birth_order} == {1, 2}
            names = one.child.given_name or "", other.child.given_name or ""
            assert names[0] != names[1]
            if kind == kinds.TWIN_ONE_LETTER:
                assert sum(a != b for a, b in zip(*names, strict=True)) == 1


def test_names_vary_and_come_in_three_scripts(births: list[Birth]) -> None:
    names = {(birth.child.given_name, birth.child.family_name) for birth in births}
    assert len(names) > 2_000
    scripts = {"ara": "[\u0600-\u06ff]", "amh": "[\u1200-\u137f]", "hin": "[\u0900-\u097f]"}
    for language, letters in scripts.items():
        people = [b.child for b in births if b.child.local_language == language]
        assert len(people) > 1_000
        assert all(re.fullmatch(f"({letters}| )+", f"{p.given_name_local}{p.family_name_local}") for p in people)


def test_clean_only_gives_nothing_but_what_mosip_may_be_sent() -> None:
    codes = {place.code for place in places()}
    for birth in generate_births(3_000, days=2, end_day=END_DAY, clean_only=True):
        assert kinds.BIRTHS[birth.kind].expected is kinds.Expected.ELIGIBLE
        assert age_when_registered(birth) < 5
        assert birth.child.uin is None
        assert birth.child.gender in ("M", "F", "U")
        assert re.fullmatch("[A-Za-z][A-Za-z '-]{1,40}", f"{birth.child.given_name} {birth.child.family_name}")
        row = birth.registration
        assert row.residence_place_code in codes
        assert row.residence_address_line1
        assert row.informant_phone is None or re.fullmatch("[0-9]{10}", row.informant_phone)
        assert row.informant_email is None or re.fullmatch(r"[a-z.]+[0-9]+@example\.org", row.informant_email)
        assert row.informant_info_token is None
    for death in generate_deaths(1_000, days=2, end_day=END_DAY, clean_only=True):
        assert death.deceased.uin
        assert (death.deceased.birth_date or "") <= (death.registration.death_date or "") <= END_DAY.isoformat()


def test_hostile_births_go_through_every_fault_in_turn_and_never_give_a_sound_one() -> None:
    assert len(BIRTH_DEFECTS) >= 20
    found = Counter(b.kind for b in generate_hostile_births(2 * len(BIRTH_DEFECTS), days=5, end_day=END_DAY))
    assert found == dict.fromkeys(BIRTH_DEFECTS, 2)


def test_a_fault_is_the_only_difference_between_a_bad_birth_and_a_sound_one() -> None:
    for birth in generate_hostile_births(len(BIRTH_DEFECTS), end_day=END_DAY):
        if birth.kind.startswith(("birth.phone", "birth.email", "birth.place")):
            assert birth.child.given_name
            assert birth.child.uin is None
            date.fromisoformat(birth.child.birth_date or "")
        else:
            assert re.fullmatch("[0-9]{10}", birth.registration.informant_phone or "")


def test_uins_carry_their_check_digit_and_are_never_given_twice() -> None:
    assert check_digit("236") == "3"
    seen: set[str] = set()
    for lane in LANES:
        for ago in range(3):
            drawn = list(islice(uins(1, END_DAY - timedelta(days=ago), lane), 2_000))
            assert all(re.fullmatch("[2-9][0-9]{9}", n) and check_digit(n[:9]) == n[9] for n in drawn)
            assert seen.isdisjoint(drawn)
            seen.update(drawn)


def test_a_death_has_a_uin_a_vid_or_neither_as_its_kind_says() -> None:
    for death in generate_deaths(5_000, end_day=END_DAY):
        if death.kind == kinds.DEATH_VID_ONLY:
            assert death.deceased.uin is None
            assert re.fullmatch("[0-9]{16}", death.deceased.vid or "")
        elif death.kind == kinds.DEATH_NO_NUMBER:
            assert (death.deceased.uin, death.deceased.vid) == (None, None)
        else:
            assert death.deceased.uin
