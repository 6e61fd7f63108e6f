"""Guards: what was written down stays written down, whatever program holds the connection.

As-run, audit and decisions are append-only; revisions, takes and approved templates never change; an
airing that has started keeps that state and its instant.

The way back is the copy that `store.upgrade` makes before it begins.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# name, table, before what, when ("" = always), what is said
GUARDS = (
    ("as_run_no_update", "as_run", "UPDATE", "", "as_run is append-only"),
    ("as_run_no_delete", "as_run", "DELETE", "", "as_run is append-only"),
    ("audit_no_update", "audit", "UPDATE", "", "audit is append-only"),
    ("audit_no_delete", "audit", "DELETE", "", "audit is append-only"),
    ("decision_no_update", "decision", "UPDATE", "", "decision is append-only"),
    ("decision_no_delete", "decision", "DELETE", "", "decision is append-only"),
    (
        "revision_frozen",
        "revision",
        "UPDATE",
        "NEW.bulletin_id <> OLD.bulletin_id OR NEW.number <> OLD.number OR NEW.title <> OLD.title"
        " OR NEW.text <> OLD.text OR NEW.text_sha256 <> OLD.text_sha256"
        " OR CAST(NEW.reading AS TEXT) <> CAST(OLD.reading AS TEXT)"
        " OR NEW.reading_sha256 <> OLD.reading_sha256 OR NEW.priority <> OLD.priority"
        " OR NEW.read_twice <> OLD.read_twice OR CAST(NEW.writers AS TEXT) <> CAST(OLD.writers AS TEXT)"
        " OR (OLD.take_id IS NOT NULL AND (NEW.take_id IS NULL OR NEW.take_id <> OLD.take_id))",
        "a revision never changes",
    ),
    ("revision_no_delete", "revision", "DELETE", "", "a revision never goes"),
    (
        "take_frozen",
        "take",
        "UPDATE",
        "NEW.sha256 <> OLD.sha256 OR NEW.duration_ms <> OLD.duration_ms OR NEW.voice <> OLD.voice"
        " OR CAST(NEW.sentences AS TEXT) <> CAST(OLD.sentences AS TEXT)",
        "a take never changes",
    ),
    (
        "template_frozen",
        "template_revision",
        "UPDATE",
        "NEW.station_id <> OLD.station_id OR NEW.name <> OLD.name OR NEW.number <> OLD.number"
        " OR NEW.sha256 <> OLD.sha256 OR CAST(NEW.body AS TEXT) <> CAST(OLD.body AS TEXT)"
        " OR (OLD.approved_by_id IS NOT NULL"
        " AND (NEW.approved_by_id IS NULL OR NEW.approved_by_id <> OLD.approved_by_id))",
        "a template revision never changes",
    ),
    (
        "airing_terminal",
        "airing",
        "UPDATE",
        "OLD.state = 'started' AND (NEW.state <> OLD.state OR NEW.planned_at <> OLD.planned_at"
        " OR NEW.local_date <> OLD.local_date OR NEW.start_local <> OLD.start_local)",
        "an airing that started stays as it was",
    ),
    ("airing_started_stays", "airing", "DELETE", "OLD.state = 'started'", "an airing that started stays"),
)
TRUNCATED = ("as_run", "audit", "decision", "revision")


def upgrade() -> None:
    """Create the triggers; both databases answer with an integrity error."""
    if op.get_bind().dialect.name == "sqlite":
        for name, table, action, condition, said in GUARDS:
            when = f"WHEN {condition} " if condition else ""
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW {when}"
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION broadcaster_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for name, table, action, condition, said in GUARDS:
        when = f"WHEN ({condition}) " if condition else ""
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW {when}"
            f"EXECUTE FUNCTION broadcaster_refuse('{said}')"
        )
    for table in TRUNCATED:
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION broadcaster_refuse('{table} is append-only')"
        )
