"""Emergencies, stop orders, holidays, carry-over, fillers and undo.

The way back is the copy that `store.upgrade` makes before it begins.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _person(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(
        name,
        sa.Integer(),
        sa.ForeignKey("user_account.id", name=op.f(f"fk_emergency_{name}")),
        nullable=nullable,
    )


def upgrade() -> None:
    """New tables, and columns with a default for what is there."""
    op.create_table(
        "emergency",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("cancels_id", sa.Integer(), nullable=True),
        sa.Column("villages", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("repeat_min", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("programme_key", sa.String(length=64), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        _person("requested_by_id", nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        _person("decided_by_id"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=False),
        _person("ended_by_id"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        _person("reviewed_by_id"),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_emergency_revision_id")),
        sa.ForeignKeyConstraint(["cancels_id"], ["emergency.id"], name=op.f("fk_emergency_cancels_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_emergency_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency")),
    )
    op.create_index(op.f("ix_emergency_station_id"), "emergency", ["station_id"])
    op.create_index(op.f("ix_emergency_programme_key"), "emergency", ["programme_key"])
    op.create_table(
        "emergency_pin",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_emergency_pin_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_emergency_pin")),
    )
    op.create_table(
        "filler",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bulletin_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_filler_bulletin_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_filler_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filler")),
        sa.UniqueConstraint("bulletin_id", name=op.f("uq_filler_bulletin_id")),
    )
    op.create_index(op.f("ix_filler_station_id"), "filler", ["station_id"])
    op.create_table(
        "plan_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_plan_change_user_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_plan_change_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_change")),
    )
    op.create_index(op.f("ix_plan_change_station_id"), "plan_change", ["station_id"])
    # Written out: SQLite takes a reference with a new column, but no constraint after it.
    op.execute(
        "ALTER TABLE airing ADD COLUMN emergency_id INTEGER "
        "CONSTRAINT fk_airing_emergency_id REFERENCES emergency (id)"
    )
    op.create_index(op.f("ix_airing_emergency_id"), "airing", ["emergency_id"])
    op.add_column("airing", sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("airing", sa.Column("stop_reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("slot", sa.Column("on_holidays", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("slot", sa.Column("carry_over", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("station", sa.Column("holidays", sa.JSON(), nullable=False, server_default="[]"))
