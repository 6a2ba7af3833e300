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
        "balances",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("balanced", sa.Boolean(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
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
        "evidence",
        sa.Column("evidence_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("aid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("moved_from", sa.Text(), nullable=False),
        sa.Column("moved_to", sa.Text(), nullable=False),
        sa.Column("alarm", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("evidence_id"),
        sa.UniqueConstraint("aid", "kind", "body_sha256", name="evidence_once"),
    )
    op.create_index(
        "evidence_alarms", "evidence", ["received_at"], unique=False, postgresql_where=sa.text("alarm IS NOT NULL")
    )
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
    op.create_index(
        "inbox_open", "inbox", ["inbox_id"], unique=False, postgresql_where=sa.text("state IN ('new', 'parked')")
    )
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
        sa.CheckConstraint("state IN ('requested', 'verified', 'denied')", name="state_known"),
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
        sa.CheckConstraint("act IN ('register', 'correct', 'cancel', 'reverse', 'reinstate')", name="act_known"),
        sa.CheckConstraint("kind IN ('birth', 'death')", name="kind_known"),
        sa.CheckConstraint(
            "state IN ('AID_ASSIGNED', 'TRIGGERING', 'TRIGGERED', 'AWAITING_INFO', 'FAILED', 'REJECTED', 'COMPLETED')",
            name="state_known",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.batch_id"],
        ),
        sa.PrimaryKeyConstraint("application_id"),
        sa.UniqueConstraint("aid", name="one_event_an_aid"),
        sa.UniqueConstraint("kind", "registration_id", "act", "act_number", name="one_application_an_event"),
    )
    op.create_index("applications_by_batch", "applications", ["batch_id", "state"], unique=False)
    op.create_index(
        "applications_open",
        "applications",
        ["kind", "state", "application_id"],
        unique=False,
        postgresql_where=sa.text("state NOT IN ('COMPLETED', 'REJECTED', 'FAILED')"),
    )
    op.create_index(
        "one_registration_a_person",
        "applications",
        ["kind", "person_id"],
        unique=True,
        postgresql_where=sa.text("act = 'register' AND person_id IS NOT NULL"),
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


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TRIGGER evidence_is_append_only ON evidence")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_table("readings")
    op.drop_index("ranges_unfinished", table_name="ranges", postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_table("ranges")
    op.drop_index(
        "one_registration_a_person",
        table_name="applications",
        postgresql_where=sa.text("act = 'register' AND person_id IS NOT NULL"),
    )
    op.drop_index(
        "applications_open",
        table_name="applications",
        postgresql_where=sa.text("state NOT IN ('COMPLETED', 'REJECTED', 'FAILED')"),
    )
    op.drop_index("applications_by_batch", table_name="applications")
    op.drop_table("applications")
    op.drop_table("subscriptions")
    op.drop_table("sessions")
    op.drop_index("refused_by_time", table_name="refused_deliveries")
    op.drop_table("refused_deliveries")
    op.drop_table("rate_gates")
    op.drop_table("preflights")
    op.drop_index("quarantine_open", table_name="quarantine", postgresql_where=sa.text("resolved_at IS NULL"))
    op.drop_table("quarantine")
    op.drop_index("inbox_open", table_name="inbox", postgresql_where=sa.text("state IN ('new', 'parked')"))
    op.drop_table("inbox")
    op.drop_index("evidence_alarms", table_name="evidence", postgresql_where=sa.text("alarm IS NOT NULL"))
    op.drop_table("evidence")
    op.drop_table("center_days")
    op.drop_index("batches_by_day", table_name="batches")
    op.drop_table("batches")
    op.drop_table("balances")
    op.drop_table("aid_clocks")
