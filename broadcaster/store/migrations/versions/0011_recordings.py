"""Recordings of people's voices, meters of each file, jingles that can be cut anew.

The way back is the copy that `store.upgrade` makes before it begins.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CHANGED = "CAST(NEW.recordings AS TEXT) <> CAST(OLD.recordings AS TEXT)"
SAID = "a revision never changes"


def upgrade() -> None:
    """The table, the columns, and the guard of what a revision was voiced with."""
    op.create_table(
        "recording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bulletin_id", sa.Integer(), nullable=False),
        sa.Column("spoken", sa.Text(), nullable=False),
        sa.Column("heard_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("source_name", sa.String(length=300), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_recording_bulletin_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["user_account.id"], name=op.f("fk_recording_made_by_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_recording_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
    )
    for column in ("bulletin_id", "sha256", "station_id"):
        op.create_index(op.f(f"ix_recording_{column}"), "recording", [column], unique=False)
    op.add_column(
        "jingle", sa.Column("original_sha256", sa.String(length=64), nullable=False, server_default="")
    )
    op.add_column(
        "jingle", sa.Column("original_suffix", sa.String(length=8), nullable=False, server_default="")
    )
    op.add_column("jingle", sa.Column("cut", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("rendition", sa.Column("duration_ms", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("rendition", sa.Column("loudness_lufs", sa.Double(), nullable=False, server_default="0"))
    op.add_column("rendition", sa.Column("true_peak_dbtp", sa.Double(), nullable=False, server_default="0"))
    op.add_column("revision", sa.Column("recordings", sa.JSON(), nullable=False, server_default="[]"))
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER revision_voices_frozen BEFORE UPDATE ON revision FOR EACH ROW WHEN {CHANGED} "
            f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )
    else:
        op.execute(
            f"CREATE TRIGGER revision_voices_frozen BEFORE UPDATE ON revision FOR EACH ROW WHEN ({CHANGED}) "
            f"EXECUTE FUNCTION broadcaster_refuse('{SAID}')"
        )
