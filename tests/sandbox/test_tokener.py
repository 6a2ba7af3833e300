"""The tokener throws, cuts and keeps where org.json does (mosip-packets.md §1.2)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.tokener import DROPPED, interpret


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"), ("-5", "-5"), ("null", "null"), ("é", "é"), ("(x)", "(x)"), ("@home", "@home"),
        ("\t tabbed", "\t tabbed"), ("\0", DROPPED), ("\n", DROPPED), (" ,", DROPPED), ('""', '""'), ("''", "''"),
        ('"a\nb"', DROPPED), (r'"a\"', DROPPED), (r'"a\qb"', DROPPED), (r'"a\u0041"', r'"a\u0041"'),
        ("[]", []), ("{}", {}), ("[", DROPPED), ("{", DROPPED), ("[1", DROPPED), ('{"a"', DROPPED), ('{"a":', DROPPED),
        ("[1,2,]", [1, 2]), ("[1;2]", [1, 2]), ("[,1]", [None, 1]), ("[1,,2]", [1, None, 2]), ("[1 2]", ["1 2"]),
        ("[a b, c]", ["a b", "c"]), ("[true,null,1.5]", [True, None, 1.5]), ("{a:1}", {"a": 1}), ("{a=1}", {"a": 1}),
        ("{a=>1;b:2}", {"a": 1, "b": 2}), ('{"a":1,"a":2}', DROPPED), ("{'a':1,'a':2}", DROPPED),
        ('[{"a":"b"}] and more', [{"a": "b"}]), ("[1]]", [1]), ('["a\tb"]', ["a\tb"]), ('["a\nb"]', DROPPED),
        ("[" * 5000, DROPPED),
    ],
)  # fmt: skip
def test_a_text_becomes_a_structure_stays_itself_or_vanishes(text: str, value: Any) -> None:
    found = interpret(text)
    if value is DROPPED:
        assert found is DROPPED
    else:
        assert found == value
