"""Operators of the prerequisites: look at them, ask the last look before a sync, and make what is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook
from mosip_crvs.operators.discretion import discreet
from mosip_crvs.operators.sync import include_folder

if TYPE_CHECKING:
    from airflow.sdk import Connection, Context
    from sqlalchemy import Engine

    from mosip_crvs.onboarding.access import Access
    from mosip_crvs.onboarding.provision import Bench, Outcome
    from mosip_crvs.onboarding.surroundings import Identity, Login, Surroundings

OPTIONAL_CONNECTIONS = (
    "mosip_provisioner",
    "mosip_keycloak_admin",
    "mosip_global_admin",
    "mosip_subscriber",
    "mosip_partner_user",
)
"""Generic connections: login and password. What they open is not looked at, or made, while they are missing."""


class _OnboardingOperator(BaseOperator):
    """What looking and making have in common.

    :param country_file: says what the country wants to find (templated); empty for ``$CRVS_COUNTRY_FILE``.
    :param folder: the private folder for ids, secrets and keys (templated); empty for ``$CRVS_ONBOARDING_DIR``.
    """

    template_fields: Sequence[str] = ("country_file", "folder")
    ui_color = "#f5e6dc"

    def __init__(
        self,
        *,
        country_file: str = "",
        folder: str = "",
        mosip_conn_id: str = MosipHook.default_conn_name,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.country_file = country_file
        self.folder = folder
        self.mosip_conn_id = mosip_conn_id
        self.ledger_conn_id = ledger_conn_id

    def _access(self) -> Access:
        from airflow.sdk.log import mask_secret

        from mosip_crvs.onboarding.access import Access
        from mosip_crvs.onboarding.country import read_country

        hook = MosipHook(self.mosip_conn_id)
        file = self.country_file or os.environ.get("CRVS_COUNTRY_FILE") or f"{include_folder()}/onboarding/runtime.yaml"
        access = Access(self._surroundings(hook), read_country(Path(file)), hook.get_conn())
        for secret in access.keeping.every_secret():
            mask_secret(secret)
        return access

    def _surroundings(self, hook: MosipHook) -> Surroundings:
        """Read the connections. The ids may be missing: before the first provisioning nobody has them."""
        from mosip_crvs.onboarding.surroundings import Identity, Login, Surroundings

        connection = hook.get_connection(self.mosip_conn_id)
        extra = connection.extra_dejson
        logins: dict[Identity, Login] = dict(_optional_logins())
        if connection.password:
            logins[Identity.RUNTIME] = Login(connection.login or "", connection.password)
        home = os.environ.get("AIRFLOW_HOME") or str(Path.home() / "airflow")
        return Surroundings(
            mosip_url=hook.address,
            folder=Path(self.folder or os.environ.get("CRVS_ONBOARDING_DIR") or f"{home}/mosip-onboarding"),
            keycloak_url=str(extra.get("keycloak_url") or ""),
            esignet_url=os.environ.get("ESIGNET_URL", ""),
            realm=str(extra.get("realm") or "mosip"),
            keycloak_prefix=extra.get("keycloak_path"),
            hub_path=str(extra.get("hub_path") or "/hub/"),
            receiver_url=str(extra.get("receiver_url") or ""),
            center_id=str(extra.get("center_id") or ""),
            machine_id=str(extra.get("machine_id") or ""),
            officer_id=str(extra.get("officer_id") or ""),
            # What the connection does not say, the sync takes from the settings' defaults, and so does the look.
            schema_version=str(extra.get("schema_version") or "0.1"),
            include=Path(include_folder()),
            logins=logins,
        )

    @contextmanager
    def _ledger(self) -> Iterator[Engine]:
        with LedgerHook(self.ledger_conn_id).engine() as engine:
            yield engine


class PreflightOperator(_OnboardingOperator):
    """Looks at MOSIP's prerequisites, read-only; keeps the findings and the centre's holidays in the ledger.

    :param probes: also make the calls that are shaped to be refused.
    """

    def __init__(self, *, probes: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.probes = probes

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Look; returns how many checks came to what."""
        from collections import Counter

        from mosip_crvs.errors import MosipUnavailable, PreflightFailed
        from mosip_crvs.onboarding.checks import CHECKS
        from mosip_crvs.onboarding.gatekeeping import keep_calendar, keep_survey
        from mosip_crvs.onboarding.preflight import Status, Unseen, run_preflight
        from mosip_crvs.onboarding.report import preflight_table, summary

        with self._ledger() as ledger:
            survey = run_preflight(CHECKS, self._access(), ledger=ledger, probes=self.probes)
            keep_survey(ledger, survey)
            days = keep_calendar(ledger, survey)
        for line in preflight_table(survey).splitlines():
            self.log.info("%s", line)
        self.log.info("Holidays are known for %d days", days)
        failed = [each for each in survey.results if each.status is Status.FAIL]
        if failed and all(each.unseen is Unseen.PASSING for each in failed):
            raise MosipUnavailable(f"the preflight could not look: {summary(survey)}")
        if failed:
            raise PreflightFailed(summary(survey))
        return {str(status): count for status, count in Counter(each.status for each in survey.results).items()}


class PreflightGateOperator(BaseOperator):
    """Lets a sync begin, unless the last preflight found that MOSIP would refuse, or fail, what is sent.

    :param stop: refuse; otherwise only warn (templated: ``true``, ``false``).
    """

    template_fields: Sequence[str] = ("stop",)
    ui_color = "#f5e6dc"

    def __init__(
        self, *, stop: bool | str = True, ledger_conn_id: str = LedgerHook.default_conn_name, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.stop = stop
        self.ledger_conn_id = ledger_conn_id

    @discreet
    def execute(self, context: Context) -> None:
        """Ask the ledger."""
        from mosip_crvs.onboarding.gatekeeping import check_gate

        with LedgerHook(self.ledger_conn_id).engine() as ledger:
            warnings = check_gate(ledger, stop=_truth(self.stop))
        for warning in warnings:
            self.log.warning("%s", warning)
        if not warnings:
            self.log.info("The last preflight found nothing that stands in the way")


class ProvisionOperator(_OnboardingOperator):
    """Makes what is missing, or only says what it would make. Safe to clear and to run again at any time.

    :param plan: only plan. What a person approves by it goes into the XCom ``steps``, a list of texts.
    :param approved: the steps that may be made: that XCom as JSON (templated). None for all that are needed.
    :param publish_id_schema: publish the country's ID schema, for the whole platform and for good (templated).
    :param accept_new_key: give the machine the key that the key manager has now (templated).
    :param attest: gates that a person has passed, separated by commas (templated).
    """

    template_fields: Sequence[str] = (
        "country_file",
        "folder",
        "approved",
        "publish_id_schema",
        "accept_new_key",
        "attest",
    )

    def __init__(
        self,
        *,
        plan: bool = False,
        approved: str | None = None,
        publish_id_schema: bool | str = False,
        accept_new_key: bool | str = False,
        attest: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.approved = approved
        self.publish_id_schema = publish_id_schema
        self.accept_new_key = accept_new_key
        self.attest = attest

    @discreet
    def execute(self, context: Context) -> list[str]:
        """Plan or make; returns a line for each step, and in a plan for each question and each gate that waits."""
        access = self._access()
        with self._ledger() as ledger:
            outcome = self._walk(access, ledger)
        if self.plan:
            context["ti"].xcom_push("steps", sorted(outcome.signatures))
        else:
            self._demand(outcome, access)
            self.log.info("Put these into the connection %r: %s", self.mosip_conn_id, _for_the_connection(access))
        return [
            *(step.line() for _, step in outcome.steps),
            *(access.discreet(f"asks    {item}: {text}") for item, text in outcome.questions.items()),
            *(f"waits   {gate}: {text}" for gate, text in outcome.waiting.items()),
        ]

    def _walk(self, access: Access, ledger: Engine) -> Outcome:
        from contextlib import nullcontext

        from mosip_crvs.onboarding.items import items_for
        from mosip_crvs.onboarding.provision import provision

        with nullcontext() if self.plan else access.keeping.alone():
            return provision(items_for(access.country), self._bench(access, ledger), tell=self._tell)

    def _demand(self, outcome: Outcome, access: Access) -> None:
        """Fail when a person has to decide or to do something.

        :raises QuestionForOperator: with what is to be decided; a gate may wait, too.
        :raises GateClosed: with what is to be done.
        """
        from mosip_crvs.errors import GateClosed, QuestionForOperator

        gates = "; ".join(f"{gate}: {text}" for gate, text in outcome.waiting.items())
        go_on = "clear this task" if self.approved is None else "trigger the DAG again: its new plan wants an approval"
        try:
            outcome.ask()
        except QuestionForOperator as question:
            more = f"; and a gate waits at {gates}" if gates else ""
            raise QuestionForOperator(access.discreet(f"{question}{more}. Then {go_on}")) from None
        if gates:
            raise GateClosed(f"{gates}. Then {go_on}")

    def _bench(self, access: Access, ledger: Engine) -> Bench:
        from mosip_crvs.onboarding.provision import Bench, Wishes

        wishes = Wishes(
            publish_id_schema=_truth(self.publish_id_schema),
            accept_new_key=_truth(self.accept_new_key),
            attested=frozenset(filter(None, (each.strip() for each in self.attest.split(",")))),
            approved=_approved(self.approved),
        )
        seal = LedgerHook(self.ledger_conn_id).seal
        return Bench(access, wishes, planning=self.plan, ledger=ledger, seal=seal)

    def _tell(self, item: Any, step: Any) -> None:
        self.log.info("%s", step.line() if step else f"ok      {item.title} ({item.id})")


def _for_the_connection(access: Access) -> dict[str, str]:
    """Give what the sync must know of what was made."""
    ids = access.keeping.ids
    made: dict[str, str] = {name: ids[name] for name in ("center_id", "machine_id", "schema_version") if name in ids}
    return {**made, "officer_id": access.country.officer.user, "language": access.country.language}


def _approved(steps: str | None) -> frozenset[str] | None:
    """Read the steps that were approved; a plan that left none behind approves none."""
    return None if steps is None else frozenset(json.loads(steps) or ())


def _truth(value: bool | str) -> bool:
    return str(value).lower() in {"true", "1", "yes"}


def _optional_logins() -> Iterator[tuple[Identity, Login]]:
    """Read the logins that are there, each in a connection of its own."""
    from mosip_crvs.onboarding.surroundings import Identity

    for identity, conn_id in zip(
        (
            Identity.PROVISIONER,
            Identity.KEYCLOAK_ADMIN,
            Identity.GLOBAL_ADMIN,
            Identity.SUBSCRIBER,
            Identity.PARTNER_USER,
        ),
        OPTIONAL_CONNECTIONS,
        strict=True,
    ):
        found = _connection(conn_id)
        if found is None or not found.password:
            continue
        yield identity, _login(identity, found)


def _login(identity: Identity, found: Connection) -> Login:
    """Read a login: a client's own, or a user's by way of a client that the extra may name."""
    from mosip_crvs.onboarding.surroundings import Identity, Login

    name, password, extra = found.login or "", found.password or "", found.extra_dejson
    if identity in (Identity.PROVISIONER, Identity.SUBSCRIBER):
        return Login(name, password)
    if identity is Identity.KEYCLOAK_ADMIN:
        if extra.get("realm"):  # a service account of that realm
            return Login(name, password, realm=str(extra["realm"]))
        return Login("admin-cli", user=name or "admin", password=password, realm="master")
    client, secret = str(extra.get("client_id") or "mosip-admin-client"), str(extra.get("client_secret") or "")
    return Login(client, secret, name or "globaladmin", password)


def _connection(conn_id: str) -> Connection | None:
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found: Connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None
    return found
