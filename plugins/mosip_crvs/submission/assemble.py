"""Putting a submission together from files and connections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from mosip_crvs.errors import ExtractError
from mosip_crvs.identity import eligibility, mapping, schema
from mosip_crvs.identity.page import PageMapper
from mosip_crvs.model import RegistrationKind
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.packet.request import PacketRequests
from mosip_crvs.registry.extract import Extract
from mosip_crvs.submission import supersession
from mosip_crvs.submission.calendar import AskLive, nobody_to_ask
from mosip_crvs.submission.pipeline import Submission
from mosip_crvs.submission.sender import Tls
from mosip_crvs.submission.supersession import AskStatus


@dataclass(frozen=True)
class CountryFiles:
    """Where a country keeps its SQL, mappings, rules and ID schema: the ``include`` folder.

    :param folder: holds ``sql``, ``mappings``, ``rules`` and ``schemas``.
    """

    folder: Path

    def extract(self, kind: RegistrationKind, registry: Engine) -> Extract:
        """Give the extract of one kind of registration.

        :raises ExtractError: when its SQL file is missing.
        """
        file = self.folder / "sql" / f"{kind}.sql"
        try:
            return Extract(registry, file.read_text(encoding="utf-8"))
        except OSError as problem:
            raise ExtractError(f"the extract SQL {file} cannot be read: {type(problem).__name__}") from problem

    def mapper(self, kind: RegistrationKind, schema_version: str) -> PageMapper:
        """Give the compiled mapping of one kind of registration."""
        country = mapping.load(self.folder / "mappings" / f"{kind}.yaml")
        id_schema = schema.load(self.folder / "schemas" / "id-schema.json", country.process, version=schema_version)
        return PageMapper(country, id_schema, eligibility.load(self.folder / "rules" / "eligibility.yaml", kind))


def assemble(
    kind: RegistrationKind,
    files: CountryFiles,
    *,
    registry: Engine,
    ledger: Engine,
    settings: MosipSettings,
    tokens: TokenSource,
    tls: Tls | None = None,
    ask_live: AskLive = nobody_to_ask,
    ask_status: AskStatus = supersession.nobody_to_ask,
) -> Submission:
    """Put together what sending one kind of registration needs.

    :param ask_live: asks MOSIP whether a day is a holiday; without it the ledger and the settings are believed.
    :param ask_status: asks MOSIP whether a refusal stands; without it the announced one is believed.
    """
    mapper = files.mapper(kind, settings.schema_version)
    return Submission(
        kind=kind,
        ledger=ledger,
        extract=files.extract(kind, registry),
        mapper=mapper,
        requests=PacketRequests(settings.registrar, mapper.schema, mapper.mapping.process),
        settings=settings,
        tokens=tokens,
        tls=tls or Tls(),
        ask_live=ask_live,
        ask_status=ask_status,
    )
