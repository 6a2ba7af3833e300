"""The operator that brings credentials from MOSIP to the registry's outbox."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook
from mosip_crvs.operators.discretion import discreet

if TYPE_CHECKING:
    from airflow.sdk import Context

    from mosip_crvs.mosip.token import TokenSource


class FetchCredentialsOperator(BaseOperator):
    """Fetches the credentials that MOSIP announced, opens them, and posts the identifier that the registry may have.

    :param key_folder: the folder with the partner's private keys and certificates (templated); empty for the
        connection's ``partner_keys``, else ``$CRVS_PARTNER_KEYS``, else the private folder of the onboarding.
    """

    template_fields: Sequence[str] = ("key_folder",)
    ui_color = "#e9e2f5"

    def __init__(
        self,
        *,
        key_folder: str = "",
        mosip_conn_id: str = MosipHook.default_conn_name,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.key_folder = key_folder
        self.mosip_conn_id = mosip_conn_id
        self.ledger_conn_id = ledger_conn_id

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Fetch, open, post, acknowledge; returns counts."""
        from mosip_crvs.reconciliation.credentials import Partner, work_credentials
        from mosip_crvs.reconciliation.partner_trust import trust_of

        mosip, ledger = MosipHook(self.mosip_conn_id), LedgerHook(self.ledger_conn_id)
        settings = mosip.settings
        if not settings.partner_id:
            self.log.info("No credentials are expected: the connection %r names no partner_id", self.mosip_conn_id)
            return {}
        folder = self.key_folder or settings.partner_keys or os.environ.get("CRVS_PARTNER_KEYS") or onboarding_folder()
        partner = Partner(
            calls=mosip.calls,
            session=mosip.get_conn(),
            tokens=self._partner_tokens(mosip),
            settings=settings,
            trust=trust_of(settings, Path(folder), mosip.calls, mosip.tokens),
        )
        with ledger.engine() as engine:
            tally = work_credentials(engine, ledger.seal, partner)
        self.log.info("Credentials: %s", dict(tally))
        for name in ("refused", "lost", "without_identifier"):
            if tally[name]:
                self.log.error("ALARM credentials %s: %d; see the alarms in the ledger", name, tally[name])
        return dict(tally)

    def _partner_tokens(self, mosip: MosipHook) -> TokenSource:
        from mosip_crvs.errors import CredentialMissing

        if mosip.partner_tokens is None:
            raise CredentialMissing(
                f"nobody gave the secret of the client {mosip.settings.partner_id!r}: set partner_secret in the "
                f"extra of the connection {self.mosip_conn_id!r}"
            )
        return mosip.partner_tokens


def onboarding_folder() -> str:
    """Where onboarding keeps keys: ``$CRVS_ONBOARDING_DIR``, or in Airflow's own folder."""
    home = os.environ.get("AIRFLOW_HOME") or str(Path.home() / "airflow")
    return os.environ.get("CRVS_ONBOARDING_DIR") or f"{home}/mosip-onboarding"
