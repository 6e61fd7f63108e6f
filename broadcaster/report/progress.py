"""How far each topic has come against its target, and what is behind.  Counting here, judging pure.

A broadcast ("lượt tin bài") is a bulletin in an airing that a receiver reports as finished; the same bulletin
in another airing is another one.  Drills count for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from broadcaster.model import AiringOrigin, AiringState, AsRunEvent
from broadcaster.store.tables import (
    Airing,
    AsRun,
    Bulletin,
    Campaign,
    Revision,
    TakeRow,
    Topic,
    TopicTarget,
    Variant,
    VariantItem,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """Broadcasts, minutes on the air and different bulletins."""

    broadcasts: int = 0
    minutes: int = 0
    bulletins: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One topic between two days: wanted, reached, placed in airings to come; `behind` is what today lacks.

    `behind` compares with an even pace: half of the days gone, half of the target reached.
    """

    topic_id: int
    topic: str
    first_day: date
    last_day: date
    wanted: Amount
    reached: Amount
    ahead: int
    behind: Amount

    @property
    def is_behind(self) -> bool:
        """True when any of the three lacks something today."""
        return any((self.behind.broadcasts, self.behind.minutes, self.behind.bulletins))

    @property
    def percent(self) -> int:
        """Share of the broadcasts' target (or of the first target there is), at most 100."""
        pairs = (
            (self.reached.broadcasts, self.wanted.broadcasts), (self.reached.minutes, self.wanted.minutes),
            (self.reached.bulletins, self.wanted.bulletins),
        )  # fmt: skip
        return next((min(100, got * 100 // want) for got, want in pairs if want), 0)


def behind(wanted: Amount, reached: Amount, *, first_day: date, last_day: date, today: date) -> Amount:
    """What an even pace would have reached by the end of `today` and was not."""
    whole = (last_day - first_day).days + 1
    gone = max(0, min(whole, (today - first_day).days + 1))

    def lacking(want: int, got: int) -> int:
        return max(0, want * gone // whole - got)

    return Amount(
        lacking(wanted.broadcasts, reached.broadcasts),
        lacking(wanted.minutes, reached.minutes),
        lacking(wanted.bulletins, reached.bulletins),
    )


def standings(session: Session, campaign: Campaign | None, *, today: date) -> list[Standing]:
    """Every target of a campaign's topics (None = of topics without a campaign), in the plan's order."""
    wanted = select(Topic).where(
        Topic.campaign_id.is_(None) if campaign is None else Topic.campaign_id == campaign.id
    )
    topics = session.scalars(wanted.order_by(Topic.position, Topic.id)).all()
    targets: dict[int, list[TopicTarget]] = {}
    for row in session.scalars(
        select(TopicTarget)
        .where(TopicTarget.topic_id.in_([topic.id for topic in topics]))
        .options(joinedload(TopicTarget.topic))
        .order_by(TopicTarget.first_day, TopicTarget.last_day)
    ):
        targets.setdefault(row.topic_id, []).append(row)
    spans: dict[tuple[date, date], tuple[dict[int, Amount], dict[int, int]]] = {}
    found = []
    for topic in topics:
        for first, last, amount in _targets(topic, targets.get(topic.id, []), campaign, today):
            if (first, last) not in spans:
                spans[first, last] = (aired(session, first, last), placed_ahead(session, first, last))
            reached = spans[first, last][0].get(topic.id, Amount())
            found.append(
                Standing(
                    topic.id, topic.title, first, last, amount, reached, spans[first, last][1].get(topic.id, 0),
                    behind(amount, reached, first_day=first, last_day=last, today=today),
                )
            )  # fmt: skip
    return found


def _targets(
    topic: Topic, rows: list[TopicTarget], campaign: Campaign | None, today: date
) -> list[tuple[date, date, Amount]]:
    if rows:
        return [
            (row.first_day, row.last_day, Amount(row.broadcasts, row.minutes, row.bulletins)) for row in rows
        ]
    first = campaign.first_day if campaign is not None else date(today.year, 1, 1)
    last = campaign.last_day if campaign is not None else date(today.year, 12, 31)
    return [(first, last, Amount(topic.target_broadcasts))]


def aired(session: Session, first: date, last: date) -> dict[int, Amount]:
    """topic id -> what of it was on the air in these days."""
    finished = exists().where(AsRun.airing_id == Airing.id, AsRun.event == AsRunEvent.FINISHED)
    rows = session.execute(
        select(Bulletin.topic_id, Bulletin.id, Airing.id, TakeRow.duration_ms, Revision.read_twice)
        .select_from(VariantItem)
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .join(Bulletin, Bulletin.id == VariantItem.bulletin_id)
        .join(Revision, Revision.id == VariantItem.revision_id)
        .join(TakeRow, TakeRow.id == Revision.take_id)
        .where(
            Airing.local_date.between(first, last),
            Airing.state == AiringState.STARTED,
            Airing.origin != AiringOrigin.DRILL,
            VariantItem.dropped_reason == "",
            Bulletin.topic_id.is_not(None),
            finished,
        )
        .distinct()
    )
    pairs: dict[int, dict[tuple[int, str], int]] = {}
    for topic_id, bulletin_id, airing_id, duration_ms, twice in rows:
        assert topic_id is not None, "the question asked for topics only"
        pairs.setdefault(topic_id, {})[bulletin_id, airing_id] = duration_ms * (2 if twice else 1)
    return {
        topic_id: Amount(
            len(found), round(sum(found.values()) / 60_000), len({bulletin for bulletin, _ in found})
        )
        for topic_id, found in pairs.items()
    }


def placed_ahead(session: Session, first: date, last: date) -> dict[int, int]:
    """topic id -> how many (bulletin, airing) pairs of these days are still to come."""
    rows = session.execute(
        select(Bulletin.topic_id, Bulletin.id, Airing.id)
        .select_from(VariantItem)
        .join(Variant, Variant.id == VariantItem.variant_id)
        .join(Airing, Airing.id == Variant.airing_id)
        .join(Bulletin, Bulletin.id == VariantItem.bulletin_id)
        .where(
            Airing.local_date.between(first, last),
            Airing.state.in_((AiringState.PLANNED, AiringState.CLOSED)),
            Airing.origin != AiringOrigin.DRILL,
            VariantItem.dropped_reason == "",
            Bulletin.topic_id.is_not(None),
        )
        .distinct()
    )
    found: dict[int, int] = {}
    for topic_id, _bulletin, _airing in rows:
        assert topic_id is not None, "the question asked for topics only"
        found[topic_id] = found.get(topic_id, 0) + 1
    return found
