"""From births to the identifiers of the children: against a MOSIP whose links and events do all that they may do."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text
from tests.conftest import free_port, service
from tests.ledger.books import count
from tests.rig import YESTERDAY, FarSide, close, plan, settings, submission

from mosip_crvs.ledger.alarms import open_alarms
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.reconciliation.credentials import Partner, work_credentials
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.reconciliation.partner_trust import SIGNING_FILE, trust_of
from mosip_crvs.reconciliation.subscribing import ensure_subscribed
from mosip_crvs.submission.pipeline import submit_range
from reference_registry import load
from sandbox.credential_content import partner_token

OURS = "1000110077"
BIRTHS = 30
PARTNER, SECRET = "crvs-partner", "crvs-partner-secret"


def login(client: MosipSettings) -> TokenSource:
    """Give the tokens of a client."""
    calls = SingleCalls(client.base_url)
    return TokenSource(lambda: fetch_token(calls, client))


@pytest.fixture
def keys(far_side: FarSide, tmp_path: Path) -> Path:
    """The folder with the partner's key and certificate."""
    with urllib.request.urlopen(f"{far_side.url}/sandbox/credential-partner", timeout=30) as reply:
        found = json.load(reply)
    regproc = login(settings(far_side.url, client_id="mosip-regproc-client", client_secret="regproc-secret"))
    path = "/v1/keymanager/getCertificate?applicationId=KERNEL&referenceId=SIGN"
    told = json.loads(SingleCalls(far_side.url).send("GET", path, token=regproc.get()).body)
    (tmp_path / SIGNING_FILE).write_text(told["response"]["certificate"])
    (tmp_path / f"{PARTNER}.key.pem").write_text(found["privateKey"])
    (tmp_path / f"{PARTNER}.pem").write_text(found["certificate"])
    return tmp_path


def test_every_child_gets_its_own_token_and_nobody_elses(
    ledger_url: str,
    ledger: Engine,
    registry_url: str,
    far_side: FarSide,
    seal: Seal,
    seal_key: str,
    keys: Path,
) -> None:
    port = free_port()
    receiver_url = f"http://127.0.0.1:{port}"
    arguments = ["-m", "mosip_crvs.receiver", "--port", str(port)]
    with service(arguments, f"{receiver_url}/health", CRVS_LEDGER_URL=ledger_url, CRVS_SEAL_KEY=seal_key):
        made = submission(
            ledger_url,
            registry_url,
            far_side.url,
            receiver_url=receiver_url,
            partner_id=PARTNER,
            partner_secret=SECRET,
        )
        ours, calls = made.settings, SingleCalls(far_side.url)
        assert ours.partner_login is not None
        own, partners = login(ours), login(ours.partner_login)
        ensure_subscribed(ledger, seal, calls, own, ours, partner_tokens=partners)
        load(registry_url, births=BIRTHS, clean_only=True, end_day=YESTERDAY)
        for batch_id, number in plan(made):
            submit_range(made, batch_id, number, "test")
        close(made)
        partner = Partner(calls, requests.Session(), partners, ours, trust_of(ours, keys, calls, own))
        far_side.faults(
            credential_inline=0.3,
            cipher_legacy=0.3,
            credential_duplicate=0.3,
            credential_before_workflow=0.3,
            datashare_one_shot=1.0,
            datashare_gone={"probability": 1.0, "times": 3},
        )
        far_side.tick()
        tally: Counter[str] = Counter()
        for _ in range(3):
            settle_inbox(ledger, OURS)
            tally += work_credentials(ledger, seal, partner)
            far_side.tick()
        assert tally["reissued"] == tally["gone"] == 3

        applications = far_side.applications()
        told = results(ledger, seal)
        assert told == {
            aid: ("issued", "PSUT", partner_token(seen["uin"], PARTNER)) for aid, seen in applications.items()
        }
        assert len(set(told.values())) == BIRTHS
        assert open_alarms(ledger) == []
        assert count(ledger, "credentials", "next_try_at IS NOT NULL OR cipher_text IS NOT NULL") == 0
        assert count(ledger, "credentials", "proof = 'verified'") == BIRTHS
        histories = [each for seen in applications.values() for each in seen["credentials"].values()]
        assert len(histories) == BIRTHS
        assert {word for each in histories for word in each["statuses"]} == {"served"}
        assert all(each["fetched"] <= 1 for each in histories)


def results(ledger: Engine, seal: Seal) -> dict[str, tuple[Any, ...]]:
    """What the registry is to be told, opened."""
    with ledger.begin() as connection:
        rows = connection.execute(text("SELECT aid, outcome, identifier_kind, sealed_identifier FROM results")).all()
    return {row.aid: (row.outcome, row.identifier_kind, seal.open(bytes(row.sealed_identifier))) for row in rows}
