"""The rules that an event can break, each with a code and the sentence that an operator reads.

MOSIP's packet manager validates nothing when a packet is created: it silently drops what its parser cannot read
(``mosip-packets.md`` §1.2), and the registration fails later, for good. So everything is checked here first.
"""

from __future__ import annotations

import re
import unicodedata

SENTENCES: dict[str, str] = {
    "MISSING": "A required value is empty. Fill it in the registry.",
    "LANGUAGE_EMPTY": "The value in the country's required language is empty. Fill it in the registry.",
    "LANGUAGE_REPEATED": "Two different texts are given in one language. Correct the text or its language code.",
    "DATE_MALFORMED": "The date is not a calendar date written YYYY-MM-DD. Correct it in the registry.",
    "DATE_IN_FUTURE": "The date lies in the future. Correct it in the registry.",
    "DATE_TOO_OLD": "The date is before 1869, which MOSIP's ID schema refuses. Correct it in the registry.",
    "DEATH_BEFORE_BIRTH": "The date of death is before the date of birth. Correct either in the registry.",
    "CODE_UNKNOWN": "The code is not in the code table of include/mappings. Correct the code, or add it to the table.",
    "TABLE_LANGUAGE_MISSING": "The code table has no text in a required language. Complete the table.",
    "BIRTH_WITH_UIN": "The child already has a UIN: MOSIP cannot create another. Check for an earlier registration.",
    "DEATH_WITHOUT_UIN": "The deceased has no UIN: MOSIP would create a new identity. Find the UIN, or waive.",
    "DEATH_WITH_VID_ONLY": "Only a VID is known: MOSIP needs the UIN of the deceased. Find it and enter it.",
    "UIN_MALFORMED": "The UIN is not ten digits. Correct it in the registry.",
    "VALUE_DROPPED_BY_MOSIP": (
        "MOSIP's parser would drop or change a plain text that begins with this character. Rewrite its beginning."
    ),
    "NAME_STARTS_WITH_PUNCTUATION": (
        "The name begins with a quote, a bracket or another mark that MOSIP's parser treats as structure. "
        "Write a letter first; for an ayn or hamza use U+02BF or U+02BE."
    ),
    "NAME_HAS_SYMBOL": "The name holds a symbol or an emoji. Names are letters, marks, spaces and punctuation.",
    "CONTROL_CHARACTER": "The text holds a control character. Remove it in the registry.",
    "NOT_ENCODABLE": "The text holds half of a surrogate pair and cannot be sent as UTF-8. Re-enter it.",
    "PERSON_ALREADY_CLAIMED": (
        "Another registration of the same person has an application already: a second would give a second ID. "
        "Decide which registration is right and remove or correct the other."
    ),
    "REGISTRATION_SHARED": (
        "The extract gives this registration number for more than one person: only the first has an application. "
        "Give every child a registration of its own, or correct the extract SQL."
    ),
    "SCHEMA_REQUIRED": "A field that the ID schema requires for this process is missing.",
    "SCHEMA_PATTERN": "The value does not match the pattern of the ID schema for this field.",
    "SCHEMA_TYPE": "The value is not of the type that the ID schema declares.",
    "SCHEMA_ADDITIONALPROPERTIES": "The mapping writes a field that the ID schema does not have. Correct the mapping.",
    "SCHEMA_UNIQUEITEMS": "The same language and value appear twice. Correct the mapping or the record.",
    "SCHEMA_MINLENGTH": "The value is shorter than the ID schema allows.",
    "SCHEMA_MAXLENGTH": "The value is longer than the ID schema allows.",
    "SCHEMA_MINIMUM": "The number is below what the ID schema allows.",
    "SCHEMA_OTHER": "The value breaks the ID schema.",
}

# What org.json's tokener cannot read as plain text, or reads as the start of a structure (mosip-packets.md §1.2).
_STRUCTURE_STARTS = frozenset("\"',:]}/\\[{;=#")
# A name is held to it although it travels inside a list, where MOSIP keeps it: names are copied into plain texts later.
_NAME_STARTS = _STRUCTURE_STARTS | frozenset("()<>`")
_SYMBOLS = frozenset({"So", "Sk", "Sm", "Sc", "Co", "Cn"})
_JOINERS = frozenset("\u061c\u200c\u200d\u200e\u200f")
_DIGITS_10 = re.compile(r"[0-9]{10}")


def plain_text_rule(text: str) -> str | None:
    """Say which rule a text breaks that is sent as a plain string, if any."""
    if text[:1] in _STRUCTURE_STARTS or not text:
        return "VALUE_DROPPED_BY_MOSIP"
    return characters_rule(text)


def characters_rule(text: str) -> str | None:
    """Say which rule the characters of any text break, if any. Joiners of Indic and Arabic scripts are letters here."""
    if text.isprintable():
        return None
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs":
            return "NOT_ENCODABLE"
        if category in {"Cc", "Zl", "Zp"} or (category == "Cf" and character not in _JOINERS):
            return "CONTROL_CHARACTER"
    return None


def name_rule(text: str) -> str | None:
    """Say which rule a person's name breaks, if any."""
    if text[:1] in _NAME_STARTS:
        return "NAME_STARTS_WITH_PUNCTUATION"
    if text.replace(" ", "").isalpha():
        return None
    problem = characters_rule(text)
    if problem is None and any(unicodedata.category(character) in _SYMBOLS for character in text):
        return "NAME_HAS_SYMBOL"
    return problem


def uin_rule(text: str) -> str | None:
    """Say whether a UIN is anything but ten digits (MOSIP's default length)."""
    return None if _DIGITS_10.fullmatch(text) else "UIN_MALFORMED"
