"""The book of one bulletin, and how many stand in a state, are found without reading everything.

The way back is the copy that `store.upgrade` makes before it begins.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two indexes."""
    op.create_index("ix_audit_subject", "audit", ["station_id", "subject"], unique=False)
    op.create_index("ix_bulletin_state", "bulletin", ["station_id", "state"], unique=False)
