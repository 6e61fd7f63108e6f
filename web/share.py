"""A bulletin for other channels: texts to paste, video and captions, a notice to print, the commune's own pages."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery import social
from broadcaster.delivery.share import KIND, kit
from broadcaster.errors import BroadcasterError, InputError, NotFound, Refused
from broadcaster.naming import plain_name
from broadcaster.newsroom.bulletins import approved_revision, bulletin_by_id, frozen_reading
from broadcaster.store.queue import enqueue
from broadcaster.store.tables import Bulletin, RenderJob, Revision
from web.channels import public_channels
from web.deps import deps, now, reading, station, today, writing
from web.errors import status_of
from web.listen import listen_address, share_result
from web.security import actor, needs
from web.villages import why_unreachable

bp = Blueprint("share", __name__)


@bp.get("/ban-tin/<int:bulletin_id>/chia-se")
@needs("see")
def page(bulletin_id: int) -> ResponseReturnValue:
    """Everything for one approved bulletin."""
    return _page(bulletin_id)


@bp.post("/ban-tin/<int:bulletin_id>/chia-se/video")
@needs("write")
def make_video(bulletin_id: int) -> ResponseReturnValue:
    """Ask the worker for the video and the small MP3."""
    with writing() as session:
        bulletin_by_id(session, bulletin_id)
        revision = _approved(session, bulletin_id)
        enqueue(
            session, station_id=station().id, kind=KIND, key=str(revision.id),
            payload={"revision_id": revision.id, "title": revision.title}, due_at=now(), now=now(),
        )  # fmt: skip
    deps().doorbell.ring()
    return redirect(url_for("share.page", bulletin_id=bulletin_id, _anchor="video"), 303)


@bp.post("/ban-tin/<int:bulletin_id>/chia-se/dang")
@needs("write")
def post(bulletin_id: int) -> ResponseReturnValue:
    """Post on one of the commune's pages, through the worker."""
    try:
        with writing() as session:
            social.ask_post(
                session, bulletin_id, request.form.get("network", ""), request.form.get("text", ""),
                known=social.networks(deps().settings), actor=actor(session), now=now(),
            )  # fmt: skip
    except NotFound:
        raise
    except BroadcasterError as error:
        return _page(bulletin_id, error), status_of(error)
    deps().doorbell.ring()
    flash("Đang đăng. Mở lại trang này sau ít giây để xem kết quả.")
    return redirect(url_for("share.page", bulletin_id=bulletin_id, _anchor="da-dang"), 303)


@bp.post("/ban-tin/<int:bulletin_id>/chia-se/ghi-lai")
@needs("write")
def by_hand(bulletin_id: int) -> ResponseReturnValue:
    """Write down that a person posted it."""
    try:
        with writing() as session:
            social.note_by_hand(
                session, bulletin_id, request.form.get("network", ""), request.form.get("url", ""),
                actor=actor(session), now=now(),
            )  # fmt: skip
    except NotFound:
        raise
    except BroadcasterError as error:
        return _page(bulletin_id, error), status_of(error)
    flash("Đã ghi lại bài đăng.")
    return redirect(url_for("share.page", bulletin_id=bulletin_id, _anchor="da-dang"), 303)


@bp.get("/ban-tin/<int:bulletin_id>/bang-tin.pdf")
@needs("see")
def notice(bulletin_id: int) -> ResponseReturnValue:
    """An A4 page for the notice board of a village."""
    why = why_unreachable()
    if why:
        raise InputError(why)
    with reading() as session:
        bulletin_by_id(session, bulletin_id)
        revision = _approved(session, bulletin_id)
        sentences = frozen_reading(revision).sentences
    from broadcaster.delivery.poster import poster  # only here: no page needs what draws PDFs

    place = station()
    data = poster(
        station=place.name, title=revision.title, main_line=_main_line([one.written for one in sentences]),
        url=listen_address(place.slug, bulletin_id), below=f"{place.name}{' · ' + place.phone if place.phone else ''}",
    )  # fmt: skip
    answer = Response(data, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="bang-tin-{plain_name(revision.title)}.pdf"'
    return answer


@bp.get("/kenh")
@needs("see")
def channels() -> ResponseReturnValue:
    """Addresses of podcasts, calendars and the player for a portal."""
    zone = ZoneInfo(station().zone)
    year = datetime(today().year, 1, 1, tzinfo=zone)
    with reading() as session:
        found = public_channels(session)
        posted = social.counts(session, year, datetime(today().year + 1, 1, 1, tzinfo=zone))
    frame = next(each["url"] for each in found if each["kind"] == "embed")
    snippet = (
        f'<iframe src="{frame}" title="{station().name}" width="100%" height="520" loading="lazy"></iframe>'
    )
    return render_template(
        "share_channels.html", channels=found, snippet=snippet, why=why_unreachable(), posted=posted,
        names=social.BY_HAND, year=year.year,
    )  # fmt: skip


def _page(bulletin_id: int, error: BroadcasterError | None = None) -> str:
    place = station()
    with reading() as session:
        bulletin = bulletin_by_id(session, bulletin_id)
        revision = approved_revision(session, bulletin_id)
        if revision is None or revision.take is None:
            return render_template("share.html", bulletin=bulletin, revision=None, error=error)
        words = " ".join(sentence.written for sentence in frozen_reading(revision).sentences)
        topic = bulletin.topic.title if bulletin.topic is not None else ""
        address = listen_address(place.slug, bulletin_id)
        return render_template(
            "share.html", bulletin=bulletin, revision=revision, error=error, address=address,
            kit=kit(revision.title, words, url=address, station=place.name, topic=topic), posts=social.posts_of(session, bulletin_id),
            made=share_result(session, revision.id), job=_job(session, revision), networks=social.networks(deps().settings),
            names=social.NAMES, by_hand=social.BY_HAND, typed=request.form, why=why_unreachable(),
        )  # fmt: skip


def _job(session: Session, revision: Revision) -> RenderJob | None:
    return session.scalar(select(RenderJob).where(RenderJob.kind == KIND, RenderJob.key == str(revision.id)))


def _approved(session: Session, bulletin_id: int) -> Revision:
    revision = approved_revision(session, bulletin_id)
    if revision is None or revision.take is None:
        title = session.get_one(Bulletin, bulletin_id).title
        raise Refused(f"Bản tin “{title}” chưa được duyệt nên chưa chia sẻ được.")
    return revision


def _main_line(sentences: list[str]) -> str:
    """The first sentences that say something: a greeting alone is no main line."""
    told = [
        one for one in sentences if not one.casefold().startswith(("kính thưa", "kính gửi", "thưa bà con"))
    ]
    return " ".join((told or sentences)[:4])
