"""Monitors, their last reports, events, coverage, idempotency keys, the name of this database."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
ACTIVE = sa.text("status IN ('initializing', 'monitoring', 'scheduled', 'waiting')")


def _belongs_to(owner: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{owner}_id"],
        [f"{owner}s.{owner}_id"],
        name=f"fk_{table}_{owner}_id",
        ondelete="CASCADE",
    )


def _number_changes(table: str, subject: str, *, with_removal: bool = True) -> None:
    """Have each change of a row, and its removal, recorded in `changes`."""
    if op.get_bind().dialect.name == "postgresql":
        _number_changes_on_postgres(table, subject, with_removal=with_removal)
    else:
        _number_changes_on_sqlite(table, subject, with_removal=with_removal)


def _number_changes_on_postgres(table: str, subject: str, *, with_removal: bool) -> None:
    op.execute(f"""
        CREATE OR REPLACE FUNCTION number_{subject}_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO changes (subject, subject_id) VALUES ('{subject}', NEW.{subject}_id)
            ON CONFLICT (subject, subject_id) DO UPDATE SET number = excluded.number;
            RETURN NULL;
        END $$""")
    op.execute(f"""
        CREATE TRIGGER number_change AFTER INSERT OR UPDATE ON {table}
        FOR EACH ROW EXECUTE FUNCTION number_{subject}_change()""")
    if with_removal:
        op.execute(f"""
            CREATE FUNCTION forget_{subject}_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                DELETE FROM changes WHERE subject = '{subject}' AND subject_id = OLD.{subject}_id;
                RETURN NULL;
            END $$""")
        op.execute(f"""
            CREATE TRIGGER forget_change AFTER DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION forget_{subject}_change()""")


def _number_changes_on_sqlite(table: str, subject: str, *, with_removal: bool) -> None:
    forget = "DELETE FROM changes WHERE subject = '{}' AND subject_id = {}.{}_id;"
    add = f"INSERT INTO changes (subject, subject_id) VALUES ('{subject}', NEW.{subject}_id);"
    for event in ("INSERT", "UPDATE"):
        op.execute(f"""
            CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {table}
            BEGIN {forget.format(subject, "NEW", subject)} {add} END""")
    if with_removal:
        op.execute(f"""
            CREATE TRIGGER {table}_delete AFTER DELETE ON {table}
            BEGIN {forget.format(subject, "OLD", subject)} END""")


def _create_labels() -> None:
    op.create_table(
        "monitor_labels",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("key", "value", "monitor_id", name="pk_monitor_labels"),
        _belongs_to("monitor", "monitor_labels"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_monitor_labels_monitor_id", "monitor_labels", ["monitor_id"])
    forget = "DELETE FROM monitor_labels WHERE monitor_id = NEW.monitor_id;"
    add = "INSERT INTO monitor_labels (key, value, monitor_id) SELECT key, value, NEW.monitor_id"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"""
            CREATE FUNCTION keep_monitor_labels() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' THEN {forget} END IF;
                {add} FROM jsonb_each_text(NEW.labels);
                RETURN NULL;
            END $$""")
        op.execute("""
            CREATE TRIGGER keep_labels AFTER INSERT OR UPDATE OF labels ON monitors
            FOR EACH ROW EXECUTE FUNCTION keep_monitor_labels()""")
        return
    for event, before in (("INSERT", ""), ("UPDATE OF labels", forget)):
        op.execute(f"""
            CREATE TRIGGER monitor_labels_{event[:6].lower()} AFTER {event} ON monitors
            BEGIN {before} {add} FROM json_each(NEW.labels); END""")


def upgrade() -> None:
    op.create_table(
        "monitors",
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("stream_url", sa.Text, nullable=False),
        sa.Column("stream_key", sa.String(200), nullable=False),
        sa.Column("callback_url", sa.Text),
        sa.Column("name", sa.String(120)),
        sa.Column("title", sa.Text),
        sa.Column("labels", JSON, nullable=False),
        sa.Column("applied_by", sa.String(63)),
        sa.Column("config", JSON, nullable=False),
        sa.Column("metadata", JSON, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("recorded_through", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("request_headers", sa.Text),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("stream_status", sa.String(16), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("workflow_started_at", TIME),
        sa.Column("reported_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("live_since", TIME),
        sa.Column("live_until", TIME),
        sa.Column("stop_reason", sa.Text),
        sa.Column("error_reason", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.PrimaryKeyConstraint("monitor_id", name="pk_monitors"),
    )
    op.create_index(
        "uq_monitors_active_stream",
        "monitors",
        ["stream_key"],
        unique=True,
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )
    op.create_index("ix_monitors_status_created_at", "monitors", ["status", "created_at"])
    op.create_index("ix_monitors_created_at_monitor_id", "monitors", ["created_at", "monitor_id"])
    op.create_index("ix_monitors_finished_at", "monitors", ["finished_at"])
    _create_labels()
    op.create_table(
        "monitor_stats",
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("health", JSON, nullable=False),
        sa.Column("statistics", JSON, nullable=False),
        sa.Column("open_incidents", JSON, nullable=False),
        sa.Column("overall_health", sa.String(8), nullable=False),
        sa.Column("media", JSON),
        sa.Column("as_of", TIME, nullable=False),
        sa.PrimaryKeyConstraint("monitor_id", name="pk_monitor_stats"),
        _belongs_to("monitor", "monitor_stats"),
    )
    op.create_table(
        "monitor_events",
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(200), nullable=False),
        sa.Column("event_type", sa.String(64), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("webhook_status", sa.String(16), nullable=False),
        sa.Column("webhook_attempts", sa.Integer, nullable=False),
        sa.Column("webhook_last_error", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("incident_id", sa.String(40)),
        sa.PrimaryKeyConstraint("monitor_id", "event_id", name="pk_monitor_events"),
        _belongs_to("monitor", "monitor_events"),
    )
    op.create_index(
        "ix_monitor_events_monitor_id_sequence", "monitor_events", ["monitor_id", "sequence"]
    )
    op.create_index("ix_monitor_events_created_at", "monitor_events", ["created_at"])
    op.create_index("ix_monitor_events_incident_id", "monitor_events", ["incident_id"])
    _create_incidents()
    op.create_table(
        "coverage",
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("start_at", TIME, nullable=False),
        sa.Column("end_at", TIME, nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.PrimaryKeyConstraint("monitor_id", "start_at", name="pk_coverage"),
        _belongs_to("monitor", "coverage"),
    )
    op.create_index("ix_coverage_end_at", "coverage", ["end_at"])
    op.create_table(
        "quiet_spans",
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("incident_id", sa.String(40), nullable=False),
        sa.Column("start_at", TIME, nullable=False),
        sa.Column("end_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("monitor_id", "incident_id", "start_at", name="pk_quiet_spans"),
        _belongs_to("monitor", "quiet_spans"),
    )
    op.create_index("ix_quiet_spans_end_at", "quiet_spans", ["end_at"])
    op.create_table(
        "idempotency_keys",
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_idempotency_keys"),
        _belongs_to("monitor", "idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    op.create_index("ix_idempotency_keys_monitor_id", "idempotency_keys", ["monitor_id"])
    op.create_table(
        "changes",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_changes"),
        sa.UniqueConstraint("subject", "subject_id", name="uq_changes_subject"),
        sqlite_autoincrement=True,
    )
    _number_changes("monitors", "monitor")
    _number_changes("monitor_stats", "monitor", with_removal=False)
    _number_changes("incidents", "incident")
    _create_evidence()
    _number_changes("evidence", "incident", with_removal=False)
    op.create_table(
        "slates",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("picture", sa.LargeBinary, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_slates"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_digest", sa.String(64), nullable=False),
        sa.Column("client", sa.String(12), nullable=False),
        sa.Column("is_link", sa.Boolean, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_digest", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    _create_destinations()
    op.create_table(
        "status_pages",
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("monitors", JSON, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_status_pages"),
    )
    deployment = op.create_table(
        "deployment",
        sa.Column("deployment_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("deployment_id", name="pk_deployment"),
    )
    op.bulk_insert(deployment, [{"deployment_id": str(uuid4())}])


def _create_evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("evidence_id", sa.String(40), nullable=False),
        sa.Column("incident_id", sa.String(40), nullable=False),
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("moment", sa.String(16)),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("is_stored", sa.Boolean, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("taken_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("evidence_id", name="pk_evidence"),
    )
    for columns in (
        ["incident_id"],
        ["state", "created_at"],
        ["is_stored", "created_at"],
        ["monitor_id", "is_stored", "size_bytes"],
    ):
        op.create_index(f"ix_evidence_{'_'.join(columns)}", "evidence", columns)
    op.create_table(
        "latest_pictures",
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("taken_at", TIME),
        sa.Column("looked_at", TIME),
        sa.Column("sha256", sa.String(64)),
        sa.Column("picture", sa.LargeBinary),
        sa.PrimaryKeyConstraint("monitor_id", name="pk_latest_pictures"),
        _belongs_to("monitor", "latest_pictures"),
    )
    op.create_index("ix_latest_pictures_looked_at", "latest_pictures", ["looked_at"])


def _create_destinations() -> None:
    op.create_table(
        "destinations",
        sa.Column("destination_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("shown_url", sa.Text, nullable=False),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text),
        sa.Column("events", JSON, nullable=False),
        sa.Column("min_severity", sa.String(16)),
        sa.Column("remind_every_sec", sa.Integer),
        sa.Column("group_window_sec", sa.Integer, nullable=False),
        sa.Column("retry", sa.String(8), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("applied_by", sa.String(63)),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("destination_id", name="pk_destinations"),
    )
    op.create_index(
        "ix_destinations_created_at_destination_id",
        "destinations",
        ["created_at", "destination_id"],
    )
    op.create_table(
        "monitor_destinations",
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("destination_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("monitor_id", "destination_id", name="pk_monitor_destinations"),
        _belongs_to("monitor", "monitor_destinations"),
        _belongs_to("destination", "monitor_destinations"),
    )
    op.create_index(
        "ix_monitor_destinations_destination_id", "monitor_destinations", ["destination_id"]
    )
    op.create_table(
        "deliveries",
        sa.Column(
            "delivery_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True
        ),
        sa.Column("destination_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("monitor_id", sa.String(64)),
        sa.Column("event_id", sa.String(200)),
        sa.Column("event_type", sa.String(64)),
        sa.Column("sequence", sa.Integer),
        sa.Column("incident_id", sa.String(64)),
        sa.Column("origin_host", sa.String(255)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("told_with", sa.BigInteger),
        sa.Column("told_at", TIME),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text),
        sa.Column("happened_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("handed_at", TIME),
        sa.Column("sent_at", TIME),
        _belongs_to("destination", "deliveries"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_deliveries_destination_id_status_delivery_id",
        "deliveries",
        ["destination_id", "status", "delivery_id"],
    )
    op.create_index(
        "ix_deliveries_incident_id_destination_id", "deliveries", ["incident_id", "destination_id"]
    )
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at"])
    op.create_table(
        "silences",
        sa.Column("silence_id", sa.String(64), nullable=False),
        sa.Column("monitor_ids", JSON),
        sa.Column("labels", JSON),
        sa.Column("kinds", JSON),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("applied_by", sa.String(63)),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("silence_id", name="pk_silences"),
    )
    op.create_index("ix_silences_ends_at", "silences", ["ends_at"])
    op.create_index("ix_deliveries_told_with", "deliveries", ["told_with"])


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.String(40), nullable=False),
        sa.Column("monitor_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("detected_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("duration_sec", sa.Double),
        sa.Column("reason", sa.Text),
        sa.Column("track", sa.Text, nullable=False),
        sa.Column("is_flapping", sa.Boolean, nullable=False),
        sa.Column("silenced", sa.Boolean, nullable=False),
        sa.Column("acknowledged_at", TIME),
        sa.Column("note", sa.Text),
        sa.Column("opened_name", sa.Text, nullable=False),
        sa.Column("opened_labels", JSON, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name="pk_incidents"),
        _belongs_to("monitor", "incidents"),
    )
    for columns in (
        ["started_at", "incident_id"],
        ["monitor_id", "started_at", "severity", "kind", "ended_at"],
        ["monitor_id", "kind", "started_at"],
        ["kind", "started_at", "monitor_id"],
        ["severity", "started_at"],
    ):
        op.create_index(f"ix_incidents_{'_'.join(columns)}", "incidents", columns)
    is_open = sa.text("is_open")
    op.create_index(
        "ix_incidents_open",
        "incidents",
        ["started_at", "incident_id"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
