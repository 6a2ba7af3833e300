"""``python -m quickstart.signed``: provision, with the demo's certification authority at hand."""

from __future__ import annotations

import sys

from quickstart.provisioning import provision_with_authority

if __name__ == "__main__":
    raise SystemExit(provision_with_authority(sys.argv[1:]))
