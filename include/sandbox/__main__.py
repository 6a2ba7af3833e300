"""`python -m sandbox`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.app import start_sandbox
from sandbox.faults import FAULTS, SERVICES, is_fault, table
from sandbox.settings import CRVS_PROCESSES, CRVS_ROLES, SHIPPED_MAIN_PROCESSES, Client, Settings


def _fault(text: str) -> tuple[str, float]:
    name, _, probability = text.partition("=")
    if not is_fault(name):
        raise argparse.ArgumentTypeError(f"unknown fault {name!r}; known: {', '.join(FAULTS)}")
    return name, float(probability or "1")


class _ListFaults(argparse.Action):
    """Prints every fault with its meaning, and leaves."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(table())
        parser.exit()


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"no date: {text!r}") from None


def _file(text: str) -> str:
    try:
        return Path(text).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as problem:
        raise argparse.ArgumentTypeError(f"cannot be read: {problem}") from None


def _client(text: str) -> Client:
    client_id, secret, roles = text.split(":", 2)
    return Client(client_id, secret, frozenset(roles.split(",")))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    default = Settings()
    found = argparse.ArgumentParser(prog="sandbox", description="A stand-in for MOSIP, with its documented faults.")
    add = found.add_argument
    add("--host", default=default.host)
    add("--port", type=int, default=8090)
    add("--public-url", help="base URL as clients see it; issuer of the tokens (default: http://HOST:PORT)")
    add("--client-id", default=default.client_id)
    add("--client-secret", default=os.environ.get("MOSIP_CLIENT_SECRET", default.client_secret))
    add("--empty", action="store_true", help="a stock MOSIP: nothing is onboarded")
    add("--keycloak-prefix", default=default.keycloak_prefix, help="/auth, or nothing for Keycloak 17 and later")
    add("--realm-manager", action="append", default=[], metavar="USER", help="may use Keycloak's admin API; repeatable")
    add("--role", action="append", help="role of the CRVS client, instead of the granted set; repeatable")
    add("--client", action="append", type=_client, default=[], metavar="ID:SECRET:ROLE,ROLE", help="another client")
    add("--center-id", action="append", help=f"known centre, repeatable (default {min(default.center_ids)})")
    add("--machine-id", action="append", help=f"known machine, repeatable (default {min(default.machine_ids)})")
    add("--officer-id", action="append", help=f"known officer, repeatable (default {min(default.officer_ids)})")
    add("--holiday", action="append", type=_day, default=[], metavar="YYYY-MM-DD", help="packets created on it fail")
    add("--token-seconds", type=int, default=default.token_seconds)
    add("--tick-seconds", type=float, default=default.tick_seconds, help="0: only POST /sandbox/tick")
    add("--tick-quota", type=int, default=default.tick_quota)
    add("--seed", type=int, default=default.seed)
    add("--record", metavar="FILE", help="write the record here on exit")
    services = ", ".join(dict.fromkeys(SERVICES.values()))
    where = f"repeatable; those of the network also as NAME@SERVICE=PROBABILITY ({services}, other)"
    add("--fault", action="append", type=_fault, default=[], metavar="NAME=PROBABILITY", help=where)
    add("--list-faults", action=_ListFaults, nargs=0, help="print every fault with its meaning, and leave")
    add("--shipped-main-processes", action="store_true", help="externalstatus fails with RPR-RGS-018, as shipped")
    add("--create-ms", type=float, default=default.create_seconds * 1000, help="time a createPacket takes")
    add("--retry-seconds", type=float, default=default.retry_seconds, help="hub's first interval between retries")
    add("--callback-timeout", type=float, default=default.callback_timeout_seconds)
    add("--poll-records", type=int, default=default.poll_records, help="records per poll of a hub worker")
    add("--sync-seconds", type=float, default=default.sync_seconds, help="delay of a new subscriber's consumer")
    add("--known-uins", choices=("any", "issued"), default=default.known_uins)
    add("--credential-partner", default=default.credential_partner, help="gets credentials if onboarded; '' for nobody")
    add("--credential-certificate", type=_file, metavar="FILE", help="PEM of that partner (default: one made here)")
    add("--credential-suffix", default="", help="makes the id of a credential request predictable: AID and suffix")
    add("--digest-field", action="append", help="identity field that tells children apart; repeatable")
    return found


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Settings from a command line."""
    given = parser().parse_args(arguments)
    default = Settings()

    def chosen(values: list[str] | None, otherwise: frozenset[str]) -> frozenset[str]:
        return frozenset(values) if values else otherwise

    return Settings(
        host=given.host,
        port=given.port,
        public_url=given.public_url,
        onboarded=not given.empty,
        keycloak_prefix=given.keycloak_prefix.rstrip("/"),
        admin_secret=os.environ.get("SANDBOX_ADMIN_SECRET", default.admin_secret),
        globaladmin_secret=os.environ.get("SANDBOX_GLOBALADMIN_SECRET", default.globaladmin_secret),
        provisioner_secret=os.environ.get("SANDBOX_PROVISIONER_SECRET", default.provisioner_secret),
        realm_managers=frozenset(given.realm_manager),
        client_id=given.client_id,
        client_secret=given.client_secret,
        client_roles=chosen(given.role, CRVS_ROLES),
        other_clients=(*default.other_clients, *given.client),
        center_ids=chosen(given.center_id, default.center_ids),
        machine_ids=chosen(given.machine_id, default.machine_ids),
        officer_ids=chosen(given.officer_id, default.officer_ids),
        holidays=frozenset(given.holiday),
        token_seconds=given.token_seconds,
        seed=given.seed,
        tick_seconds=given.tick_seconds,
        tick_quota=given.tick_quota,
        main_processes=SHIPPED_MAIN_PROCESSES
        if given.shipped_main_processes
        else SHIPPED_MAIN_PROCESSES | CRVS_PROCESSES,
        create_seconds=given.create_ms / 1000,
        retry_seconds=given.retry_seconds,
        callback_timeout_seconds=given.callback_timeout,
        poll_records=given.poll_records,
        sync_seconds=given.sync_seconds,
        known_uins=given.known_uins,
        credential_partner=given.credential_partner,
        credential_secret=os.environ.get("SANDBOX_PARTNER_SECRET", default.credential_secret),
        credential_certificate=given.credential_certificate,
        credential_id_suffix=given.credential_suffix,
        digest_fields=tuple(given.digest_field) if given.digest_field else None,
        faults=dict(given.fault),
        record_file=given.record,
    )


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    sandbox = await start_sandbox(settings)
    print(f"sandbox ready at {sandbox.url}", flush=True)
    await stopped.wait()
    await sandbox.close()


def main() -> None:
    """Entry point."""
    gc.set_threshold(100_000, 50, 100)  # Packets are kept for ever; looking through them often finds nothing.
    asyncio.run(serve(read_settings()))


if __name__ == "__main__":
    main()
