"""How far each topic has come against its target, and what is behind.  What counts is what the report counts.

A broadcast ("lượt tin bài") is a bulletin in an airing that a village heard: the pieces of the players' column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.model import AiringOrigin, AiringState
from broadcaster.report.gathering import heard_parts
from broadcaster.report.ledger import Ledger, Part, Player
from broadcaster.report.period import Period
from broadcaster.report.tallies import by_part
from broadcaster.report.targets import Amount, Standing, behind
from broadcaster.store.tables import (
    Airing,
    Bulletin,
    Campaign,
    Station,
    Topic,
    TopicTarget,
    Variant,
    VariantItem,
)


@dataclass(frozen=True, slots=True)
class Goal:
    """One target: a topic between two days."""

    topic_id: int
    topic: str
    campaign_id: int | None
    first_day: date
    last_day: date
    wanted: Amount


def standings(
    session: Session,
    station: Station,
    *,
    now: datetime,
    period: Period | None = None,
    known: Ledger | None = None,
) -> list[tuple[Goal, Standing]]:
    """Every target of the station in the order of plans and topics, as it stands today.

    With a `period`: the targets whose days meet it, as they stood at its end, and nothing to come.  `known` is
    a ledger that was gathered already; it is used when it covers what is asked.
    """
    today = now.astimezone(ZoneInfo(station.zone)).date()
    until = min(period.last, today) if period is not None else today
    wanted = [goal for goal in goals(session, today) if period is None or _meets(goal, period)]
    begun = [goal for goal in wanted if goal.first_day <= until]
    placed = _placed_ahead(session) if period is None else []
    heard: Sequence[Part] = ()
    if begun:
        span = Period("days", min(goal.first_day for goal in begun), until)
        heard = (
            heard_in(known)
            if known is not None and _covers(known, span)
            else heard_parts(session, station, span, now=now)
        )
    by_topic, found = spoken(heard), []
    for goal in wanted:
        reached = Amount()
        if goal.first_day <= until:
            reached = aired(by_topic.get(goal.topic_id, ()), goal.first_day, min(goal.last_day, until))
        ahead = sum(
            topic == goal.topic_id and goal.first_day <= day <= goal.last_day for topic, day in placed
        )
        lacks = behind(goal.wanted, reached, first_day=goal.first_day, last_day=goal.last_day, today=until)
        found.append(
            (
                goal,
                Standing(
                    goal.topic_id, goal.topic, goal.first_day, goal.last_day, until, goal.wanted, reached, ahead, lacks,
                ),
            )
        )  # fmt: skip
    return found


def goals(session: Session, today: date) -> list[Goal]:
    """Targets entered for days; a topic without any has the one of its plan (or of this year) if that is not 0."""
    rows = session.execute(
        select(Topic, Campaign)
        .outerjoin(Campaign, Campaign.id == Topic.campaign_id)
        .order_by(Campaign.first_day, Campaign.id, Topic.position, Topic.id)
    ).all()
    entered: dict[int, list[TopicTarget]] = {}
    for target in session.scalars(
        select(TopicTarget).order_by(TopicTarget.first_day, TopicTarget.last_day, TopicTarget.id)
    ):
        entered.setdefault(target.topic_id, []).append(target)
    found = []
    for topic, campaign in rows:
        spans: Sequence[tuple[date, date, Amount]] = [
            (one.first_day, one.last_day, Amount(one.broadcasts, one.minutes, one.bulletins))
            for one in entered.get(topic.id, ())
        ]
        if not spans:
            first = campaign.first_day if campaign is not None else date(today.year, 1, 1)
            last = campaign.last_day if campaign is not None else date(today.year, 12, 31)
            spans = [(first, last, Amount(topic.target_broadcasts))]
        found += [
            Goal(topic.id, topic.title, topic.campaign_id, first, last, amount)
            for first, last, amount in spans
        ]
    return found


def _meets(goal: Goal, period: Period) -> bool:
    return goal.wanted != Amount() and goal.first_day <= period.last and period.first <= goal.last_day


def _covers(ledger: Ledger, span: Period) -> bool:
    return ledger.period.first <= span.first and span.last <= ledger.period.last


def heard_in(ledger: Ledger) -> list[Part]:
    """The ledger's parts that some village heard by the players' word."""
    return [
        ledger.parts[index]
        for index, heard in by_part(ledger.cells).items()
        if ledger.parts[index].planned and heard.player[Player.PLAYED]
    ]


def spoken(heard: Sequence[Part]) -> dict[int, list[tuple[date, int, str, int]]]:
    """topic id -> (day, bulletin, airing, ms) of everything that sounded in these parts."""
    found: dict[int, list[tuple[date, int, str, int]]] = {}
    for part in heard:
        for item in part.items:
            if item.sounds:
                row = (part.local_date, item.bulletin_id, part.airing_id, item.air_ms)
                found.setdefault(item.topic_id, []).append(row)
    return found


def aired(sounded: Sequence[tuple[date, int, str, int]], first: date, last: date) -> Amount:
    """What of a topic villages heard in these days; a pair of bulletin and airing counts once."""
    pairs = {(bulletin, airing): ms for day, bulletin, airing, ms in sounded if first <= day <= last}
    return Amount(len(pairs), round(sum(pairs.values()) / 60_000), len({bulletin for bulletin, _ in pairs}))


def _placed_ahead(session: Session) -> list[tuple[int | None, date]]:
    """(topic, day) of every bulletin that stands in an airing still to come."""
    rows = session.execute(
        select(Bulletin.topic_id, Airing.local_date, Bulletin.id, Airing.id)
        .select_from(VariantItem)
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .join(Bulletin, Bulletin.id == VariantItem.bulletin_id)
        .where(
            Airing.state.in_((AiringState.PLANNED, AiringState.CLOSED)),
            Airing.origin != AiringOrigin.DRILL,
            VariantItem.dropped_reason == "",
            Bulletin.topic_id.is_not(None),
        )
        .distinct()
    )
    return [(topic, day) for topic, day, _bulletin, _airing in rows]
