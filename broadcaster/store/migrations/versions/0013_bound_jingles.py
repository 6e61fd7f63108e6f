"""A frame holds the sounds it was approved with; frames of before get those that they have now.

The way back is the copy that `store.upgrade` makes before it begins.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHANGED = "CAST(NEW.jingles AS TEXT) <> CAST(OLD.jingles AS TEXT)"
SAID = "a template revision never changes"


def upgrade() -> None:
    """The column, what stands in it for the frames that are there, and its guard."""
    op.add_column("template_revision", sa.Column("jingles", sa.JSON(), nullable=False, server_default="{}"))
    bind = op.get_bind()
    sounding: dict[int, dict[str, str]] = {}
    for station_id, kind, sha256 in bind.execute(
        sa.text("SELECT station_id, kind, sha256 FROM jingle WHERE in_use AND kind <> 'alert' ORDER BY id")
    ):
        sounding.setdefault(station_id, {})[kind] = sha256
    for row_id, station_id, body in bind.execute(
        sa.text("SELECT id, station_id, body FROM template_revision")
    ).all():
        named = _data(body).get("jingles") or {}
        bind.execute(
            sa.text("UPDATE template_revision SET jingles = CAST(:jingles AS JSON) WHERE id = :id")
            if bind.dialect.name == "postgresql"
            else sa.text("UPDATE template_revision SET jingles = :jingles WHERE id = :id"),
            {"jingles": json.dumps({**sounding.get(station_id, {}), **named}), "id": row_id},
        )
    if bind.dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER template_sounds_frozen BEFORE UPDATE ON template_revision FOR EACH ROW WHEN {CHANGED} "
            f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )
    else:
        op.execute(
            "CREATE TRIGGER template_sounds_frozen BEFORE UPDATE ON template_revision FOR EACH ROW "
            f"WHEN ({CHANGED}) EXECUTE FUNCTION broadcaster_refuse('{SAID}')"
        )


def _data(body: Any) -> dict[str, Any]:
    """JSON comes as text from SQLite and as data from PostgreSQL."""
    found = json.loads(body) if isinstance(body, str) else body
    return dict(found) if isinstance(found, dict) else {}
