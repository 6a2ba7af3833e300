"""What provisioning made itself, as its state file says. Anything else may be somebody's: it is asked about."""

from __future__ import annotations

from collections.abc import Callable

from mosip_crvs.errors import StopTheRun
from mosip_crvs.onboarding.provision import Bench


def making(bench: Bench, kind: str, name: str, create: Callable[[], None]) -> Callable[[], None]:
    """Give the work of a step that makes something of which MOSIP chooses the id.

    That it is being made is kept before MOSIP hears of it, so that it is known for ours after a kill in between.
    """

    def perform() -> None:
        bench.keeping.pin({f"making/{kind}": name, f"made/{kind}": ""})
        try:
            create()
        except StopTheRun:
            bench.keeping.forget(f"making/{kind}")  # refused: one that is there later is not ours
            raise

    return perform


def made_here(bench: Bench, kind: str, row_id: str, name: str) -> dict[str, str]:
    """Give what to keep of a thing that we made; nothing of one that may be somebody's.

    Once its id was seen, the id alone counts: a name may be given twice, and be given anew.

    :param name: that it has now.
    """
    kept = bench.keeping.ids
    known = kept.get(f"made/{kind}")
    ours = known == row_id if known else kept.get(f"making/{kind}") == name
    return {f"made/{kind}": row_id} if ours else {}
