"""For machines of other people: podcast and calendar of a station, metrics."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, abort, g, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster import __version__
from broadcaster.delivery.feeds import ical, rss
from broadcaster.schedule.plan import plan_days
from broadcaster.store.tables import Airing, Receiver, RenderJob, Station
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
    with reading() as session:
        airings = plan_days(session, today() - timedelta(days=FEED_DAYS - 1), FEED_DAYS)
    body = rss(
        airings, title=place.name, base_url=deps().settings.base_url, now=now(),
        feed_url=deps().settings.base_url + url_for("channels.podcast", slug=slug),
    )  # fmt: skip
    return _cacheable(Response(body, mimetype="application/rss+xml"))


@bp.get("/feeds/<slug>.ics")
@public
def calendar(slug: str) -> ResponseReturnValue:
    """iCalendar of the coming airings, for the calendar of a phone."""
    place = _station(slug)
    with reading() as session:
        airings = plan_days(session, today(), deps().settings.integer("schedule.horizon_days"))
    return _cacheable(
        Response(ical(airings, title=place.name, host=request.host, now=now()), mimetype="text/calendar")
    )


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
    """Every channel of this station that anybody may follow."""
    base, place = deps().settings.base_url, station()
    return [
        {"title": place.name, "kind": "rss", "url": base + url_for("channels.podcast", slug=place.slug)},
        {
            "title": place.name,
            "kind": "icalendar",
            "url": base + url_for("channels.calendar", slug=place.slug),
        },
    ]


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
