"""Pages that anybody may open: hear what was on the air, one bulletin with its text, the player for a portal.

Only what is approved is here, and only while it is: a withdrawn bulletin is gone at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.captions import Cue, srt, vtt
from broadcaster.delivery.cards import card
from broadcaster.delivery.share import KIND as SHARE
from broadcaster.delivery.share import captions_of
from broadcaster.model import AiringOrigin, AiringState, PlannedAiring, RenditionKind
from broadcaster.newsroom.bulletins import approved_revision, frozen_reading
from broadcaster.schedule.plan import plan_days
from broadcaster.store.tables import Bulletin, RenderJob, Revision, Station, TakeRow
from web.deps import deps, kept, now, reading, station, today
from web.security import POLICY, public
from web.words import length_words

bp = Blueprint("listen", __name__)
PAGE_DAYS, EMBED_AIRINGS = 7, 4
FRAMED = POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")


@bp.get("/nghe/<slug>")
@public
def index(slug: str) -> ResponseReturnValue:
    """What was on the air in the last seven days."""
    _enter(slug)
    return render_template("listen_index.html", lines=_heard(), slug=slug)


@bp.get("/nhung/<slug>")
@public
def embedded(slug: str) -> ResponseReturnValue:
    """The last programmes as a small player that other sites may frame: no form, no cookie, nothing to steal."""
    _enter(slug)
    answer = Response(render_template("listen_embed.html", lines=_heard()[:EMBED_AIRINGS], slug=slug))
    answer.headers["Content-Security-Policy"] = FRAMED
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@bp.get("/nghe/<slug>/<int:bulletin_id>")
@public
def bulletin(slug: str, bulletin_id: int) -> ResponseReturnValue:
    """One approved bulletin: its words, its sound, and what chat apps show of it."""
    _enter(slug)
    with reading() as session:
        revision, take = _approved(session, bulletin_id)
        sentences = frozen_reading(revision).sentences
        made = share_result(session, revision.id)
        about = " ".join(sentence.written for sentence in sentences)
        topic = revision.bulletin.topic.title if revision.bulletin.topic is not None else ""
    base = deps().settings.base_url
    return render_template(
        "listen_bulletin.html", revision=revision, take=take, sentences=sentences, slug=slug, about=_short(about, 200),
        base=base, page_url=base + request.path, made=made, topic=topic,
    )  # fmt: skip


@bp.get("/nghe/<slug>/<int:bulletin_id>/anh.png")
@public
def picture(slug: str, bulletin_id: int) -> ResponseReturnValue:
    """The card that a shared link shows."""
    place = _enter(slug)
    with reading() as session:
        revision, take = _approved(session, bulletin_id)
    drawn = card(place.name, revision.title, f"Bấm để nghe · {length_words(take.duration_ms)}")
    return _lasting(Response(drawn, mimetype="image/png"))


@bp.get("/nghe/<slug>/<int:bulletin_id>/am-thanh")
@public
def sound(slug: str, bulletin_id: int) -> ResponseReturnValue:
    """Its sound: the small MP3 once it is made, else the take itself."""
    _enter(slug)
    with reading() as session:
        revision, take = _approved(session, bulletin_id)
        made = share_result(session, revision.id)
    if made:
        return _file(made["mp3"], "mp3", "audio/mpeg")
    return _file(take.sha256, "flac", "audio/flac")


@bp.get("/nghe/<slug>/<int:bulletin_id>/video.mp4")
@public
def video(slug: str, bulletin_id: int) -> ResponseReturnValue:
    """Its video, once it is made."""
    _enter(slug)
    with reading() as session:
        revision, _take = _approved(session, bulletin_id)
        made = share_result(session, revision.id)
    if not made:
        abort(404)
    return _file(made["mp4"], "mp4", "video/mp4")


@bp.get("/nghe/<slug>/<int:bulletin_id>/phu-de.<any(vtt, srt):kind>")
@public
def captions(slug: str, bulletin_id: int, kind: str) -> ResponseReturnValue:
    """Its captions, timed by the take itself."""
    _enter(slug)
    with reading() as session:
        found = cues_of(*_approved(session, bulletin_id))
    body, mimetype = (vtt(found), "text/vtt") if kind == "vtt" else (srt(found), "application/x-subrip")
    return _lasting(Response(body, mimetype=mimetype))


def cues_of(revision: Revision, take: TakeRow) -> list[Cue]:
    """Captions of an approved revision."""
    written = [sentence.written for sentence in frozen_reading(revision).sentences]
    return captions_of(take, written, blobs=deps().blobs)


def share_result(session: Session, revision_id: int) -> dict[str, Any]:
    """SHA-256 of a revision's video and sound ({} = not made), as the worker left them."""
    job = session.scalar(
        select(RenderJob).where(
            RenderJob.kind == SHARE, RenderJob.key == str(revision_id), RenderJob.state == "done"
        )
    )
    made = dict(job.result) if job is not None else {}
    blobs = deps().blobs
    if made and all(
        blobs.has(str(made.get(kind, "")), suffix=kind) for kind in ("mp4", "mp3") if made.get(kind)
    ):
        return made
    return {}


def _heard() -> list[PlannedAiring]:
    with reading() as session:
        lines = plan_days(session, today() - timedelta(days=PAGE_DAYS - 1), PAGE_DAYS)
    return [
        line
        for line in reversed(lines)
        if line.planned_at <= now()
        and RenditionKind.AIR in line.files
        and line.origin is not AiringOrigin.DRILL
        and line.state not in (AiringState.SKIPPED, AiringState.CANCELLED)
    ]


def _approved(session: Session, bulletin_id: int) -> tuple[Revision, TakeRow]:
    row = session.scalar(select(Bulletin).where(Bulletin.id == bulletin_id))
    revision = approved_revision(session, bulletin_id) if row is not None else None
    if revision is None or revision.take is None:
        abort(404)
    _ = revision.bulletin.topic  # read while the session is open
    return revision, revision.take


def _enter(slug: str) -> Station:
    with deps().db.reading() as session:
        found = session.scalars(select(Station).where(Station.slug == slug)).first()
        if found is None:
            abort(404)
        g.station = kept(session, found)
    return station()


def _file(sha256: str, suffix: str, mimetype: str) -> Response:
    path = deps().blobs.path(sha256, suffix=suffix)
    answer = send_file(path, mimetype=mimetype, conditional=True, etag=sha256, max_age=3600)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


def _lasting(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.add_etag()
    return answer.make_conditional(request)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


@bp.app_template_global("listen_address")
def listen_address(slug: str, bulletin_id: int) -> str:
    """Absolute address of a bulletin's public page."""
    return deps().settings.base_url + url_for("listen.bulletin", slug=slug, bulletin_id=bulletin_id)
