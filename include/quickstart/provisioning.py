"""``python -m quickstart.provisioning``: prepare the stack's sandbox as a country prepares its MOSIP, or only look.

The same commands as a country's (`docs/onboarding.md`); the demo's own certification authority signs in between.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mosip_crvs.onboarding.__main__ import WAITING
from mosip_crvs.onboarding.__main__ import main as onboarding
from quickstart import local_http
from quickstart.authority import sign_requests
from quickstart.places import write_private

PARTNER = "crvs-partner"
GATE = "G3"
PROVISION = ("provision", "--yes", "--publish-id-schema", "--attest", GATE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Provision (``provision``), then look; or only look (``look``). What was found is written beside the state."""
    (what,) = sys.argv[1:] if arguments is None else arguments
    if what == "provision" and (code := provision_with_authority(PROVISION)):
        return code
    findings = io.StringIO()
    with contextlib.redirect_stdout(findings):
        code = onboarding(["preflight", "--json", *(["--probes"] if what == "provision" else [])])
    write_private(Path(os.environ["CRVS_ONBOARDING_DIR"]) / "preflight.json", findings.getvalue())
    print(findings.getvalue())
    return code if what == "provision" else 0


def provision_with_authority(arguments: Sequence[str]) -> int:
    """Provision; where it waits for certificates, sign them and go on."""
    if GATE in arguments and "--plan" not in arguments:
        pass_gate(os.environ["MOSIP_URL"])
    code = onboarding(arguments)
    if code == WAITING and "--plan" not in arguments:
        folder = Path(os.environ["CRVS_ONBOARDING_DIR"])
        if signed := sign_requests(folder, "demo"):
            print(f"\nThe demo's certification authority signed {signed} requests.\n", flush=True)
            return onboarding(arguments)
    return code


def pass_gate(mosip_url: str) -> None:
    """Do at the sandbox what a person who attests the gate says to have done: let the partner's client in.

    Data share gives out credentials, and the ID repository has lost ones issued again.
    """
    page = f"{mosip_url}/sandbox/configuration"
    audiences = local_http.send(page, seconds=30.0)["audiences"]
    change = {name: sorted({*audiences[name], PARTNER}) for name in ("datashare", "idrepo")}
    local_http.post(page, {"audiences": change}, seconds=30.0)


if __name__ == "__main__":
    raise SystemExit(main())
