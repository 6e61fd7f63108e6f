"""Lưu trữ: how the nights' backups went, what sound is kept and what would go."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from broadcaster.store.retention import plan_sweep
from broadcaster.store.tables import SweptAudio, UpkeepRun
from broadcaster.upkeep import trouble
from web.deps import deps, now, reading
from web.security import needs

bp = Blueprint("archive", __name__, url_prefix="/luu-tru")


@bp.get("")
@needs("see")
def page() -> ResponseReturnValue:
    """The last nights, what is kept, and what a sweep would take away now (nothing is changed here)."""
    settings = deps().settings
    with reading() as session:
        runs = session.scalars(select(UpkeepRun).order_by(UpkeepRun.id.desc()).limit(20)).all()
        said = trouble(session, settings, now=now())
        gone, gone_bytes = session.execute(
            select(func.count(), func.coalesce(func.sum(SweptAudio.size_bytes), 0)).select_from(SweptAudio)
        ).one()
    with deps().db.reading() as everything:  # files are the installation's, whichever station names them
        plan = plan_sweep(
            everything, deps().blobs, now=now(), months=settings.integer("archive.audio_months")
        )
    return render_template(
        "archive.html",
        runs=runs,
        trouble=said,
        plan=plan,
        gone=gone,
        gone_bytes=gone_bytes,
        months=settings.integer("archive.audio_months"),
        nightly=settings.boolean("backup.nightly"),
        hour=settings.integer("backup.hour"),
        keep=settings.integer("backup.keep"),
        folder=Path(settings.backups).name,
    )
