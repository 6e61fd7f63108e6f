"""Bulletins: read them, and send a draft in."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from broadcaster.errors import NotFound
from broadcaster.model import BulletinState, Priority
from broadcaster.newsroom.bulletins import approved_revision, bulletin_by_id, create_bulletin, reading_of
from broadcaster.store.tables import Bulletin, Topic, User
from web.api import schemas
from web.api.base import bp, scope
from web.deps import deps, now, reading, station, writing

FROM_API = "giao diện lập trình"


@bp.get("/bulletins")
@scope("bulletins.read")
@bp.input(schemas.BulletinQuery, location="query", arg_name="query")
@bp.output(schemas.BulletinsOut)
@bp.doc(summary="Danh sách bản tin", tags=["Bản tin"])
def bulletins(query: dict[str, Any]) -> dict[str, Any]:
    """Bulletins by id, a page at a time."""
    wanted = (
        select(Bulletin)
        .options(joinedload(Bulletin.topic), joinedload(Bulletin.author))
        .where(Bulletin.id > query["after"])
        .order_by(Bulletin.id)
        .limit(query["limit"] + 1)
    )
    if "state" in query:
        wanted = wanted.where(Bulletin.state == BulletinState(query["state"]))
    with reading() as session:
        rows = session.scalars(wanted).all()
    shown = rows[: query["limit"]]
    return {
        "bulletins": [_line(row) for row in shown],
        "next_after": shown[-1].id if len(rows) > len(shown) else None,
    }


@bp.get("/bulletins/<int(max=2147483647):bulletin_id>")
@scope("bulletins.read")
@bp.output(schemas.BulletinDetail)
@bp.doc(summary="Một bản tin với cách đọc", tags=["Bản tin"], responses={404: "Không có bản tin này ở đài"})
def bulletin(bulletin_id: int) -> dict[str, Any]:
    """The draft, how it would be read now, and what of it is approved."""
    with reading() as session:
        row = bulletin_by_id(session, bulletin_id)
        result = reading_of(session, row)
        approved = approved_revision(session, row.id)
        take = approved.take if approved is not None else None
        return _line(row) | {
            "text": row.draft_text,
            "spoken": [sentence.spoken for sentence in result.sentences],
            "questions": [{"written": each.written, "message": each.message} for each in result.warnings],
            "approved": None
            if approved is None or take is None
            else {
                "revision": approved.number,
                "text_sha256": approved.text_sha256,
                "reading_sha256": approved.reading_sha256,
                "take_sha256": take.sha256,
                "duration_ms": take.duration_ms,
            },
        }


@bp.post("/bulletins")
@scope("bulletins.write")
@bp.input(schemas.BulletinIn, arg_name="sent")
@bp.output(
    schemas.BulletinOut,
    status_code=201,
    links={"read": {"operationId": "get_api_bulletin", "parameters": {"bulletin_id": "$response.body#/id"}}},
    headers=schemas.CreatedAt,
)
@bp.doc(summary="Gửi một bản tin nháp", tags=["Bản tin"], responses={404: "Không có chủ đề này ở đài"})
def send_bulletin(sent: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """A new draft in the newsroom, in the name of the token's owner; a person submits it."""
    with writing() as session:
        topic_id = None
        if sent.get("topic"):
            topic_id = session.scalar(select(Topic.id).where(Topic.slug == sent["topic"]))
            if topic_id is None:
                raise NotFound(f"Không có chủ đề “{sent['topic']}”. Hãy lấy danh sách ở /api/v1/topics.")
        row = create_bulletin(
            session, station_id=station().id, author=session.get_one(User, g.owner_id), title=sent["title"],
            text=sent["text"], topic_id=topic_id, priority=Priority(sent["priority"]),
            read_twice=sent["read_twice"], source_name=FROM_API,
            max_chars=deps().settings.integer("newsroom.max_text_chars"), now=now(),
        )  # fmt: skip
        session.refresh(row)
        body = _line(row)
    return body, 201, {"Location": url_for("api.bulletin", bulletin_id=body["id"])}


def _line(row: Bulletin) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "topic": row.topic.slug if row.topic is not None else None,
        "priority": row.priority.value,
        "state": row.state.value,
        "version": row.version,
        "author": row.author.display_name,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
