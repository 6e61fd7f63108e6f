"""A bulletin's own voice and pace, copies of drafts, and what its list searches in.

The way back is the copy that `store.upgrade` makes before it begins.
"""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHANGED = "NEW.voice <> OLD.voice OR COALESCE(NEW.speed, 0) <> COALESCE(OLD.speed, 0)"
SAID = "a revision never changes"


def upgrade() -> None:
    """The columns, the table, the guard of a revision's voice, and the folded words of what is there."""
    for table in ("bulletin", "revision"):
        op.add_column(table, sa.Column("voice", sa.String(length=60), nullable=False, server_default=""))
        op.add_column(table, sa.Column("speed", sa.Double(), nullable=True))
    op.add_column("bulletin", sa.Column("folded", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "draft_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bulletin_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("replaced_by_id", sa.Integer(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_draft_copy_bulletin_id")),
        sa.ForeignKeyConstraint(
            ["replaced_by_id"], ["user_account.id"], name=op.f("fk_draft_copy_replaced_by_id")
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_draft_copy_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_copy")),
    )
    for column in ("bulletin_id", "station_id"):
        op.create_index(op.f(f"ix_draft_copy_{column}"), "draft_copy", [column], unique=False)
    op.create_index("ix_bulletin_updated", "bulletin", ["station_id", "updated_at"], unique=False)
    _fold()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER revision_voice_frozen BEFORE UPDATE ON revision FOR EACH ROW WHEN {CHANGED} "
            f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )
    else:
        op.execute(
            f"CREATE TRIGGER revision_voice_frozen BEFORE UPDATE ON revision FOR EACH ROW WHEN ({CHANGED}) "
            f"EXECUTE FUNCTION broadcaster_refuse('{SAID}')"
        )


def _fold() -> None:
    bind = op.get_bind()
    rows = bind.execute(sa.text("SELECT id, title, draft_text FROM bulletin")).all()
    for row_id, title, text in rows:
        bind.execute(
            sa.text("UPDATE bulletin SET folded = :folded WHERE id = :id"),
            {"folded": _folded(f"{title}\n{text}"), "id": row_id},
        )


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(part for part in parts if not unicodedata.combining(part))
