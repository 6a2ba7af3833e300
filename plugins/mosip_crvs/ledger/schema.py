"""The ledger's tables. Migrations create them; a test holds the two against each other.

No name, date of birth, identity number or any other content of a registration is kept here: only the registry's
numbers of registrations and persons, AIDs, codes, counts and times.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mosip_crvs.model import Act, ApplicationState, ReadingOutcome, RegistrationKind

metadata = MetaData()


def _one_of(column: str, allowed: list[str]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in allowed)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _moment(name: str, **options: object) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]


sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Integer, Identity(always=True), primary_key=True),
    Column("label", Text, nullable=False),
    _moment("started_at", nullable=False, server_default=func.now()),
    _moment("seen_at", nullable=False, server_default=func.now()),
    _moment("ended_at"),
)
"""One run of a sending task. It holds an advisory lock of its number while it lives."""

batches = Table(
    "batches",
    metadata,
    Column("batch_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    _moment("window_start", nullable=False),
    _moment("window_end", nullable=False),
    Column("run_label", Text, nullable=False),
    _moment("planned_at", nullable=False, server_default=func.now()),
    _moment("finished_at"),
    _one_of("kind", list(RegistrationKind)),
    Index("batches_by_day", "day", "kind", "batch_id"),
)
"""One reading of a window of the registry, for one kind of registration."""

ranges = Table(
    "ranges",
    metadata,
    Column("batch_id", BigInteger, nullable=False),
    Column("range_number", Integer, nullable=False),
    _moment("lower_modified_at", nullable=False),
    Column("lower_id", Text, nullable=False),
    _moment("upper_modified_at", nullable=False),
    Column("upper_id", Text, nullable=False),
    Column("planned_rows", Integer, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("held_code", Text),
    Column("held_on", Date),
    Column("held_until", Date),
    _moment("finished_at"),
    PrimaryKeyConstraint("batch_id", "range_number"),
    ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], ondelete="CASCADE"),
    Index("ranges_unfinished", "batch_id", postgresql_where=text("finished_at IS NULL")),
)
"""Parts of a batch's window, lower bound included, upper excluded. One mapped task takes one.

``held_code`` says why one that was read to its end waits, ``held_on`` for which day, ``held_until`` when it goes on. A
batch is held when all its unfinished ranges are.
"""

readings = Table(
    "readings",
    metadata,
    Column("batch_id", BigInteger, nullable=False),
    Column("registration_id", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("act_number", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    PrimaryKeyConstraint("batch_id", "registration_id", "act", "act_number"),
    ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], ondelete="CASCADE"),
    _one_of("outcome", list(ReadingOutcome)),
)
"""Every event that a batch read, with the one thing it came to: the left side of the balance."""

applications = Table(
    "applications",
    metadata,
    Column("application_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("registration_id", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("act_number", Integer, nullable=False),
    Column("person_id", Text),
    Column("aid", Text, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default=ApplicationState.AID_ASSIGNED),
    Column("session_id", Integer),
    Column("held_code", Text),
    Column("held_times", Integer, nullable=False, server_default="0"),
    Column("workflow_instance_id", Text),
    _moment("claimed_at", nullable=False, server_default=func.now()),
    _moment("triggering_at"),
    _moment("triggered_at"),
    _moment("settled_at"),
    UniqueConstraint("kind", "registration_id", "act", "act_number", name="one_application_an_event"),
    UniqueConstraint("aid", name="one_event_an_aid"),
    ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
    _one_of("kind", list(RegistrationKind)),
    _one_of("act", list(Act)),
    _one_of("state", list(ApplicationState)),
    Index(
        "one_registration_a_person", "kind", "person_id", unique=True,
        postgresql_where=text("act = 'register' AND person_id IS NOT NULL"),
    ),
    Index("applications_by_batch", "batch_id", "state"),
    Index(
        "applications_open", "kind", "state", "application_id",
        postgresql_where=text("state NOT IN ('COMPLETED', 'REJECTED', 'FAILED')"),
    ),
)  # fmt: skip
"""An event's one application, for ever. ``held_code`` says why an unsent one waits, ``held_times`` how often."""

evidence = Table(
    "evidence",
    metadata,
    Column("evidence_id", BigInteger, Identity(always=True), primary_key=True),
    Column("aid", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("code", Text),
    Column("body_sha256", Text, nullable=False),
    Column("moved_from", Text, nullable=False),
    Column("moved_to", Text, nullable=False),
    Column("alarm", Text),
    _moment("received_at", nullable=False, server_default=func.now()),
    UniqueConstraint("aid", "kind", "body_sha256", name="evidence_once"),
    Index("evidence_alarms", "received_at", postgresql_where=text("alarm IS NOT NULL")),
)
"""Append-only: what MOSIP said of an application and what that moved."""

inbox = Table(
    "inbox",
    metadata,
    Column("inbox_id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("body", LargeBinary),
    Column("body_sha256", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="new"),
    Column("problem", Text),
    _moment("received_at", nullable=False, server_default=func.now()),
    _moment("processed_at"),
    _one_of("state", ["new", "settled", "parked", "foreign", "unreadable"]),
    Index("inbox_open", "inbox_id", postgresql_where=text("state IN ('new', 'parked')")),
)
"""Notifications as received. The body of one about somebody else's application is not kept."""

refused_deliveries = Table(
    "refused_deliveries",
    metadata,
    Column("refused_id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text),
    Column("reason", Text, nullable=False),
    Column("body_bytes", Integer, nullable=False),
    Column("body_sha256", Text, nullable=False),
    _moment("received_at", nullable=False, server_default=func.now()),
    Index("refused_by_time", "received_at"),
)
"""Posts to the receiver that no hub of ours signed. Their bodies are not kept."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("registration_id", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("act_number", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    _moment("first_seen_at", nullable=False, server_default=func.now()),
    _moment("last_seen_at", nullable=False, server_default=func.now()),
    _moment("resolved_at"),
    UniqueConstraint("kind", "registration_id", "act", "act_number", "field", "rule", name="finding_once"),
    Index("quarantine_open", "kind", "rule", postgresql_where=text("resolved_at IS NULL")),
)
"""Why an event was not sent: a finding a row, resolved when the registry was corrected."""

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("topic", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    _moment("requested_at", nullable=False, server_default=func.now()),
    _moment("verified_at"),
    _moment("answered_at"),
    Column("reason", Text),
    PrimaryKeyConstraint("topic", "callback"),
    _one_of("state", ["requested", "verified", "denied"]),
)
"""What we asked the hub for. ``answered_at`` is its last sign, be it a challenge or a denial."""

aid_clocks = Table(
    "aid_clocks",
    metadata,
    Column("center_id", Text, nullable=False),
    Column("machine_id", Text, nullable=False),
    Column("last_tick", BigInteger, nullable=False),
    PrimaryKeyConstraint("center_id", "machine_id"),
)
"""The last AID tick handed out, for each centre and machine."""

center_days = Table(
    "center_days",
    metadata,
    Column("center_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("is_holiday", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    _moment("learned_at", nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("center_id", "day"),
)
"""Which days of a centre are holidays, as MOSIP told somebody who may ask."""

rate_gates = Table(
    "rate_gates",
    metadata,
    Column("gate", Text, primary_key=True),
    Column("next_free", Float, nullable=False),
    Column("paused_until", Float, nullable=False, server_default="0"),
)
"""When the next event may be sent, and until when MOSIP asked for quiet; seconds since 1970 by this server's clock."""

preflights = Table(
    "preflights",
    metadata,
    Column("preflight_id", BigInteger, Identity(always=True), primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("results", JSONB, nullable=False),
    _moment("taken_at", nullable=False, server_default=func.now()),
    _one_of("verdict", ["PASS", "WARN", "FAIL"]),
)
"""What each look at MOSIP's prerequisites found."""

balances = Table(
    "balances",
    metadata,
    Column("day", Date, primary_key=True),
    Column("terms", JSONB, nullable=False),
    Column("balanced", Boolean, nullable=False),
    _moment("taken_at", nullable=False, server_default=func.now()),
)
"""The last balance of each day."""
