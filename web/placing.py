"""Where a bulletin may air: the coming airings with what is left in them, and the running order of each it is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.model import HOUSE_RATE_HZ, AiringState, JingleKind, PlannedAiring, Reading
from broadcaster.newsroom.approved import approved_revision
from broadcaster.newsroom.templates import approved_template
from broadcaster.production.rundown import Cue, Item, build_timeline
from broadcaster.production.template import programme_words, template_from
from broadcaster.schedule.plan import plan_days
from broadcaster.schedule.running import SYLLABLES_A_MINUTE, framed_ms, spoken_lengths
from broadcaster.store.tables import Airing, Bulletin, Jingle, Station, TemplateRevision, Variant, VariantItem

DAYS = 4  # how far the list of airings to choose from looks
SOUNDS = {
    JingleKind.OPENING: "Nhạc mở đầu",
    JingleKind.CHIME: "Chuông báo",
    JingleKind.CUT: "Nhạc cắt",
    JingleKind.CLOSING: "Nhạc kết",
}
WORDS = {
    "call_sign": "Lời xướng",
    "call_sign_2": "Lời xướng, giọng thứ hai",
    "greeting": "Lời chào",
    "headlines": "Tóm tắt",
    "item_intro": "Lời dẫn",
    "repeat": "“Xin nhắc lại”",
    "closing": "Lời kết",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a running order: when it begins, what it is, and whether it is this bulletin."""

    at_ms: int
    what: str
    kind: str  # jingle, words or item
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """An airing as a place for one bulletin.  `length_ms` is the whole programme with it in it."""

    line: PlannedAiring
    here: bool
    length_ms: int
    free_ms: int  # before this bulletin comes in, or beside it when it is in
    closes_at: datetime
    parts: tuple[Part, ...] = ()

    @property
    def over_ms(self) -> int:
        """By how much it would be too long; 0 when it fits."""
        return max(self.length_ms - (self.line.max_ms or self.length_ms), 0)


@dataclass(frozen=True, slots=True)
class Places:
    """Airings that carry the bulletin, airings that could, and the one that suits best."""

    here: tuple[Place, ...]
    others: tuple[Place, ...]
    best: Place | None


def expected_ms(reading: Reading, *, speed: float, twice: bool) -> int:
    """How long a reading will sound, from its spoken syllables."""
    syllables = sum(len(sentence.spoken.split()) for sentence in reading.sentences)
    once = round(syllables * 60_000 / SYLLABLES_A_MINUTE / speed)
    return once * 2 if twice else once


def places_of(
    session: Session,
    bulletin: Bulletin,
    *,
    own_ms: int,
    first: date,
    now: datetime,
    close_min: int,
    others: bool = True,
) -> Places:
    """The airings of the coming days, and all that carry the bulletin already.  Queries do not grow with days.

    Without `others` only those that carry it: what a page asks while somebody types.
    """
    coming = _coming(plan_days(session, first, DAYS), now) if others else []
    known = {line.airing_id for line in coming}
    last = first + timedelta(days=DAYS - 1 if others else -1)
    far = session.scalars(
        select(Airing.local_date)
        .join(Variant, Variant.airing_id == Airing.id)
        .join(VariantItem, VariantItem.variant_id == Variant.id)
        .where(VariantItem.bulletin_id == bulletin.id, Airing.local_date > last, Airing.planned_at > now)
        .distinct()
        .order_by(Airing.local_date)
        .limit(8)
    ).all()
    if far:
        later = _coming(plan_days(session, far[0], (far[-1] - far[0]).days + 1), now)
        coming += [line for line in later if _carries(line, bulletin.id) and line.airing_id not in known]
    if not coming:
        return Places((), (), None)
    lengths = _lengths(session, coming, bulletin, own_ms)
    furniture = _Furniture.of(session, bulletin.station_id) if others else None
    every = [_place(line, bulletin, lengths, close_min, furniture) for line in coming]
    here = tuple(place for place in every if place.here)
    open_ones = [place for place in every if not place.here and place.line.state is AiringState.PLANNED]
    return Places(here, tuple(open_ones[:8]), None if here else _best(open_ones, now))


def _best(places: Sequence[Place], now: datetime) -> Place | None:
    """The next airing that has nothing yet and can still be approved in time; else the next with room."""
    in_time = [one for one in places if one.closes_at - now >= timedelta(minutes=30) and not one.over_ms]
    empty = [one for one in in_time[:6] if not one.line.items]
    return next(iter([*empty, *in_time]), None)


def _coming(lines: Iterable[PlannedAiring], now: datetime) -> list[PlannedAiring]:
    wanted = (AiringState.PLANNED, AiringState.CLOSED)
    return [line for line in lines if line.state in wanted and line.planned_at > now and line.variant == 1]


def _carries(line: PlannedAiring, bulletin_id: int) -> bool:
    return any(item.bulletin_id == bulletin_id for item in line.items)


def _lengths(
    session: Session, lines: Iterable[PlannedAiring], bulletin: Bulletin, own_ms: int
) -> dict[int, int]:
    wanted = {item.bulletin_id for line in lines for item in line.items} - {bulletin.id}
    rows = session.scalars(select(Bulletin).where(Bulletin.id.in_(wanted))).all() if wanted else []
    return {**spoken_lengths(session, rows), bulletin.id: own_ms}


def _place(
    line: PlannedAiring,
    bulletin: Bulletin,
    lengths: Mapping[int, int],
    close_min: int,
    furniture: _Furniture | None,
) -> Place:
    here = _carries(line, bulletin.id)
    others = [lengths.get(item.bulletin_id, 0) for item in line.items if item.bulletin_id != bulletin.id]
    own = lengths[bulletin.id]
    left = (line.max_ms or 0) - framed_ms([*others, 0])
    return Place(
        line=line,
        here=here,
        length_ms=framed_ms([*others, own]),
        free_ms=max(left, 0),
        closes_at=line.planned_at - timedelta(minutes=close_min),
        parts=furniture.order(line, bulletin, lengths) if here and furniture is not None else (),
    )


@dataclass(frozen=True, slots=True)
class _Furniture:
    """What stands around the bulletins, as approved now."""

    station: Station
    template: TemplateRevision | None
    jingles: Mapping[JingleKind, int]  # samples

    @classmethod
    def of(cls, session: Session, station_id: int) -> _Furniture:
        template = approved_template(session, station_id, "thuong")
        bound = template.jingles if template is not None else {}
        rows = session.scalars(select(Jingle).where(Jingle.sha256.in_(bound.values())))
        lengths = {row.sha256: _samples(row.duration_ms) for row in rows}
        jingles = {JingleKind(kind): lengths.get(sha256, 0) for kind, sha256 in bound.items()}
        return cls(session.get_one(Station, station_id), template, jingles)

    def order(self, line: PlannedAiring, bulletin: Bulletin, lengths: Mapping[int, int]) -> tuple[Part, ...]:
        """The running order by expected lengths; what is spoken around the items is counted in syllables."""
        if self.template is None:
            return ()
        template = template_from(self.template.body)
        said = programme_words(
            template, station_name=self.station.name, call_sign=self.station.call_sign,
            local_date=line.local_date, start_local=line.start_local,
            titles=[item.title for item in line.items],
        )  # fmt: skip
        words = {name: _samples(_said_ms(text)) for name, text in asdict(said).items() if text}
        items = [Item(item.title, _samples(lengths.get(item.bulletin_id, 0))) for item in line.items]
        cues = build_timeline(template, items=items, words=words, jingles=self.jingles).cues
        return tuple(
            Part(round(cue.start * 1000 / HOUSE_RATE_HZ), *_named(cue, line, bulletin))
            for cue in cues
            if not cue.loop
        )


def _named(cue: Cue, line: PlannedAiring, bulletin: Bulletin) -> tuple[str, str, bool]:
    sort, _, name = cue.source.partition(":")
    if sort == "item":
        item = line.items[int(name)]
        return item.title, "item", item.bulletin_id == bulletin.id
    if sort == "jingle":
        return SOUNDS.get(JingleKind(name), "Nhạc hiệu"), "jingle", False
    return WORDS.get(name, "Lời dẫn"), "words", False


def _said_ms(text: str) -> int:
    return len(text.split()) * 60_000 // SYLLABLES_A_MINUTE


def _samples(ms: int) -> int:
    return round(ms * HOUSE_RATE_HZ / 1000)


def own_length(session: Session, bulletin: Bulletin, reading: Reading, *, speed: float) -> tuple[int, bool]:
    """How long the draft sounds in ms, and whether that was measured: true while it is what was approved."""
    revision = approved_revision(session, bulletin.id)
    if revision is not None and revision.take is not None and revision.text == bulletin.draft_text:
        ms = revision.take.duration_ms
        return (ms * 2 if bulletin.read_twice else ms), True
    return expected_ms(reading, speed=speed, twice=bulletin.read_twice), False
