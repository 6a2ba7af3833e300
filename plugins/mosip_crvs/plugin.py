"""What Airflow's API server shows and serves: the pages, for users only, and the WebSub callback, for the hub."""

from __future__ import annotations

import os
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy import Engine
    from starlette.applications import Starlette
    from starlette.requests import Request

    from mosip_crvs.receiver.store import Store

PAGES_PREFIX = "/mosip-crvs"
CALLBACK_PREFIX = "/mosip-websub"


def pages_app() -> FastAPI:
    """Make the pages' application. Every route of it asks Airflow who is there."""
    from html import escape

    from fastapi import FastAPI, HTTPException
    from fastapi.responses import HTMLResponse, PlainTextResponse

    from mosip_crvs.dashboard import pages
    from mosip_crvs.errors import MosipCrvsError
    from mosip_crvs.reconciliation.drilldown import ALL, KINDS, LISTED, Spot

    app = FastAPI(
        title="Births and deaths to MOSIP",
        dependencies=[_requires_login()],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"}

    @app.get("/", response_class=HTMLResponse)
    def index() -> HTMLResponse:
        return HTMLResponse(pages.index_page(_ledger()), headers=headers)

    @app.get("/balance/{day}.csv", response_class=PlainTextResponse)
    def spreadsheet(day: date) -> PlainTextResponse:
        return PlainTextResponse(pages.balance_csv(_ledger(), day), headers=headers, media_type="text/csv")

    @app.get("/balance/{day}", response_class=HTMLResponse)
    def balance(day: date) -> HTMLResponse:
        return HTMLResponse(pages.balance_page(_ledger(), day), headers=headers)

    @app.get("/balance/{day}/{kind}/{term}", response_class=HTMLResponse)
    def spot(
        day: date,
        kind: str,
        term: str,
        *,
        syncs: str = ALL,
        center: str | None = None,
        reason: str | None = None,
        age: str | None = None,
        after: int = 0,
    ) -> HTMLResponse:
        if kind not in KINDS or term not in LISTED:
            raise HTTPException(404)
        shown = Spot(day, kind, term, syncs, center, reason, age)
        return HTMLResponse(pages.spot_page(_ledger(), shown, after), headers=headers)

    @app.exception_handler(MosipCrvsError)
    def unavailable(_: Request, problem: Exception) -> HTMLResponse:
        return HTMLResponse(f"<p>There is nothing to show: {escape(str(problem))}</p>", 503, headers=headers)

    return app


def callback_app() -> Starlette:
    """Make the WebSub callback's application: public, because the hub proves itself by its signature."""
    from mosip_crvs.receiver.app import create_app

    return create_app(_store)


@cache
def _ledger() -> Engine:
    """Reach the ledger from the API server: by ``$CRVS_LEDGER_URL``, or by the connection.

    :raises StopTheRun: when neither is set.
    """
    from airflow.sdk.exceptions import AirflowNotFoundException

    from mosip_crvs.errors import StopTheRun
    from mosip_crvs.hooks.ledger import LedgerHook
    from mosip_crvs.ledger.connection import connect_to_ledger

    url = os.environ.get("CRVS_LEDGER_URL")
    if url:
        return connect_to_ledger(url)
    try:
        return LedgerHook().get_conn()
    except AirflowNotFoundException:
        raise StopTheRun("the API server has neither CRVS_LEDGER_URL nor the connection crvs_ledger") from None


def _store() -> Store:
    from mosip_crvs.hooks.ledger import LedgerHook
    from mosip_crvs.ledger.sealing import Seal
    from mosip_crvs.receiver.store import Store

    key = os.environ.get("CRVS_SEAL_KEY")
    return Store(_ledger(), Seal(key) if key else LedgerHook().seal)


def _requires_login() -> Any:
    """Ask Airflow's own security; where its internals have moved, let nobody in."""
    from fastapi import Depends, HTTPException

    try:
        from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
        from airflow.api_fastapi.core_api.security import requires_access_view
    except ImportError:

        def deny() -> None:
            raise HTTPException(403, "this Airflow's security is not known to the plugin")

        return Depends(deny)
    return Depends(requires_access_view(AccessView.PLUGINS))


class MosipCrvsPlugin(AirflowPlugin):
    """Registers the pages and the callback."""

    name = "mosip_crvs"
    fastapi_apps: list[Any] = [  # noqa: RUF012 (as Airflow declares it)
        {"app": pages_app(), "url_prefix": PAGES_PREFIX, "name": "Births and deaths to MOSIP"},
        {"app": callback_app(), "url_prefix": CALLBACK_PREFIX, "name": "MOSIP WebSub callback"},
    ]
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "Births and deaths to MOSIP",
            "href": f"{PAGES_PREFIX.lstrip('/')}/",
            "destination": "nav",
            "category": "browse",
            "url_route": "mosip-crvs",
        }
    ]
