"""A credential's way, put together for tests: a ledger, a small MOSIP, keys, and one application or more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import requests
from day_books import PREFIX, Books, aid
from small_mosip import SHARE, SmallMosip
from tests.credential.sealing import Pair, b64, seal, seal_as_before, signed

from mosip_crvs.credential.keyring import KeyRing
from mosip_crvs.credential.proof import SigningCertificate
from mosip_crvs.ledger.alarms import open_alarms
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.reconciliation.credentials import Partner, work_credentials
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.reconciliation.opening import Trust

TOPIC = "crvs1/CREDENTIAL_ISSUED"
UIN, PSUT, NAME = "4937105826140937", "271828182845904523536028747135266249", "Quetzalcoatlina"
OF_PERSON = (UIN, PSUT, NAME)


def content(of: str, **subject: Any) -> bytes:
    """A credential of the default provider."""
    about = {"id": of, "PSUT": PSUT, "UIN": UIN, "fullName": json.dumps([{"language": "eng", "value": NAME}])}
    about = {name: value for name, value in (about | subject).items() if value is not None}
    return json.dumps({"id": "http://mosip.io/credentials/1", "credentialSubject": about}).encode()


@dataclass
class Scene:
    """One partner at one MOSIP."""

    books: Books
    seal: Seal
    mosip: SmallMosip
    url: str
    own: Pair
    signer: Pair
    partner: Partner

    @classmethod
    def of(cls, books: Books, seal_: Seal, mosip: SmallMosip, url: str, own: Pair, signer: Pair) -> Scene:
        settings = MosipSettings(url, "crvs1", "secret", PREFIX[:5], PREFIX[5:], partner_id="crvs1", timeout=5)
        calls = SingleCalls(url)
        trust = Trust(KeyRing([(own.certificate, own.key)]), (SigningCertificate(signer.certificate),), True, ("PSUT",))
        tokens = TokenSource(lambda: fetch_token(calls, settings))
        return cls(books, seal_, mosip, url, own, signer, Partner(calls, requests.Session(), tokens, settings, trust))

    def apply(self, *numbers: int) -> None:
        """Have applications triggered."""
        self.books.apply(self.books.batch(), {aid(number): "TRIGGERED" for number in numbers})

    def issue(
        self,
        number: int = 1,
        event: str = "event-1",
        *,
        body: bytes | None = None,
        link: str | None = None,
        inline: bool = False,
        once: bool = False,
        older: bool = False,
        for_key: Pair | None = None,
        by: Pair | None = None,
        request: str = "",
    ) -> None:
        """Have MOSIP issue a credential and announce it."""
        body = content(aid(number)) if body is None else body
        cipher = (seal_as_before if older else seal)(body, for_key or self.own)
        name = f"{number}-{event}"
        self.mosip.shares[name] = b64(cipher).encode()
        if once:
            self.mosip.left[name] = 1
        data: dict[str, Any] = {"registrationId": aid(number), "credentialType": "opencrvs"}
        data["proof"] = {"signature": signed(body, by or self.signer)}
        if inline:
            data["credential"] = b64(cipher)
        told = {
            "id": event,
            "transactionId": request or f"request-{number}",
            "dataShareUri": None if inline else link or f"{self.url}{SHARE}{name}",
            "data": data,
        }
        self.books.receive((TOPIC, json.dumps({"publisher": "CREDENTIAL_SERVICE", "event": told}).encode()))
        settle_inbox(self.books.ledger, PREFIX)

    def work(self, **trust: Any) -> Counter[str]:
        """One run; what it is told of trust or of the settings holds from then on."""
        own = {name: trust.pop(name) for name in ("keys", "signers", "is_required", "identifiers") if name in trust}
        self.partner = replace(
            self.partner,
            trust=replace(self.partner.trust, **own),
            settings=replace(self.partner.settings, **trust),
        )
        return work_credentials(self.books.ledger, self.seal, self.partner)

    def hours_pass(self, hours: float = 2) -> None:
        """Let what waits be due."""
        self.books.run("UPDATE credentials SET next_try_at = next_try_at - make_interval(hours => :h)", h=hours)

    def rows(self) -> list[Any]:
        return list(self.books.run("SELECT * FROM credentials ORDER BY credential_id"))

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def result(self, number: int = 1) -> tuple[Any, ...] | None:
        """What the registry is told: outcome, kind of identifier, identifier, version."""
        rows = self.books.run("SELECT * FROM results WHERE aid = :aid", aid=aid(number))
        if not rows:
            return None
        sealed = rows[0].sealed_identifier
        opened = None if sealed is None else self.seal.open(bytes(sealed))
        return rows[0].outcome, rows[0].identifier_kind, opened, rows[0].version

    def alarms(self) -> list[tuple[str, str]]:
        return [(alarm.code, alarm.subject) for alarm in open_alarms(self.books.ledger)]

    def statuses(self) -> list[tuple[str, str]]:
        """What MOSIP was told."""
        return [(said["event"]["requestId"], said["event"]["status"]) for said in self.mosip.said]

    def texts(self) -> str:
        """Everything in every column of the ledger that is not sealed, to look for persons in it."""
        tables = self.books.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [str(row) for each in tables for row in self.books.run(f'SELECT t::text FROM "{each.tablename}" t')]
        return "\n".join(rows)


MakeScene = Callable[[], Scene]
