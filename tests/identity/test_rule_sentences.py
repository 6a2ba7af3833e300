"""Every rule has a sentence for the operator, and every sentence belongs to a rule that the code uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import mosip_crvs
from mosip_crvs.identity import schema
from mosip_crvs.identity.rules import SENTENCES

CODE = Path(mosip_crvs.__file__).parent
_CODE_SHAPE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def _texts(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def _texts_of(file: Path) -> set[str]:
    """All string constants of a file, but for the table of sentences itself."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kept = [
        statement
        for statement in tree.body
        if not (isinstance(statement, ast.AnnAssign) and getattr(statement.target, "id", "") == "SENTENCES")
    ]
    return {text for statement in kept for text in _texts(statement)}


def _rules_of_findings() -> set[str]:
    """Second arguments of ``Finding(…)``, wherever they are written as text."""
    found: set[str] = set()
    for file in CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and len(node.args) == 2:
                found |= {text for text in _texts(node.args[1]) if _CODE_SHAPE.fullmatch(text)}
    return found


def test_every_rule_that_the_code_names_has_a_sentence() -> None:
    makers = _texts_of(CODE / "identity" / "columns.py") | _texts_of(CODE / "identity" / "rules.py")
    named = {text for text in makers if _CODE_SHAPE.fullmatch(text) and len(text) > 2}
    named |= _rules_of_findings()
    assert "DEATH_WITHOUT_UIN" in named
    assert "BIRTH_WITH_UIN" in named
    assert named - set(SENTENCES) == set()


def test_every_sentence_belongs_to_a_rule_that_the_code_uses() -> None:
    written = {text for file in CODE.rglob("*.py") for text in _texts_of(file)}
    keywords = {"required", "pattern", "type", "additionalProperties", "uniqueItems", *schema._KEPT}
    written |= {f"SCHEMA_{keyword.upper()}" for keyword in keywords}
    assert set(SENTENCES) - written == set()


def test_every_sentence_is_one_that_an_operator_can_read() -> None:
    for sentence in SENTENCES.values():
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "{" not in sentence
