"""For machines of other people: podcast and calendar of a station, metrics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, g, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster import __version__
from broadcaster.delivery.cards import artwork
from broadcaster.delivery.feeds import Podcast, ical, rss
from broadcaster.model import PlannedAiring
from broadcaster.schedule.plan import plan_days
from broadcaster.store.tables import Airing, Receiver, RenderJob, Station, Topic, Village
from web.deps import deps, kept, now, reading, station, today
from web.security import public

bp = Blueprint("channels", __name__)
FEED_DAYS = 30
LOOPBACK = ("127.0.0.1", "::1")


@bp.get("/feeds/<slug>.xml")
@public
def podcast(slug: str) -> ResponseReturnValue:
    """RSS 2.0 of what has been on the air in the last 30 days: any podcast app can play the station."""
    place = _station(slug)
    return _rss(place, place.name, f"Các buổi phát của {place.name}.", lambda line: True)


@bp.get("/feeds/<slug>/chu-de/<topic_slug>.xml")
@public
def topic_podcast(slug: str, topic_slug: str) -> ResponseReturnValue:
    """The programmes that carry a bulletin of one topic."""
    place = _station(slug)
    with reading() as session:
        topic = session.scalar(select(Topic.title).where(Topic.slug == topic_slug))
    if topic is None:
        abort(404)
    return _rss(
        place, f"{place.name}: {topic}", f"Các buổi phát về {topic} của {place.name}.",
        lambda line: any(item.approved and item.topic == topic for item in line.items),
    )  # fmt: skip


@bp.get("/feeds/<slug>/thon/<village_slug>.xml")
@public
def village_podcast(slug: str, village_slug: str) -> ResponseReturnValue:
    """The programmes that one village hears."""
    place = _station(slug)
    village = _village(village_slug)
    return _rss(
        place,
        f"{place.name}: {village}",
        f"Các buổi phát tại {village}, {place.name}.",
        lambda line: True,
        village_slug,
    )


@bp.get("/feeds/<slug>.ics")
@public
def calendar(slug: str) -> ResponseReturnValue:
    """iCalendar of the coming airings, for the calendar of a phone."""
    return _ics(_station(slug))


@bp.get("/feeds/<slug>/thon/<village_slug>.ics")
@public
def village_calendar(slug: str, village_slug: str) -> ResponseReturnValue:
    """The same for one village."""
    place = _station(slug)
    return _ics(place, _village(village_slug), village_slug)


@bp.get("/feeds/<slug>/anh.png")
@public
def artwork_png(slug: str) -> ResponseReturnValue:
    """The podcast's picture, drawn from the station's name."""
    place = _station(slug)
    answer = Response(_artwork(place.name), mimetype="image/png")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    answer.add_etag()
    return answer.make_conditional(request)


@cache
def _artwork(name: str) -> bytes:
    return artwork(name, "Phát thanh của xã, nghe lại mọi lúc")


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Counters for a monitor on this machine, in Prometheus' text format; nobody else may ask."""
    if request.remote_addr not in LOOPBACK or request.headers.get("X-Forwarded-For"):
        abort(404)
    lines = [f'broadcaster_info{{version="{__version__}"}} 1']
    with deps().db.reading() as session:
        jobs = session.execute(
            select(RenderJob.kind, RenderJob.state, func.count()).group_by(RenderJob.kind, RenderJob.state)
        )
        lines += [
            f'broadcaster_render_jobs{{kind="{kind}",state="{state}"}} {count}' for kind, state, count in jobs
        ]
        airings = session.execute(select(Airing.state, func.count()).group_by(Airing.state))
        lines += [f'broadcaster_airings{{state="{state.value}"}} {count}' for state, count in airings]
        for receiver in session.scalars(select(Receiver).where(Receiver.revoked_at.is_(None))):
            if receiver.last_seen_at is not None:
                age = (now() - receiver.last_seen_at).total_seconds()
                lines.append(f'broadcaster_receiver_silent_seconds{{receiver="{receiver.id}"}} {age:.0f}')
    return Response("\n".join(lines) + "\n", mimetype="text/plain; version=0.0.4")


def public_channels(session: Session) -> list[dict[str, str]]:
    """Every channel of this station that anybody may follow: title, kind (rss, icalendar, embed) and address."""
    base, place = deps().settings.base_url, station()

    def channel(title: str, kind: str, endpoint: str, **values: str) -> dict[str, str]:
        return {"title": title, "kind": kind, "url": base + url_for(endpoint, slug=place.slug, **values)}

    found = [
        channel(place.name, "rss", "channels.podcast"),
        channel(place.name, "icalendar", "channels.calendar"),
        channel(place.name, "embed", "listen.embedded"),
    ]
    for topic in session.scalars(select(Topic).order_by(Topic.position, Topic.id)):
        found.append(channel(topic.title, "rss", "channels.topic_podcast", topic_slug=topic.slug))
    for village in session.scalars(select(Village).order_by(Village.position, Village.id)):
        if village.valid_to is None or village.valid_to >= today():
            values = {"village_slug": village.slug}
            found.append(channel(village.name, "rss", "channels.village_podcast", **values))
            found.append(channel(village.name, "icalendar", "channels.village_calendar", **values))
    return found


def _rss(
    place: Station,
    title: str,
    about: str,
    belongs: Callable[[PlannedAiring], bool],
    village: str | None = None,
) -> Response:
    with reading() as session:
        airings = plan_days(session, today() - timedelta(days=FEED_DAYS - 1), FEED_DAYS, village)
    base = deps().settings.base_url
    told = Podcast(
        title=title, about=about, author=place.name, base_url=base, feed_url=base + request.path,
        site_url=base + url_for("listen.index", slug=place.slug),
        image_url=base + url_for("channels.artwork_png", slug=place.slug),
    )  # fmt: skip
    body = rss([line for line in airings if belongs(line)], told, now=now())
    return _cacheable(Response(body, mimetype="application/rss+xml"))


def _ics(place: Station, village: str = "", village_slug: str | None = None) -> Response:
    with reading() as session:
        days = deps().settings.integer("schedule.horizon_days")
        airings = plan_days(session, today(), days, village_slug)
    title = f"{place.name}: {village}" if village else place.name
    host = urlsplit(deps().settings.base_url).hostname or "localhost"
    return _cacheable(Response(ical(airings, title=title, host=host, now=now()), mimetype="text/calendar"))


def _village(slug: str) -> str:
    with reading() as session:
        name = session.scalar(select(Village.name).where(Village.slug == slug))
    if name is None:
        abort(404)
    return str(name)


def _station(slug: str) -> Station:
    with deps().db.reading() as session:
        found = session.scalars(select(Station).where(Station.slug == slug)).first()
        if found is None:
            abort(404)
        g.station = kept(session, found)
    return found


def _cacheable(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.add_etag()
    return answer.make_conditional(request)
