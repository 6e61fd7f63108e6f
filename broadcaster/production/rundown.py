"""Running order -> timeline, in integer samples at the house rate.  Pure: no sound is touched here.

    1 s silence | opening jingle, faded under the call sign | greeting, headlines | chime | item | cut | item
    | … "Xin nhắc lại" item … | closing words | closing jingle | silence

Knowing where speech lies is what lets the bed and the opening duck without a detector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from broadcaster.model import HOUSE_RATE_HZ, JingleKind
from broadcaster.production.template import Template

_BETWEEN_VOICES_MS = 350
Point = tuple[int, float]  # sample from the cue's start, dB


class Bus(StrEnum):
    """Speech is voiced for horns; music is not."""

    SPEECH = "speech"
    MUSIC = "music"


@dataclass(frozen=True, slots=True)
class Item:
    """One bulletin: its length in samples, and whether it is read twice."""

    title: str
    length: int
    read_twice: bool = False


@dataclass(frozen=True, slots=True)
class Cue:
    """`length` samples of `source` sounding from `start`.

    `gain` holds (sample from the cue's start, dB) points, linear in dB between them and flat outside.
    A looped source begins again at its end.
    """

    source: str  # "jingle:opening", "words:call_sign", "item:0"
    bus: Bus
    start: int
    length: int
    gain: tuple[Point, ...] = ((0, 0.0),)
    loop: bool = False

    @property
    def end(self) -> int:
        """First sample after it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Span:
    """Where a part sounds, for the listings; `kind` is opening, words, item, repeat or closing."""

    kind: str
    title: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Cues in order of their start, the programme's length, and the parts people see."""

    cues: tuple[Cue, ...]
    length: int
    spans: tuple[Span, ...]


def samples(ms: float) -> int:
    """Milliseconds in samples."""
    return round(ms * HOUSE_RATE_HZ / 1000)


def build_timeline(
    template: Template,
    *,
    items: Sequence[Item],
    words: Mapping[str, int],
    jingles: Mapping[JingleKind, int],
) -> Timeline:
    """Place everything.

    `words` has the lengths (samples) of the spoken parts `call_sign`, `call_sign_2` (the same by the other
    voice), `greeting`, `headlines`, `item_intro`, `repeat` and `closing`; one that is absent or 0 is left
    out, and so is a jingle that is not in `jingles`.
    """
    line = _Line(template, words=words, jingles=jingles)
    line.rest(template.lead_in_ms)
    for part in template.order.split():
        line.part(part, items)
    line.rest(template.tail_ms)
    cues = line.cues
    if template.bed and JingleKind.BED in jingles:
        cues = [*cues, *_bed(template, cues, line.bed_from, line.bed_to)]
    return Timeline(
        cues=tuple(sorted(cues, key=lambda cue: (cue.start, cue.source))),
        length=line.at,
        spans=tuple(line.spans),
    )


@dataclass
class _Line:
    """The pen that draws the timeline from left to right; `at` is the next free sample."""

    template: Template
    words: Mapping[str, int]
    jingles: Mapping[JingleKind, int]
    at: int = 0
    bed_from: int = -1
    bed_to: int = 0
    cues: list[Cue] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def rest(self, ms: int) -> None:
        self.at += samples(ms)

    def say(self, part: str, *, kind: str = "words", title: str = "") -> bool:
        length = self.words.get(part, 0)
        if not length:
            return False
        self.cues.append(Cue(f"words:{part}", Bus.SPEECH, self.at, length))
        if title:
            self.spans.append(Span(kind, title, self.at, length))
        self.at += length
        return True

    def music(self, kind: JingleKind, level_db: float) -> bool:
        length = self.jingles.get(kind, 0)
        if not length:
            return False
        self.cues.append(Cue(f"jingle:{kind}", Bus.MUSIC, self.at, length, ((0, level_db),)))
        self.at += length
        return True

    def part(self, name: str, items: Sequence[Item]) -> None:
        """One part of the template's order, with the rest that follows it."""
        template = self.template
        if name == "opening":
            self.opening()
            return
        if self.bed_from < 0:
            self.bed_from = self.at
        if name in ("greeting", "headlines"):
            if self.say(name, title={"greeting": "Lời chào", "headlines": "Tóm tắt"}[name]):
                self.bed_to = self.at
                self.rest(template.around_ms)
        elif name == "chime":
            if template.chime and self.music(JingleKind.CHIME, template.cut_db):
                self.rest(template.around_ms)
        elif name == "items":
            for number, item in enumerate(items):
                self.item(number, item, last=number + 1 == len(items))
        else:
            self.closing()

    def opening(self) -> None:
        template, started = self.template, self.at
        opening = self.jingles.get(JingleKind.OPENING, 0) if template.opening_jingle else 0
        spoken = self.words.get("call_sign", 0)
        if opening and spoken and template.call_sign_under_jingle:
            self._call_sign_over(opening)
        else:
            if opening:
                self.music(JingleKind.OPENING, template.jingle_db)
                self.rest(template.around_ms)
            if self.say("call_sign") and self.words.get("call_sign_2", 0):
                self.rest(_BETWEEN_VOICES_MS)
                self.say("call_sign_2")
        if self.at > started:
            self.spans.append(Span("opening", "Nhạc hiệu và lời xướng", started, self.at - started))
            self.rest(template.after_opening_ms)

    def _call_sign_over(self, opening: int) -> None:
        """Music alone, then down under the call sign (by one voice or two), then gone shortly after it."""
        template = self.template
        first, second = self.words["call_sign"], self.words.get("call_sign_2", 0)
        between = samples(_BETWEEN_VOICES_MS) if second else 0
        spoken = first + between + second
        alone = min(samples(template.jingle_alone_ms), max(0, opening - spoken - samples(500)))
        down, out = samples(600), samples(1_500)
        loud, low = template.jingle_db, template.jingle_db + template.under_speech_db
        ends = min(opening, alone + spoken + out)
        gain = (
            (0, loud),
            (max(0, alone - down), loud),
            (alone, low),
            (max(alone, ends - out), low),
            (ends, -60.0),
        )
        self.cues.append(Cue("jingle:opening", Bus.MUSIC, self.at, ends, gain))
        self.cues.append(Cue("words:call_sign", Bus.SPEECH, self.at + alone, first))
        if second:
            at = self.at + alone + first + between
            self.cues.append(Cue("words:call_sign_2", Bus.SPEECH, at, second))
        self.at += max(ends, alone + spoken)

    def item(self, number: int, item: Item, *, last: bool) -> None:
        template = self.template
        if self.say("item_intro"):
            self.rest(template.around_ms)
        self._sound(number, item, "item")
        if item.read_twice:
            self.rest(template.between_items_ms)
            if self.say("repeat"):
                self.rest(template.around_ms)
            self._sound(number, item, "repeat")
        if last:
            self.rest(template.between_items_ms)
        elif template.cuts and self.jingles.get(JingleKind.CUT, 0):
            self.rest(template.around_ms)
            self.music(JingleKind.CUT, template.cut_db)
            self.rest(template.around_ms)
        else:
            self.rest(template.between_items_ms)

    def _sound(self, number: int, item: Item, kind: str) -> None:
        self.cues.append(Cue(f"item:{number}", Bus.SPEECH, self.at, item.length))
        self.spans.append(Span(kind, item.title, self.at, item.length))
        self.at += item.length
        self.bed_to = self.at

    def closing(self) -> None:
        template, started = self.template, self.at
        if self.say("closing"):
            self.bed_to = self.at
            self.rest(template.around_ms)
        if template.closing_jingle:
            self.music(JingleKind.CLOSING, template.jingle_db)
        if self.at > started:
            self.spans.append(Span("closing", "Lời kết", started, self.at - started))


def _bed(template: Template, cues: Sequence[Cue], start: int, end: int) -> list[Cue]:
    """One looped cue whose gain falls under each sound and rises where nothing sounds for 2 s or more."""
    if end <= start:
        return []
    fade, move, gap = samples(1_500), samples(400), samples(2_000)
    busy = sorted((cue.start - start, cue.end - start) for cue in cues if start <= cue.start < end)
    points: list[Point] = [(0, -60.0), (min(fade, end - start), template.bed_db)]
    for (_, quiet_from), (quiet_to, _) in zip(busy, busy[1:], strict=False):
        if quiet_to - quiet_from >= gap:
            points += [
                (quiet_from, template.bed_db),
                (quiet_from + move, template.bed_gap_db),
                (quiet_to - move, template.bed_gap_db),
                (quiet_to, template.bed_db),
            ]
    points += [(max(end - start - fade, points[-1][0]), template.bed_db), (end - start, -60.0)]
    return [Cue("jingle:bed", Bus.MUSIC, start, end - start, tuple(points), loop=True)]
