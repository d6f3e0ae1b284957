"""Triggers: they keep `changes` and `monitor_labels` as the rows are, whoever writes these."""

from sqlalchemy import Connection

_FORGET_LABELS = "DELETE FROM monitor_labels WHERE monitor_id = NEW.monitor_id;"
_ADD_LABELS = (
    "INSERT INTO monitor_labels (key, value, monitor_id) SELECT key, value, NEW.monitor_id"
)


def create_triggers(connection: Connection) -> None:
    on_postgres = connection.dialect.name == "postgresql"
    create = _number_changes_on_postgres if on_postgres else _number_changes_on_sqlite
    create(connection, "monitors", "monitor")
    create(connection, "monitor_stats", "monitor", with_removal=False)
    create(connection, "incidents", "incident")
    create(connection, "evidence", "incident", with_removal=False)
    (_keep_labels_on_postgres if on_postgres else _keep_labels_on_sqlite)(connection)


def _number_changes_on_postgres(
    connection: Connection, table: str, subject: str, *, with_removal: bool = True
) -> None:
    """Have each change of a row, and its removal, recorded in `changes`."""
    connection.exec_driver_sql(f"""
        CREATE OR REPLACE FUNCTION number_{subject}_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO changes (subject, subject_id) VALUES ('{subject}', NEW.{subject}_id)
            ON CONFLICT (subject, subject_id) DO UPDATE SET number = excluded.number;
            RETURN NULL;
        END $$""")
    connection.exec_driver_sql(f"""
        CREATE TRIGGER number_change AFTER INSERT OR UPDATE ON {table}
        FOR EACH ROW EXECUTE FUNCTION number_{subject}_change()""")
    if with_removal:
        connection.exec_driver_sql(f"""
            CREATE FUNCTION forget_{subject}_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                DELETE FROM changes WHERE subject = '{subject}' AND subject_id = OLD.{subject}_id;
                RETURN NULL;
            END $$""")
        connection.exec_driver_sql(f"""
            CREATE TRIGGER forget_change AFTER DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION forget_{subject}_change()""")


def _number_changes_on_sqlite(
    connection: Connection, table: str, subject: str, *, with_removal: bool = True
) -> None:
    forget = "DELETE FROM changes WHERE subject = '{}' AND subject_id = {}.{}_id;"
    add = f"INSERT INTO changes (subject, subject_id) VALUES ('{subject}', NEW.{subject}_id);"
    for change in ("INSERT", "UPDATE"):
        connection.exec_driver_sql(f"""
            CREATE TRIGGER {table}_{change.lower()} AFTER {change} ON {table}
            BEGIN {forget.format(subject, "NEW", subject)} {add} END""")
    if with_removal:
        connection.exec_driver_sql(f"""
            CREATE TRIGGER {table}_delete AFTER DELETE ON {table}
            BEGIN {forget.format(subject, "OLD", subject)} END""")


def _keep_labels_on_postgres(connection: Connection) -> None:
    connection.exec_driver_sql(f"""
        CREATE FUNCTION keep_monitor_labels() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN {_FORGET_LABELS} END IF;
            {_ADD_LABELS} FROM jsonb_each_text(NEW.labels);
            RETURN NULL;
        END $$""")
    connection.exec_driver_sql("""
        CREATE TRIGGER keep_labels AFTER INSERT OR UPDATE OF labels ON monitors
        FOR EACH ROW EXECUTE FUNCTION keep_monitor_labels()""")


def _keep_labels_on_sqlite(connection: Connection) -> None:
    for change, before in (("INSERT", ""), ("UPDATE OF labels", _FORGET_LABELS)):
        connection.exec_driver_sql(f"""
            CREATE TRIGGER monitor_labels_{change[:6].lower()} AFTER {change} ON monitors
            BEGIN {before} {_ADD_LABELS} FROM json_each(NEW.labels); END""")
