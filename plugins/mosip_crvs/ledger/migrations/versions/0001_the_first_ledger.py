"""The first ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "aid_clocks",
        sa.Column("center_id", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("last_tick", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("center_id", "machine_id"),
    )
    op.create_table(
        "alarms",
        sa.Column("alarm_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("alarm_id"),
    )
    op.create_index(
        "one_alarm_a_subject",
        "alarms",
        ["code", "subject"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "balances",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("balanced", sa.Boolean(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_label", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registry_count", sa.Integer(), nullable=True),
        sa.Column("unread", sa.Integer(), nullable=True),
        sa.Column("moved_on", sa.Integer(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('birth', 'death')", name="kind_known"),
        sa.PrimaryKeyConstraint("batch_id"),
    )
    op.create_index("batches_by_day", "batches", ["day", "kind", "batch_id"], unique=False)
    op.create_table(
        "center_days",
        sa.Column("center_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_holiday", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("center_id", "day"),
    )
    op.create_table(
        "credentials",
        sa.Column("credential_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("aid", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("credential_type", sa.Text(), nullable=True),
        sa.Column("inbox_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="announced", nullable=False),
        sa.Column("cipher_text", sa.LargeBinary(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.CheckConstraint(
            "state IN ('announced', 'fetched', 'opened', 'acknowledged', 'gone', 'refused')", name="state_known"
        ),
        sa.PrimaryKeyConstraint("credential_id"),
        sa.UniqueConstraint("request_id", "event_id", name="one_credential_an_event"),
    )
    op.create_index("credentials_by_aid", "credentials", ["aid"], unique=False)
    op.create_index(
        "credentials_due",
        "credentials",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_index(
        "credentials_kept",
        "credentials",
        ["fetched_at"],
        unique=False,
        postgresql_where=sa.text("cipher_text IS NOT NULL"),
    )
    op.create_index(
        "credentials_waiting",
        "credentials",
        ["problem"],
        unique=False,
        postgresql_where=sa.text("problem LIKE '% %'"),
    )
    op.create_table(
        "evidence",
        sa.Column("evidence_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("aid", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), server_default="", nullable=False),
        sa.Column("moved_from", sa.Text(), nullable=False),
        sa.Column("moved_to", sa.Text(), nullable=False),
        sa.Column("alarm", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("evidence_id"),
        sa.UniqueConstraint("aid", "kind", "body_sha256", "occasion", name="evidence_once"),
        sa.UniqueConstraint("aid", "sequence", name="evidence_in_sequence"),
    )
    op.create_index(
        "evidence_alarms", "evidence", ["received_at"], unique=False, postgresql_where=sa.text("alarm IS NOT NULL")
    )
    op.create_index(
        "evidence_completed_by_poll",
        "evidence",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text(
            "source = 'externalstatus' AND moved_to = 'COMPLETED' AND moved_from <> 'COMPLETED'"
        ),
    )
    op.create_table(
        "handshakes",
        sa.Column("handshake_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("handshake_id"),
    )
    op.create_index("handshakes_by_topic", "handshakes", ["topic", "at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("inbox_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('new', 'settled', 'parked', 'foreign', 'unreadable')", name="state_known"),
        sa.PrimaryKeyConstraint("inbox_id"),
    )
    op.create_index("inbox_by_topic", "inbox", ["topic", "received_at"], unique=False)
    op.create_index(
        "inbox_open", "inbox", ["inbox_id"], unique=False, postgresql_where=sa.text("state IN ('new', 'parked')")
    )
    op.create_table(
        "installation_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_table(
        "pollings",
        sa.Column("polling_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("verdict IN ('answered', 'forbidden', 'poisoned', 'unavailable')", name="verdict_known"),
        sa.PrimaryKeyConstraint("polling_id"),
    )
    op.create_index("pollings_by_time", "pollings", ["call", "taken_at"], unique=False)
    op.create_table(
        "preflights",
        sa.Column("preflight_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("results", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("verdict IN ('PASS', 'WARN', 'FAIL')", name="verdict_known"),
        sa.PrimaryKeyConstraint("preflight_id"),
    )
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("act_number", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("quarantine_id"),
        sa.UniqueConstraint("kind", "registration_id", "act", "act_number", "field", "rule", name="finding_once"),
    )
    op.create_index(
        "quarantine_open", "quarantine", ["kind", "rule"], unique=False, postgresql_where=sa.text("resolved_at IS NULL")
    )
    op.create_table(
        "rate_gates",
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("next_free", sa.Float(), nullable=False),
        sa.Column("paused_until", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("gate"),
    )
    op.create_table(
        "refused_deliveries",
        sa.Column("refused_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body_bytes", sa.Integer(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("refused_id"),
    )
    op.create_index("refused_by_time", "refused_deliveries", ["received_at"], unique=False)
    op.create_table(
        "results",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("act_number", sa.Integer(), nullable=False),
        sa.Column("aid", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("identifier_kind", sa.Text(), nullable=True),
        sa.Column("sealed_identifier", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("delivered_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.CheckConstraint("kind IN ('birth', 'death')", name="kind_known"),
        sa.CheckConstraint(
            "outcome IN ('sent', 'completed', 'issued', 'updates_required', 'information_required')",
            name="outcome_known",
        ),
        sa.PrimaryKeyConstraint("kind", "registration_id", "act", "act_number"),
    )
    op.create_index(
        "results_due", "results", ["next_try_at"], unique=False, postgresql_where=sa.text("delivered_version < version")
    )
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("retiring_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unsubscribing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('requested', 'verified', 'denied', 'ended')", name="state_known"),
        sa.PrimaryKeyConstraint("topic", "callback"),
    )
    op.create_table(
        "applications",
        sa.Column("application_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("act_number", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("aid", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="AID_ASSIGNED", nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("held_code", sa.Text(), nullable=True),
        sa.Column("held_times", sa.Integer(), server_default="0", nullable=False),
        sa.Column("workflow_instance_id", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("triggering_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("triggered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registry_modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_current", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("superseded_by", sa.Text(), nullable=True),
        sa.Column("evidence_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("evidence_head", sa.LargeBinary(), server_default="", nullable=False),
        sa.Column("last_status", sa.Text(), nullable=True),
        sa.Column("last_polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("explain_after", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("act IN ('register', 'correct', 'cancel', 'reverse', 'reinstate')", name="act_known"),
        sa.CheckConstraint("kind IN ('birth', 'death')", name="kind_known"),
        sa.CheckConstraint(
            "state IN ('AID_ASSIGNED', 'TRIGGERING', 'TRIGGERED', 'HALF_CREATED', 'AWAITING_INFO', 'FAILED', "
            "'REJECTED', 'COMPLETED', 'WITHDRAWN')",
            name="state_known",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.batch_id"],
        ),
        sa.PrimaryKeyConstraint("application_id"),
        sa.UniqueConstraint("aid", name="one_event_an_aid"),
    )
    op.create_index("applications_by_batch", "applications", ["batch_id", "state"], unique=False)
    op.create_index(
        "applications_open",
        "applications",
        ["kind", "state", "application_id"],
        unique=False,
        postgresql_where=sa.text("state NOT IN ('COMPLETED', 'REJECTED', 'FAILED', 'WITHDRAWN')"),
    )
    op.create_index(
        "applications_refused",
        "applications",
        ["kind", "application_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('REJECTED', 'FAILED', 'HALF_CREATED') AND is_current"),
    )
    op.create_index(
        "applications_with_relatives",
        "applications",
        ["kind", "registration_id"],
        unique=False,
        postgresql_where=sa.text("supersedes IS NOT NULL OR superseded_by IS NOT NULL"),
    )
    op.create_index(
        "applications_by_settlement",
        "applications",
        ["settled_at"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NOT NULL"),
    )
    op.create_index(
        "applications_to_poll",
        "applications",
        ["next_poll_at"],
        unique=False,
        postgresql_where=sa.text("next_poll_at IS NOT NULL"),
    )
    op.create_index(
        "one_application_an_event",
        "applications",
        ["kind", "registration_id", "act", "act_number"],
        unique=True,
        postgresql_where=sa.text("is_current"),
    )
    op.create_index(
        "one_registration_a_person",
        "applications",
        ["kind", "person_id"],
        unique=True,
        postgresql_where=sa.text("act = 'register' AND person_id IS NOT NULL AND is_current"),
    )
    op.create_table(
        "ranges",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("range_number", sa.Integer(), nullable=False),
        sa.Column("lower_modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lower_id", sa.Text(), nullable=False),
        sa.Column("upper_modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("upper_id", sa.Text(), nullable=False),
        sa.Column("planned_rows", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("held_code", sa.Text(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("held_until", sa.Date(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch_id", "range_number"),
    )
    op.create_index(
        "ranges_unfinished", "ranges", ["batch_id"], unique=False, postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_table(
        "readings",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("act_number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("outcome IN ('known', 'not_eligible', 'quarantined', 'claimed')", name="outcome_known"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch_id", "registration_id", "act", "act_number"),
    )

    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'evidence is append-only';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER evidence_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        CREATE FUNCTION evidence_link(
            before bytea, aid text, sequence integer, kind text, source text, code text, body_sha256 text,
            occasion text, moved_from text, moved_to text, alarm text, received_at timestamptz
        ) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT sha256(before || convert_to(jsonb_build_array(
                aid, sequence, kind, source, code, body_sha256, occasion, moved_from, moved_to, alarm,
                to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
            )::text, 'UTF8'))
        $$
        """
    )


def downgrade() -> None:
    """Undo."""
    op.execute("DROP FUNCTION evidence_link")
    op.execute("DROP TRIGGER evidence_is_append_only ON evidence")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_table("readings")
    op.drop_index("ranges_unfinished", table_name="ranges", postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_table("ranges")
    op.drop_index(
        "one_registration_a_person",
        table_name="applications",
        postgresql_where=sa.text("act = 'register' AND person_id IS NOT NULL AND is_current"),
    )
    op.drop_index("one_application_an_event", table_name="applications", postgresql_where=sa.text("is_current"))
    op.drop_index(
        "applications_with_relatives",
        table_name="applications",
        postgresql_where=sa.text("supersedes IS NOT NULL OR superseded_by IS NOT NULL"),
    )
    op.drop_index(
        "applications_by_settlement", table_name="applications", postgresql_where=sa.text("settled_at IS NOT NULL")
    )
    op.drop_index(
        "applications_to_poll", table_name="applications", postgresql_where=sa.text("next_poll_at IS NOT NULL")
    )
    op.drop_index(
        "applications_refused",
        table_name="applications",
        postgresql_where=sa.text("state IN ('REJECTED', 'FAILED', 'HALF_CREATED') AND is_current"),
    )
    op.drop_index(
        "applications_open",
        table_name="applications",
        postgresql_where=sa.text("state NOT IN ('COMPLETED', 'REJECTED', 'FAILED', 'WITHDRAWN')"),
    )
    op.drop_index("applications_by_batch", table_name="applications")
    op.drop_table("applications")
    op.drop_table("subscriptions")
    op.drop_table("sessions")
    op.drop_index("results_due", table_name="results", postgresql_where=sa.text("delivered_version < version"))
    op.drop_table("results")
    op.drop_index("refused_by_time", table_name="refused_deliveries")
    op.drop_table("refused_deliveries")
    op.drop_table("rate_gates")
    op.drop_index("quarantine_open", table_name="quarantine", postgresql_where=sa.text("resolved_at IS NULL"))
    op.drop_table("quarantine")
    op.drop_table("preflights")
    op.drop_index("pollings_by_time", table_name="pollings")
    op.drop_table("pollings")
    op.drop_table("installation_keys")
    op.drop_index("inbox_open", table_name="inbox", postgresql_where=sa.text("state IN ('new', 'parked')"))
    op.drop_index("inbox_by_topic", table_name="inbox")
    op.drop_table("inbox")
    op.drop_index("handshakes_by_topic", table_name="handshakes")
    op.drop_table("handshakes")
    op.drop_index(
        "evidence_completed_by_poll",
        table_name="evidence",
        postgresql_where=sa.text(
            "source = 'externalstatus' AND moved_to = 'COMPLETED' AND moved_from <> 'COMPLETED'"
        ),
    )
    op.drop_index("evidence_alarms", table_name="evidence", postgresql_where=sa.text("alarm IS NOT NULL"))
    op.drop_table("evidence")
    op.drop_index("credentials_waiting", table_name="credentials", postgresql_where=sa.text("problem LIKE '% %'"))
    op.drop_index("credentials_kept", table_name="credentials", postgresql_where=sa.text("cipher_text IS NOT NULL"))
    op.drop_index("credentials_due", table_name="credentials", postgresql_where=sa.text("next_try_at IS NOT NULL"))
    op.drop_index("credentials_by_aid", table_name="credentials")
    op.drop_table("credentials")
    op.drop_table("center_days")
    op.drop_index("batches_by_day", table_name="batches")
    op.drop_table("batches")
    op.drop_table("balances")
    op.drop_index("one_alarm_a_subject", table_name="alarms", postgresql_where=sa.text("cleared_at IS NULL"))
    op.drop_table("alarms")
    op.drop_table("aid_clocks")
