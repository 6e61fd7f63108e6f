"""Schedule.

The way back is the copy that `store.upgrade` makes before it begins.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Schedule."""
    op.create_table(
        "slot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("weekdays", sa.String(length=40), nullable=False),
        sa.Column("start_local", sa.Time(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("max_minutes", sa.Integer(), nullable=False),
        sa.Column("start_mode", sa.String(length=20), nullable=False),
        sa.Column("wait_s", sa.Integer(), nullable=False),
        sa.Column("late_policy", sa.String(length=20), nullable=False),
        sa.Column("grace_s", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(length=20), nullable=False),
        sa.Column("volume_percent", sa.Integer(), nullable=False),
        sa.Column("template_name", sa.String(length=60), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_slot_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
    )
    op.create_index(op.f("ix_slot_station_id"), "slot", ["station_id"], unique=False)
    op.create_table(
        "airing",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("start_local", sa.Time(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("max_minutes", sa.Integer(), nullable=False),
        sa.Column("start_mode", sa.String(length=20), nullable=False),
        sa.Column("wait_s", sa.Integer(), nullable=False),
        sa.Column("late_policy", sa.String(length=20), nullable=False),
        sa.Column("grace_s", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(length=20), nullable=False),
        sa.Column("volume_percent", sa.Integer(), nullable=False),
        sa.Column("template_name", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_airing_slot_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_airing_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_airing")),
    )
    op.create_index(op.f("ix_airing_planned_at"), "airing", ["planned_at"], unique=False)
    op.create_index("ix_airing_station_date", "airing", ["station_id", "local_date"], unique=False)
    op.create_index(op.f("ix_airing_station_id"), "airing", ["station_id"], unique=False)
    op.create_index(
        "uq_airing_live_slot_date",
        "airing",
        ["slot_id", "local_date"],
        unique=True,
        sqlite_where=sa.text("slot_id IS NOT NULL AND state != 'cancelled'"),
        postgresql_where=sa.text("slot_id IS NOT NULL AND state != 'cancelled'"),
    )
    op.create_table(
        "rotation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.Column("per_airing", sa.Integer(), nullable=False),
        sa.Column("bulletins", sa.JSON(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_rotation_slot_id")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_rotation_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rotation")),
    )
    op.create_index(op.f("ix_rotation_station_id"), "rotation", ["station_id"], unique=False)
    op.create_table(
        "slot_exception",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("start_local", sa.Time(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_slot_exception_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_exception")),
        sa.UniqueConstraint("slot_id", "local_date", name=op.f("uq_slot_exception_slot_id_local_date")),
    )
    op.create_table(
        "slot_village",
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_slot_village_slot_id")),
        sa.ForeignKeyConstraint(["village_id"], ["village.id"], name=op.f("fk_slot_village_village_id")),
        sa.PrimaryKeyConstraint("slot_id", "village_id", name=op.f("pk_slot_village")),
    )
    op.create_table(
        "airing_village",
        sa.Column("airing_id", sa.String(length=36), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["airing_id"], ["airing.id"], name=op.f("fk_airing_village_airing_id")),
        sa.ForeignKeyConstraint(["village_id"], ["village.id"], name=op.f("fk_airing_village_village_id")),
        sa.PrimaryKeyConstraint("airing_id", "village_id", name=op.f("pk_airing_village")),
    )
    op.create_index(op.f("ix_airing_village_village_id"), "airing_village", ["village_id"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.Column("airing_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("phone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("server_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["airing_id"], ["airing.id"], name=op.f("fk_receipt_airing_id")),
        sa.ForeignKeyConstraint(["village_id"], ["village.id"], name=op.f("fk_receipt_village_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint(
            "village_id", "airing_id", "kind", name=op.f("uq_receipt_village_id_airing_id_kind")
        ),
    )
    op.create_index(op.f("ix_receipt_airing_id"), "receipt", ["airing_id"], unique=False)
    op.create_table(
        "variant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("airing_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=True),
        sa.Column("wanted_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["airing_id"], ["airing.id"], name=op.f("fk_variant_airing_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_variant_programme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
        sa.UniqueConstraint("airing_id", "number", name=op.f("uq_variant_airing_id_number")),
    )
    op.create_index(op.f("ix_variant_airing_id"), "variant", ["airing_id"], unique=False)
    op.create_table(
        "variant_village",
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("village_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_variant_village_variant_id")),
        sa.ForeignKeyConstraint(["village_id"], ["village.id"], name=op.f("fk_variant_village_village_id")),
        sa.PrimaryKeyConstraint("variant_id", "village_id", name=op.f("pk_variant_village")),
    )
    op.create_table(
        "variant_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("bulletin_id", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("dropped_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_variant_item_bulletin_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_variant_item_revision_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_variant_item_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_item")),
    )
    op.create_index(op.f("ix_variant_item_bulletin_id"), "variant_item", ["bulletin_id"], unique=False)
    op.create_index(op.f("ix_variant_item_variant_id"), "variant_item", ["variant_id"], unique=False)
