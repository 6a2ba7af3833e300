"""``python -m mosip_crvs.onboarding``: look at a country's prerequisites, and make them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from mosip_crvs.errors import CredentialMissing, MosipCrvsError, QuestionForOperator, StopTheRun
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.onboarding import rotation
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.certificates import SIGNERS_FILE
from mosip_crvs.onboarding.checks import CHECKS
from mosip_crvs.onboarding.configuration import ConfigFinding, WantedConfiguration, check_configuration
from mosip_crvs.onboarding.country import Country, read_country
from mosip_crvs.onboarding.gatekeeping import keep_calendar, keep_survey
from mosip_crvs.onboarding.items import items_for
from mosip_crvs.onboarding.items.results import runtime_settings
from mosip_crvs.onboarding.keeping import replace_private
from mosip_crvs.onboarding.preflight import Status, Survey, run_preflight, with_needs
from mosip_crvs.onboarding.provision import Bench, Item, Outcome, Step, Wishes, provision
from mosip_crvs.onboarding.report import preflight_json, preflight_table
from mosip_crvs.onboarding.surroundings import Identity, from_environment

GATES = frozenset({"G1", "G2", "G3"})
FAILED, USAGE, QUESTION, WAITING, INTERRUPTED = 1, 2, 3, 4, 130


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(prog="python -m mosip_crvs.onboarding", description=__doc__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--country", type=Path, default=os.environ.get("CRVS_COUNTRY_FILE"), help="default: $CRVS_COUNTRY_FILE"
    )
    common.add_argument(
        "--folder", type=Path, default=os.environ.get("CRVS_ONBOARDING_DIR", "onboarding-state"),
        help="private folder for ids, secrets and keys; default: $CRVS_ONBOARDING_DIR or ./onboarding-state",
    )  # fmt: skip
    verbs = made.add_subparsers(dest="verb", required=True)
    look = verbs.add_parser("preflight", parents=[common], help="look at everything; changes nothing")
    look.add_argument("--json", action="store_true", help="for programs")
    look.add_argument("--probes", action="store_true", help="also make calls that are shaped to be refused")
    look.add_argument("--only", default="", help="checks by id, separated by commas; what they need comes along")
    look.add_argument("--config-dir", type=Path, help="a checkout of the country's mosip-config")
    make = verbs.add_parser("provision", parents=[common], help="make what is missing, step by step")
    make.add_argument("--plan", action="store_true", help="only say what would be done")
    make.add_argument("--publish-id-schema", action="store_true", help="for the whole platform, and for good")
    make.add_argument("--accept-new-key", action="store_true", help="give the machine the key manager's new key")
    make.add_argument("--attest", default="", help="gates that you have passed, such as G3; separated by commas")
    make.add_argument("--yes", action="store_true", help="do not ask at the beginning, nor at gates")
    turn = verbs.add_parser("rotate-secret", parents=[common], help="change a client's secret, in two phases")
    turn.add_argument("client", choices=["runtime", "subscriber"])
    phase = turn.add_mutually_exclusive_group(required=True)
    phase.add_argument("--stage", action="store_true", help="make the next secret and keep it here")
    phase.add_argument("--commit", action="store_true", help="give it to Keycloak, try it, drop the old one")
    phase.add_argument("--roll-back", action="store_true", help="forget it, if Keycloak does not use it yet")
    turn.add_argument("--force", action="store_true", help="although the present secret is not known here")
    link = verbs.add_parser("connection", parents=[common], help="write the Airflow connection 'mosip' as JSON")
    link.add_argument("--to", type=Path, required=True, help="a file for its owner alone; it holds the secret")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb. Exit codes: 0 in order, 1 a check failed or MOSIP refused, 3 a question, 4 a gate waits."""
    options = parser().parse_args(arguments)
    access: Access | None = None
    try:
        if options.country is None:
            raise StopTheRun("give --country, or set CRVS_COUNTRY_FILE: see include/onboarding/demo.yaml")
        country = read_country(Path(options.country))
        access = Access(from_environment(Path(options.folder)), country)
        verbs = {
            "preflight": _preflight,
            "provision": _provision,
            "rotate-secret": _rotate,
            "connection": _connection,
        }
        return verbs[options.verb](options, access)
    except KeyboardInterrupt:
        print("\nStopped by you. Run it again: it goes on from what is there.", file=sys.stderr)
        return INTERRUPTED
    except QuestionForOperator as problem:
        print(f"A question for you: {_discreet(access, problem)}", file=sys.stderr)
        return QUESTION
    except MosipCrvsError as problem:
        print(f"Stopped: {_discreet(access, problem)}", file=sys.stderr)
        return FAILED


def _discreet(access: Access | None, problem: Exception) -> str:
    """Write an error; MOSIP's own words may repeat what it was sent."""
    return str(problem) if access is None else access.discreet(str(problem))


def _ledger(access: Access) -> Engine | None:
    url = access.surroundings.ledger_url
    return connect_to_ledger(url) if url else None


def _preflight(options: argparse.Namespace, access: Access) -> int:
    checks = with_needs(CHECKS, options.only.split(",")) if options.only else CHECKS
    if not checks:
        raise StopTheRun("--only names no check: give ids such as CE-01,MA-03")
    if options.config_dir and not list(options.config_dir.glob("*.properties")):
        raise StopTheRun(f"--config-dir {options.config_dir} is no checkout of mosip-config: no .properties file in it")
    ledger = _ledger(access)
    survey = run_preflight(checks, access, ledger=ledger, probes=options.probes)
    survey = replace(survey, complete=len(checks) == len(CHECKS))
    configuration = check_configuration(options.config_dir, wanted(access.country)) if options.config_dir else []
    if ledger is not None and not options.only:
        keep_calendar(ledger, survey)
        keep_survey(ledger, survey)
    if options.json:
        print(preflight_json(survey, configuration))
    else:
        print(preflight_table(survey, configuration, colours=sys.stdout.isatty()))
    return FAILED if _failed(survey, configuration) else 0


def _failed(survey: Survey, configuration: Sequence[ConfigFinding]) -> bool:
    return survey.worst() is Status.FAIL or any(str(finding.status) == "FAIL" for finding in configuration)


def wanted(country: Country) -> WantedConfiguration:
    """Say what a checkout of mosip-config must have for a country."""
    partner = country.credential_partner
    return WantedConfiguration(
        partner_id=partner.id if partner else "",
        subscriber_client=partner.id if partner else "",
        credential_type=partner.credential_type if partner else "",
        runtime_client=country.clients.runtime,
        runtime_roles=country.clients.runtime_roles,
        provisioner_client=country.clients.provisioner,
    )


def _provision(options: argparse.Namespace, access: Access) -> int:
    ledger, key = _ledger(access), access.surroundings.seal_key
    items = items_for(access.country)
    attested = frozenset(filter(None, (each.strip() for each in options.attest.split(","))))
    if strange := attested - GATES:
        raise StopTheRun(f"no gate is called {', '.join(sorted(strange))}; the one that needs your word is G3")
    wishes = Wishes(
        publish_id_schema=options.publish_id_schema, accept_new_key=options.accept_new_key, attested=attested
    )
    bench = Bench(access, wishes, planning=options.plan, ledger=ledger, seal=Seal(key) if key else None)
    interactive = sys.stdin.isatty() and not options.yes
    with nullcontext() if options.plan else access.keeping.alone():
        if interactive and not options.plan:
            approved = _agreed(items, access, wishes, bench)
            if approved is None:
                print("Nothing was changed.")
                return 0
            bench.wishes = replace(wishes, approved=approved)
        outcome = provision(items, bench, tell=_tell, ask=_ask if interactive else None)
    return _conclude(outcome, access, planning=options.plan)


def _agreed(items: Sequence[Item], access: Access, wishes: Wishes, bench: Bench) -> frozenset[str] | None:
    """Show the plan and ask, before the first write; give the steps that were approved, or None for a no."""
    plan = Bench(access, wishes, planning=True, ledger=bench.ledger, seal=bench.seal)
    outcome = provision(items, plan, tell=_tell)
    question = f"\nMake these {len(outcome.steps)} changes in {access.country.environment}? [yes/no] "
    return outcome.signatures if not outcome.steps or _yes(question) else None


def _tell(item: Item, step: Step | None) -> None:
    print(f"{'ok':<6}  {item.title} ({item.id})" if step is None else step.line(), flush=True)


def _ask(gate: str, text: str) -> bool:
    print(f"\nGate {gate}: {text}")
    return _yes("Done? [yes/no] ")


def _yes(question: str) -> bool:
    """Ask; the end of the input is a no."""
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _conclude(outcome: Outcome, access: Access, *, planning: bool) -> int:
    for gate, text in outcome.waiting.items():
        print(f"\nWaiting at {gate}: {text}")
    if outcome.left:
        print(f"\nLeft until then: {', '.join(item.id for item in outcome.left)}")
    local = len(outcome.steps) - outcome.writes
    files = f" and {local} files here" if local else ""
    if planning:
        print(f"\nThe plan has {outcome.writes} writes at MOSIP{files}. Nothing was changed.")
    else:
        print(f"\n{outcome.writes} writes at MOSIP{files}. What was made is kept in {access.keeping.folder}.")
    for text in outcome.questions.values():
        print(f"A question for you: {access.discreet(text)}", file=sys.stderr)
    if outcome.questions:
        return QUESTION
    return WAITING if outcome.waiting and not planning else 0


def _rotate(options: argparse.Namespace, access: Access) -> int:
    partner = access.country.credential_partner
    if options.client == "subscriber" and partner is None:
        raise StopTheRun("the country file asks for no credential_partner, so there is no subscriber")
    identity = Identity.RUNTIME if options.client == "runtime" else Identity.SUBSCRIBER
    client_id = access.country.clients.runtime if partner is None or identity is Identity.RUNTIME else partner.id
    with access.keeping.alone():
        if options.stage:
            rotation.stage(access, client_id)
            where = f"{access.keeping.secrets_file}, at {client_id}, next"
            runtime = "client_secret_next of the connection 'mosip'"
            users = runtime if options.client == "runtime" else "whatever uses it"
            print(f"The next secret is kept in {where}.")
            print(f"Put it into {users}; then: rotate-secret {options.client} --commit")
        elif options.commit:
            print(rotation.commit(access, identity, client_id, force=options.force) + ".")
        else:
            print(rotation.roll_back(access, client_id) + ".")
    return 0


def _connection(options: argparse.Namespace, access: Access) -> int:
    client_id, given = access.country.clients.runtime, access.surroundings.logins.get(Identity.RUNTIME)
    kept = access.keeping.secret(client_id)
    if given is not None and kept is not None and given.secret != kept:
        raise QuestionForOperator(
            f"MOSIP_CLIENT_SECRET is not the secret of {client_id} that is kept here; since a rotation the kept one "
            "counts. Unset it, or set it to the right one"
        )
    settings = runtime_settings(Bench(access))
    extra = {
        "center_id": settings.center_id,
        "machine_id": settings.machine_id,
        "officer_id": settings.officer_id,
        "receiver_url": settings.receiver_url,
        "realm": settings.realm,
        "keycloak_url": access.surroundings.keycloak_url,
        "keycloak_path": settings.keycloak_path,
        "hub_path": settings.hub_path,
        "schema_version": settings.schema_version,
        "language": settings.language,
        **_partner_extra(access),
    }
    made = {
        "mosip": {
            "conn_type": "mosip",
            "host": settings.base_url,
            "login": settings.client_id,
            "password": settings.client_secret,
            "extra": json.dumps(extra),
        }
    }
    replace_private(options.to, json.dumps(made, indent=2) + "\n")
    print(f"Wrote {options.to}: airflow connections import {options.to}")
    return 0


def _partner_extra(access: Access) -> dict[str, str]:
    """Give what brings credentials. Which identifiers the registry may have is for a person to say, not for a file."""
    partner = access.country.credential_partner
    if partner is None:
        return {}
    try:
        secret = access.login(Identity.SUBSCRIBER).secret
    except CredentialMissing:
        secret = ""
    signers = access.keeping.file(SIGNERS_FILE)
    return {
        "partner_id": partner.id,
        "partner_secret": secret,
        "mosip_signing_certificates": signers.name if signers.exists() else "",
    }


if __name__ == "__main__":
    raise SystemExit(main())
