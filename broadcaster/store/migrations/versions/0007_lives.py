"""Receivers know which of their processes speaks, so that a copied player is noticed.

The way back is the copy that `store.upgrade` makes before it begins.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns."""
    op.add_column("receiver", sa.Column("lives", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("receiver", sa.Column("rival_at", sa.DateTime(timezone=True), nullable=True))
