"""Where a stack keeps its things: all of it below ``.demo/`` of the clone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Places:
    """The paths of one clone.

    :param root: the folder that holds ``dags/``, ``plugins/`` and ``include/``.
    """

    root: Path

    @property
    def demo(self) -> Path:
        return self.root / ".demo"

    @property
    def stack_file(self) -> Path:
        return self.demo / "stack.json"

    @property
    def secrets_file(self) -> Path:
        return self.demo / "secrets.json"

    @property
    def lock_file(self) -> Path:
        return self.demo / "lock"

    @property
    def supervisor_log(self) -> Path:
        return self.demo / "supervisor.log"

    @property
    def postgres(self) -> Path:
        return self.demo / "pg"

    @property
    def airflow_home(self) -> Path:
        return self.demo / "airflow"

    @property
    def passwords_file(self) -> Path:
        return self.airflow_home / "passwords.json"

    @property
    def logs(self) -> Path:
        return self.demo / "logs"

    @property
    def balance_json(self) -> Path:
        return self.demo / "balance.json"

    @property
    def balance_html(self) -> Path:
        return self.demo / "balance.html"

    @property
    def sandbox_record(self) -> Path:
        return self.demo / "sandbox.json"

    @property
    def onboarding(self) -> Path:
        """Ids, secrets and keys of what was provisioned."""
        return self.demo / "onboarding"

    def provisioned(self) -> dict[str, str]:
        """The ids that the sandbox gave, by name; empty before provisioning."""
        return dict((read_json(self.onboarding / "demo.state.json") or {}).get("ids", {}))

    def client_secrets(self, client_id: str) -> dict[str, str]:
        """The secrets that provisioning made for a client: ``current``, and ``next`` while it is being changed."""
        return dict((read_json(self.onboarding / "demo.secrets.json") or {}).get(client_id, {}))

    def forget_provisioned(self) -> None:
        """Forget ids and gates: each sandbox starts as a stock MOSIP. Secrets, keys and certificates stay."""
        (self.onboarding / "demo.state.json").unlink(missing_ok=True)

    def earlier_sandbox_records(self) -> list[Path]:
        """The records of the sandboxes of earlier starts on the same state; each sandbox starts empty."""
        return sorted(self.demo.glob("sandbox-*.json"))

    def keep_sandbox_record(self) -> None:
        """Put the last sandbox's record out of the next one's way."""
        if self.sandbox_record.exists():
            self.sandbox_record.rename(self.demo / f"sandbox-{len(self.earlier_sandbox_records()) + 1}.json")

    def log(self, component: str) -> Path:
        """The log file of one child process."""
        return self.logs / f"{component}.log"

    def has_state(self) -> bool:
        """Whether an earlier stack left a database behind."""
        return (self.postgres / "PG_VERSION").exists()

    def empty(self) -> None:
        """Remove what an earlier stack left, except the two files that the calling supervisor holds open."""
        if not self.demo.exists():
            return
        for entry in self.demo.iterdir():
            if entry in (self.lock_file, self.supervisor_log):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def this_clone() -> Places:
    """The clone this package lies in."""
    return Places(Path(__file__).resolve().parents[2])


def write_private(path: Path, content: Mapping[str, Any] | str) -> None:
    """Replace a file in one step, readable by its owner only: a reader never sees half of it."""
    text = content if isinstance(content, str) else json.dumps(content, indent=2, default=str) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None when there is no such file or no object in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return content if isinstance(content, dict) else None
