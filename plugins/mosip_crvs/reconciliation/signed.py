"""A balance that can be signed and checked long after: the document, its anchor in the evidence, its signature.

The document is one line of JSON in UTF-8 with sorted keys, no spaces, and characters as they are::

    {"anchor":{"evidence_rows":N,"last_evidence_id":I,"sha256":"…"},"balance":{…},"format":"mosip-crvs-balance/1"}

``balance`` is the whole balance. ``sha256`` is over the links, each 32 bytes, of the evidence of all applications of
the day in the order of (AID, sequence), as far as ``evidence_id <= I``: who rewrites evidence later can compute the
chain of :mod:`mosip_crvs.ledger.evidence` anew, but not what was signed before. The signature is Ed25519 over the
document's very bytes. A link is the SHA-256 over the link before it (nothing for the first) and the JSON array of

    AID, sequence, kind, source, code, body_sha256, occasion, moved_from, moved_to, alarm, received_at

written with ``", "`` between the items, and the moment as ``2026-11-24T21:00:00.000000`` in UTC.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from mosip_crvs.errors import FixTheData

FORMAT = "mosip-crvs-balance/1"


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the evidence of a day was, up to one of its numbers."""

    evidence_rows: int
    last_evidence_id: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A document and who signed it.

    :param public_key: PEM; whoever checks must know from elsewhere that it is the installation's.
    """

    document: str
    signature: bytes
    key_id: str
    public_key: str

    def as_file(self) -> str:
        """Write all of it as one JSON text."""
        return json.dumps(asdict(self) | {"signature": base64.b64encode(self.signature).decode()}, indent=2) + "\n"

    @classmethod
    def from_file(cls, content: str) -> Signed:
        """Read what :meth:`as_file` wrote.

        :raises FixTheData: when it is something else.
        """
        try:
            read = json.loads(content)
            plain = {name: str(read[name]) for name in ("document", "key_id", "public_key")}
            return cls(signature=base64.b64decode(read["signature"], validate=True), **plain)
        except (ValueError, TypeError, KeyError):
            raise FixTheData("this is no signed balance: ./run balance DAY --signed FILE writes one") from None

    @property
    def content(self) -> dict[str, Any]:
        """Read the document.

        :raises FixTheData: when it is none of ours.
        """
        try:
            content = json.loads(self.document)
            if content["format"] == FORMAT and isinstance(content["balance"], dict):
                Anchor(**content["anchor"])
                return dict(content)
        except (ValueError, TypeError, KeyError):
            pass
        raise FixTheData(f"the signed document is not of the format {FORMAT}")


def anchor_of(connection: Connection, day: date, horizon: int) -> Anchor:
    """Compute the anchor of a day up to a number of evidence."""
    row = connection.execute(_ANCHOR, {"day": day, "horizon": horizon}).one()
    return Anchor(row.rows, horizon, row.digest)


LINK = """evidence_link(
    coalesce(lag(e.link) OVER chain, CAST('' AS bytea)), e.aid, e.sequence, e.kind, e.source, e.code,
    e.body_sha256, e.occasion, e.moved_from, e.moved_to, e.alarm, e.received_at)"""
"""What the link of a row of evidence ``e`` must be, by its own content and the link before it."""

# The links are computed anew from the rows: one whose content was changed has another than it had.
_ANCHOR = text(
    f"""
    SELECT count(*) AS rows,
           encode(sha256(coalesce(
               string_agg(link, CAST('' AS bytea) ORDER BY aid COLLATE "C", sequence), CAST('' AS bytea)
           )), 'hex') AS digest
      FROM (SELECT e.aid, e.sequence, {LINK} AS link
              FROM batches b JOIN applications a USING (batch_id) JOIN evidence e USING (aid)
             WHERE b.day = :day AND e.evidence_id <= :horizon
            WINDOW chain AS (PARTITION BY e.aid ORDER BY e.sequence)) linked
    """  # noqa: S608 (constants of this file)
)
