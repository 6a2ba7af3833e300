"""Property files: what Spring would read out of them, and lines that keep what was there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosip_crvs.onboarding.properties import Environment, parse, split


def environment(*sources: str) -> Environment:
    """Several files, the one that is asked first in front."""
    return Environment({f"file-{number}": parse(f"file-{number}", text) for number, text in enumerate(sources)})


@pytest.mark.parametrize(
    ("source", "key", "value"),
    [
        ("a=b", "a", "b"),
        ("a: b", "a", "b"),
        ("a b", "a", "b"),
        ("  a  =  b c", "a", "b c"),
        ("a=", "a", ""),
        ("a", "a", ""),
        ("a=b=c:d", "a", "b=c:d"),
        ("a=1\na=2", "a", "2"),
        ("#a=0\n! a=0\na=1\n  # a=2", "a", "1"),
        ("a=b,\\\n    c,\\\r\n\td", "a", "b,c,d"),
        ("a=b\\\\\nc=d", "a", "b\\"),  # an escaped backslash continues nothing
        ("a=b\\\n# no comment", "a", "b# no comment"),
        ("a=b\\", "a", "b"),
        ("a=caf\\u00e9\\tx\\/y", "a", "café\tx/y"),
        ("a\\ b\\:c=d", "a b:c", "d"),
        ("a=\\\n\nb=1", "a", ""),
    ],
)
def test_a_line_is_read_as_java_reads_it(source: str, key: str, value: str) -> None:
    assert parse("x", source)[key].value == value


def test_a_malformed_escape_spoils_the_file_as_it_does_in_spring_and_is_told_without_the_value() -> None:
    with pytest.raises(ValueError, match=r"^line 2 has a malformed \\u escape$"):
        parse("x", "a=1\nsecret=\\u12G4hush")


def test_the_line_number_is_where_a_continued_value_begins() -> None:
    assert parse("x", "# first\n\na=b,\\\n  c\nd=e")["d"].place == "x:5"
    assert parse("x", "# first\n\na=b,\\\n  c\nd=e")["a"].place == "x:3"


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("${known}", "yes"),
        ("x ${known} y ${known}", "x yes y yes"),
        ("${unknown:other}", "other"),
        ("${unknown:}", ""),
        ("${unknown}", "${unknown}"),
        ("${known:other}", "yes"),
        ("${unknown:${known}}", "yes"),
        ("${${pointer}}", "yes"),
        ("${unknown:a:b}", "a:b"),
        ("${open", "${open"),
        ("{'A':'B'}", "{'A':'B'}"),
        ("${elsewhere}", "from the other file"),
    ],
)
def test_references_are_followed_through_all_files(value: str, resolved: str) -> None:
    seen = environment(f"key={value}\nknown=yes\npointer=known", "elsewhere=from the other file\nknown=no")
    assert seen.value("key") == resolved


def test_references_in_a_circle_end() -> None:
    assert "${" in (environment("a=${b}\nb=${a}").value("a") or "")
    assert environment("a=${b}\nb=${a}").extension("a", ["x"]).text == "a=x"


def test_the_first_file_wins() -> None:
    assert environment("a=1", "a=2\nb=2").value("a") == "1"
    assert environment("a=1", "a=2\nb=2").value("b") == "2"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("k=a,b", "k=a,b,new"),
        ("k=a,b,", "k=a,b,new"),
        ("k=", "k=new"),
        ("k=source:A\\/process:B", "k=source:A\\/process:B,new"),  # escapes stay as somebody wrote them
        ("k=a,${other}", "k=a,${other},new"),
        ("k=${unset:a,b}", "k=${unset:a,b,new}"),
        ("k=${unset}", "k=${unset},new"),
        ("k=${override:a,b}\noverride=c", "override=c,new"),  # what is used gets longer, not what is not
        ("k=${first:${second:a}}", "k=${first:${second:a,new}}"),
        ("k=${first:${second:a}}\nsecond=b", "second=b,new"),
        ("", "k=usual,new"),
    ],
)
def test_a_value_is_extended_where_it_comes_from_and_keeps_what_it_has(source: str, line: str) -> None:
    assert environment(source).extension("k", ["new"], usual=["usual"]).text == line


ITEM = st.text(st.characters(codec="latin-1", exclude_characters="\\,$#{}:= \t\n\r\f\v\x85\xa0"), min_size=1).filter(
    lambda item: item == item.strip()
)


@given(items=st.lists(ITEM, min_size=1, max_size=5), more=st.lists(ITEM, min_size=1, max_size=3), hidden=st.booleans())
def test_reading_an_extended_line_gives_the_old_items_and_the_new(
    items: list[str], more: list[str], hidden: bool
) -> None:
    value = ",".join(items)
    before = environment(f"k=${{unset:{value}}}" if hidden else f"k={value}")
    assert environment(before.extension("k", more).text).items("k") == [*before.items("k"), *more]
    assert before.items("k") == split(value)
