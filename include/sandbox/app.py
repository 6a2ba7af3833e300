"""Puts a sandbox together and serves it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.controls import Controls
from sandbox.country import Country
from sandbox.credential_issuance import CredentialIssuance
from sandbox.events import Publisher, WorkflowEvents
from sandbox.faults import Faults
from sandbox.hub import HubService
from sandbox.hub_delivery import Courier, run_worker
from sandbox.hub_state import Hub, Subscription
from sandbox.identities import Identities
from sandbox.network import network
from sandbox.onboarding import Onboarding, Service
from sandbox.operator_desk import OperatorDesk
from sandbox.packet_reader import PacketReader
from sandbox.packet_store import PacketStore
from sandbox.packet_writer import PacketWriter
from sandbox.partner_management import PartnerManagement
from sandbox.record import Record
from sandbox.registrations import Registrations
from sandbox.reprocessor import Reprocessor
from sandbox.settings import Settings
from sandbox.status import StatusService
from sandbox.trigger import Trigger

MAX_BODY = 64 * 1024 * 1024


class Sandbox:
    """A running stand-in. Make one with `start_sandbox`.

    :ivar url: the base URL below which everything lives, without a trailing slash.
    :ivar record: what really happened.
    :ivar faults: what goes wrong.
    """

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        self.settings = settings
        self.url = (settings.public_url or f"http://{settings.host}:{port}").rstrip("/")
        self.record = Record()
        self.faults = Faults(settings.seed, settings.faults, settings.token_seconds, settings.main_processes)
        self.onboarding = Onboarding(settings, self.url, self.faults)
        self.office = self.onboarding.office
        self.store = PacketStore()
        self.registrations = Registrations()
        self.identities = Identities(settings.seed, settings.known_uins)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "ballerina"},
            auto_decompress=False,
        )
        self._courier = Courier(settings, self.faults, self._session, f"{self.url}/hub/")
        self.hub = Hub(self._start_worker, self.faults)
        self._publisher = Publisher(self.hub, self.faults)
        self._events = WorkflowEvents(self._publisher, self.faults, self.record)
        self.partners = PartnerManagement(self.url, self.onboarding)
        issuance = CredentialIssuance(
            self.url,
            self.onboarding,
            self.partners.content,
            hub=self.hub,
            publisher=self._publisher,
            record=self.record,
        )
        self.credentials = issuance.credentials
        self._reprocessor = Reprocessor(
            settings,
            self.faults,
            store=self.store,
            registrations=self.registrations,
            identities=self.identities,
            events=self._events,
            credentials=self.credentials,
            record=self.record,
            country=Country(self.onboarding.masterdata),
        )
        gatekeeper = self.onboarding.gatekeeper
        self._hub_service = HubService(gatekeeper, self.hub, self._courier)
        self._app = web.Application(client_max_size=MAX_BODY, middlewares=[network(self.faults)])
        services: tuple[Service, ...] = (
            PacketWriter(settings, self.faults, gatekeeper, self.store, self.record),
            Trigger(
                self.faults,
                gatekeeper,
                registrations=self.registrations,
                reprocessor=self._reprocessor,
                hub=self.hub,
                record=self.record,
            ),
            PacketReader(gatekeeper, self.store),
            StatusService(gatekeeper, self.registrations, self.faults),
            *self.onboarding.services(),
            self.partners,
            issuance,
            self._hub_service,
            OperatorDesk(settings, self.registrations, self._reprocessor),
            Controls(self.faults, self.record, self._reprocessor, self.registrations, self.hub),
        )
        for service in services:
            self._app.add_routes(service.routes())
        self._runner = web.AppRunner(self._app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        self._listener = listener
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen, and to tick unless `tick_seconds` is 0."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener, backlog=1024).start()
        if self.settings.tick_seconds > 0:
            self._ticking = asyncio.create_task(self._reprocessor.run())

    async def tick(self, quota: int | None = None, *, settle: float = 5.0) -> dict[str, int]:
        """One tick, then wait until its events are delivered. :returns: how many workflows ended in which status."""
        results = await self._reprocessor.tick(quota)
        await self.hub.drained(settle)
        return results

    @property
    def verifying(self) -> int:
        """Intent verifications and denials of the hub that are under way."""
        return self._hub_service.verifying

    def token(
        self, *, seconds: int | None = None, client_id: str | None = None, username: str | None = None
    ) -> str:
        """A token for a client or a user, for tests that are not about getting one."""
        lasting = self.faults.token_seconds if seconds is None else seconds
        return self.onboarding.token(lasting, client_id or self.settings.client_id, username)

    async def close(self) -> None:
        """Stop everything and write the record, if a file was asked for."""
        if self._ticking is not None:
            self._ticking.cancel()
        self._events.close()
        self._publisher.close()
        self._hub_service.close()
        self.hub.close()
        await self._runner.cleanup()
        await self._session.close()
        if self.settings.record_file is not None:
            text = json.dumps(self.record.view(), indent=1)
            await asyncio.to_thread(Path(self.settings.record_file).write_text, text, encoding="utf-8")

    def _start_worker(self, subscription: Subscription) -> asyncio.Task[None]:
        return asyncio.create_task(run_worker(self.hub, self._courier, subscription, self.settings))


async def start_sandbox(settings: Settings | None = None, **overrides: Any) -> Sandbox:
    """A running sandbox in this event loop; `port=0` takes a free one.

    :param settings: what it shall be like; the defaults if None.
    :param overrides: single fields of `Settings` to change, for instance `tick_seconds=0`.
    """
    chosen = dataclasses.replace(settings or Settings(), **overrides)
    listener = socket.create_server((chosen.host, chosen.port), backlog=1024)
    listener.setblocking(False)
    sandbox = Sandbox(chosen, listener)
    await sandbox.start()
    return sandbox
