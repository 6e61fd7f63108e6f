"""The station, its villages, topics and public channels."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from broadcaster.store.tables import Station, Topic, Village
from web.api import schemas
from web.api.base import bp, scope
from web.channels import public_channels
from web.deps import reading, station


@bp.get("/station")
@scope("plan.read")
@bp.output(schemas.StationOut)
@bp.doc(summary="Đài của mã truy cập này", tags=["Đài"])
def station_of_token() -> Station:
    """The station this token belongs to."""
    return station()


@bp.get("/villages")
@scope("plan.read")
@bp.output(schemas.VillagesOut)
@bp.doc(summary="Các thôn, tổ dân phố", tags=["Đài"])
def villages() -> dict[str, Any]:
    """Every village, also those that were merged."""
    with reading() as session:
        return {"villages": session.scalars(select(Village).order_by(Village.position, Village.id)).all()}


@bp.get("/topics")
@scope("plan.read")
@bp.output(schemas.TopicsOut)
@bp.doc(summary="Các chủ đề tuyên truyền", tags=["Đài"])
def topics() -> dict[str, Any]:
    """Every topic, in the order of the plan."""
    with reading() as session:
        return {"topics": session.scalars(select(Topic).order_by(Topic.position, Topic.id)).all()}


@bp.get("/feeds")
@scope("plan.read")
@bp.output(schemas.FeedsOut)
@bp.doc(summary="Kênh tin công khai: podcast, lịch, khung nhúng", tags=["Kênh"])
def feeds() -> dict[str, Any]:
    """Podcasts, calendars and the embeddable player; their addresses need no token."""
    with reading() as session:
        return {"feeds": public_channels(session)}
