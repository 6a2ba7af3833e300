"""The ledger's tables. Migrations create them; a test holds the two against each other.

No name, date of birth, identity number or any other content of a registration can be read here: only the registry's
numbers of registrations and persons, AIDs, codes, counts and times. What MOSIP issued is kept sealed or encrypted.
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

from mosip_crvs.model import Act, ApplicationState, ReadingOutcome, RegistrationKind, ResultOutcome

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
    Column("registry_count", Integer),
    Column("unread", Integer),
    Column("moved_on", Integer),
    _moment("counted_at"),
    _one_of("kind", list(RegistrationKind)),
    Index("batches_by_day", "day", "kind", "batch_id"),
)
"""One reading of a window of the registry, for one kind of registration.

``registry_count`` is what the registry itself counted in the window at ``counted_at``; ``unread`` of those were never
read, and ``moved_on`` were read and have changed since, so that they belong to a later window.
"""

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
    _moment("registry_modified_at"),
    _moment("seen_modified_at"),
    Column("is_current", Boolean, nullable=False, server_default="true"),
    Column("supersedes", Text),
    Column("superseded_by", Text),
    Column("evidence_count", Integer, nullable=False, server_default="0"),
    Column("evidence_head", LargeBinary, nullable=False, server_default=""),
    Column("last_status", Text),
    _moment("last_polled_at"),
    _moment("next_poll_at"),
    Column("polls", Integer, nullable=False, server_default="0"),
    _moment("explain_after"),
    UniqueConstraint("aid", name="one_event_an_aid"),
    ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
    _one_of("kind", list(RegistrationKind)),
    _one_of("act", list(Act)),
    _one_of("state", list(ApplicationState)),
    Index(
        "one_application_an_event", "kind", "registration_id", "act", "act_number", unique=True,
        postgresql_where=text("is_current"),
    ),
    Index(
        "one_registration_a_person", "kind", "person_id", unique=True,
        postgresql_where=text("act = 'register' AND person_id IS NOT NULL AND is_current"),
    ),
    Index("applications_by_batch", "batch_id", "state"),
    Index(
        "applications_open", "kind", "state", "application_id",
        postgresql_where=text("state NOT IN ('COMPLETED', 'REJECTED', 'FAILED', 'WITHDRAWN')"),
    ),
    Index(
        "applications_with_relatives", "kind", "registration_id",
        postgresql_where=text("supersedes IS NOT NULL OR superseded_by IS NOT NULL"),
    ),
    Index("applications_by_settlement", "settled_at", postgresql_where=text("settled_at IS NOT NULL")),
    Index("applications_to_poll", "next_poll_at", postgresql_where=text("next_poll_at IS NOT NULL")),
    Index(
        "applications_refused", "kind", "application_id",
        postgresql_where=text("state IN ('REJECTED', 'FAILED', 'HALF_CREATED') AND is_current"),
    ),
)  # fmt: skip
"""An event's application; of several, one superseding the other, exactly one is current.

``held_code`` says why an unsent one waits, ``held_times`` how often. ``registry_modified_at`` is when the registry had
last changed what was sent, ``seen_modified_at`` the newest change that was read since. ``evidence_head`` is the last
link of the chain over the application's ``evidence_count`` rows of evidence. ``last_status`` is MOSIP's last word when
it was asked, be it a status or the code of its refusal to say.
"""

evidence = Table(
    "evidence",
    metadata,
    Column("evidence_id", BigInteger, Identity(always=True), primary_key=True),
    Column("aid", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("code", Text),
    Column("body_sha256", Text, nullable=False),
    Column("occasion", Text, nullable=False, server_default=""),
    Column("moved_from", Text, nullable=False),
    Column("moved_to", Text, nullable=False),
    Column("alarm", Text),
    _moment("received_at", nullable=False),
    Column("link", LargeBinary, nullable=False),
    UniqueConstraint("aid", "kind", "body_sha256", "occasion", name="evidence_once"),
    UniqueConstraint("aid", "sequence", name="evidence_in_sequence"),
    Index("evidence_alarms", "received_at", postgresql_where=text("alarm IS NOT NULL")),
    Index(
        "evidence_completed_by_poll", "received_at",
        postgresql_where=text("source = 'externalstatus' AND moved_to = 'COMPLETED' AND moved_from <> 'COMPLETED'"),
    ),
)  # fmt: skip
"""Append-only: what MOSIP said of an application and what that moved.

``occasion`` tells two sayings of the same thing apart where that matters, as for answers to questions; it is empty for
notifications, which repeat. ``link`` is the row's hash over its content and the link before it.
"""

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
    Index("inbox_by_topic", "topic", "received_at"),
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
    _moment("retiring_at"),
    _moment("unsubscribing_at"),
    _moment("delivered_at"),
    _moment("refused_at"),
    PrimaryKeyConstraint("topic", "callback"),
    _one_of("state", ["requested", "verified", "denied", "ended"]),
)
"""What we asked the hub for. ``answered_at`` is its last sign, be it a challenge or a denial.

``retiring_at`` is set on a callback whose successor, with a new secret, is being put beside it, ``unsubscribing_at``
when we last asked the hub to forget it. ``delivered_at`` and ``refused_at`` are about when a delivery to the callback
was last believed and last not.
"""

handshakes = Table(
    "handshakes",
    metadata,
    Column("handshake_id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("reason", Text),
    _moment("at", nullable=False, server_default=func.clock_timestamp()),
    Index("handshakes_by_topic", "topic", "at"),
)
"""Every step of our dealings with the hub: what we asked, how it answered, when it came to ask back."""

credentials = Table(
    "credentials",
    metadata,
    Column("credential_id", BigInteger, Identity(always=True), primary_key=True),
    Column("aid", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("partner_id", Text, nullable=False),
    Column("credential_type", Text),
    Column("inbox_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="announced"),
    Column("cipher_text", LargeBinary),
    Column("proof", Text),
    Column("problem", Text),
    Column("tries", Integer, nullable=False, server_default="0"),
    _moment("announced_at", nullable=False, server_default=func.now()),
    _moment("fetched_at"),
    _moment("opened_at"),
    _moment("acknowledged_at"),
    _moment("next_try_at", server_default=func.now()),
    UniqueConstraint("request_id", "event_id", name="one_credential_an_event"),
    _one_of("state", ["announced", "fetched", "opened", "acknowledged", "gone", "refused"]),
    Index("credentials_by_aid", "aid"),
    Index("credentials_due", "next_try_at", postgresql_where=text("next_try_at IS NOT NULL")),
    Index("credentials_kept", "fetched_at", postgresql_where=text("cipher_text IS NOT NULL")),
    Index("credentials_waiting", "problem", postgresql_where=text("problem LIKE '% %'")),
)
"""Credentials on their way from MOSIP to the registry.

The link to one, and its signature, are in the body of its notification, ``inbox_id``. ``cipher_text`` is what MOSIP
encrypted to our partner's key, as it came; it and the body are erased once it was opened, and what was in it is not
kept. ``proof`` is what MOSIP's signature was worth. ``problem`` is a code, and after a blank what the row waits for:
another key, another list of hosts. ``next_try_at`` is empty when nothing is left to do.
"""

results = Table(
    "results",
    metadata,
    Column("kind", Text, nullable=False),
    Column("registration_id", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("act_number", Integer, nullable=False),
    Column("aid", Text),
    Column("outcome", Text, nullable=False),
    Column("code", Text),
    Column("identifier_kind", Text),
    Column("sealed_identifier", LargeBinary),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("delivered_version", Integer, nullable=False, server_default="0"),
    _moment("changed_at", nullable=False, server_default=func.now()),
    _moment("delivered_at"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("problem", Text),
    _moment("next_try_at", server_default=func.now()),
    PrimaryKeyConstraint("kind", "registration_id", "act", "act_number"),
    _one_of("kind", list(RegistrationKind)),
    _one_of("outcome", list(ResultOutcome)),
    Index("results_due", "next_try_at", postgresql_where=text("delivered_version < version")),
)
"""What the registry is to be told of each event. ``version`` grows with every change; the registry keeps the highest.

``code`` is a code of MOSIP's or of ours, from which the sentence for the registrar is made.
"""

alarms = Table(
    "alarms",
    metadata,
    Column("alarm_id", BigInteger, Identity(always=True), primary_key=True),
    Column("code", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("other", Text),
    Column("details", Text),
    _moment("raised_at", nullable=False, server_default=func.now()),
    _moment("seen_at", nullable=False, server_default=func.now()),
    _moment("cleared_at"),
    _moment("notified_at"),
    Index("one_alarm_a_subject", "code", "subject", unique=True, postgresql_where=text("cleared_at IS NULL")),
)
"""What a person must look at. ``subject`` is an AID, a topic or a day, ``other`` a second AID; never a registration."""

pollings = Table(
    "pollings",
    metadata,
    Column("polling_id", BigInteger, Identity(always=True), primary_key=True),
    Column("call", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("silent", Integer, nullable=False, server_default="0"),
    Column("problem", Text),
    _moment("taken_at", nullable=False, server_default=func.now()),
    _one_of("verdict", ["answered", "forbidden", "poisoned", "unavailable"]),
    Index("pollings_by_time", "call", "taken_at"),
)
"""Runs of asking MOSIP. ``silent`` counts results that no notification had announced before they were asked for."""

installation_keys = Table(
    "installation_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("public_key", Text, nullable=False),
    Column("sealed_private_key", LargeBinary, nullable=False),
    _moment("made_at", nullable=False, server_default=func.now()),
)
"""The keys by which this installation signs balances, newest last."""

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
    Column("document", Text),
    Column("signature", LargeBinary),
    Column("key_id", Text),
)
"""The last balance of each day; ``signature`` is over the very text of ``document``."""
