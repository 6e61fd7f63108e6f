"""Frozen values that travel between rooms, and the enums they are made of.

Units stand in the names (`_ms`, `_hz`, `_lufs`, `_db`).  Nothing here reads a clock, a file or a
database; a room may import this module and `errors`, and little else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

# --------------------------------------------------------------------------- the words of the house


class Priority(StrEnum):
    """Three levels everywhere: thông thường < ưu tiên < khẩn cấp."""

    ROUTINE = "routine"
    PRIORITY = "priority"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """0 for routine, 2 for emergency: higher pre-empts lower."""
        return ("routine", "priority", "emergency").index(self.value)


class Role(StrEnum):
    """What a signed-in person may do; village operators have links, not accounts."""

    AUTHOR = "author"
    APPROVER = "approver"
    TECHNICIAN = "technician"
    CONTRIBUTOR = "contributor"  # of another unit: sends drafts, sees what became of its own
    ADMINISTRATOR = "administrator"


class BulletinState(StrEnum):
    """Where a bulletin stands on its way to the air."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class AiringOrigin(StrEnum):
    """What made an airing."""

    SLOT = "slot"
    EXTRA = "extra"
    EMERGENCY = "emergency"
    DRILL = "drill"


class AiringState(StrEnum):
    """The station's own side of an airing; what was heard is told by the receivers' as-run."""

    PLANNED = "planned"  # content may still change
    CLOSED = "closed"  # content frozen at T-30 min, programme rendered or rendering
    STARTED = "started"  # its instant has come: frozen for good
    SKIPPED = "skipped"  # will not sound, `reason` says why
    CANCELLED = "cancelled"  # the slot or the day was taken away before it started


class JingleKind(StrEnum):
    """Kinds of station sound."""

    OPENING = "opening"
    CLOSING = "closing"
    CUT = "cut"
    CHIME = "chime"
    BED = "bed"
    ALERT = "alert"


class Profile(StrEnum):
    """Mastering profiles: `horn` for loudspeakers, `archive` for ears and shelves."""

    HORN = "horn"
    ARCHIVE = "archive"


class RenditionKind(StrEnum):
    """Files a programme exists as."""

    AIR = "air"  # MP3 mono 64 kbit/s, horn
    LIGHT = "light"  # MP3 mono 32 kbit/s for weak links
    ARCHIVE = "archive"


class StartMode(StrEnum):
    """At its instant: cut in at once, or wait for what sounds (up to `wait_s`)."""

    AT_ONCE = "at_once"
    WAIT = "wait"


class LatePolicy(StrEnum):
    """What a player does when it could not start in time."""

    PLAY_WITHIN_GRACE = "play_within_grace"
    SKIP = "skip"


class AsRunEvent(StrEnum):
    """What a player writes down about an airing, in order."""

    STARTED = "started"  # committed before the first sample
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    PREEMPTED = "preempted"
    RESUMED = "resumed"
    MISSED = "missed"
    SKIPPED = "skipped"


class Outcome(StrEnum):
    """Terminal state of an airing at one receiver, derived from its events."""

    PLAYED = "played"
    INTERRUPTED = "interrupted"
    PREEMPTED = "preempted"
    MISSED = "missed"
    SKIPPED = "skipped"
    UNREPORTED = "unreported"


class ReceiptKind(StrEnum):
    """What a village operator said about an airing."""

    DOWNLOADED = "downloaded"
    PLAYED = "played"
    FAILED = "failed"


class NoticeKind(StrEnum):
    """Why somebody is told something."""

    WAITING = "waiting"  # the reader can approve it
    APPROVED = "approved"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    DELEGATED = "delegated"
    EMERGENCY = "emergency"
    UPKEEP = "upkeep"  # the station's own backups need somebody
    ALARM = "alarm"  # a coming airing lacks something


# ------------------------------------------------------------------------------------------ reading


class Pause(StrEnum):
    """How long the voice rests after a sentence; `speech` turns it into milliseconds."""

    COMMA = "comma"
    SENTENCE = "sentence"
    ITEM = "item"
    PARAGRAPH = "paragraph"


@dataclass(frozen=True, slots=True)
class Mark:
    """One change from written to spoken.  `start`/`end` index the document's text (code points).

    `key` names the place stably within the text ("5-7#1"): an answer stored under it rereads just this
    place; an answer stored under the bare writing ("5-7") rereads it everywhere in the text.
    """

    start: int
    end: int
    written: str
    spoken: str
    rule: str
    alternatives: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class ReadingWarning:
    """Something a person must answer before the text may be submitted.

    `key` names the warning stably within the text: an answer is stored under it
    (`answers={key: "cách đọc"}`; the answer `VERBATIM` means "đọc nguyên").
    """

    key: str
    code: str
    start: int
    end: int
    written: str
    message: str
    suggestion: str = ""


VERBATIM = "=nguyên="


@dataclass(frozen=True, slots=True)
class Sentence:
    """One spoken sentence: `written` is `text[start:end]`, `spoken` has words, commas and an end mark."""

    start: int
    end: int
    written: str
    spoken: str
    marks: tuple[Mark, ...] = ()
    pause: Pause = Pause.SENTENCE


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A block found and not spoken: `kind` is letterhead, recipients, signature or decoration."""

    kind: str
    start: int
    end: int
    written: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What will be spoken for a text.  All positions refer to `text`, the cleaned document."""

    text: str
    sentences: tuple[Sentence, ...]
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[ReadingWarning, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def spoken(self) -> str:
        """Spoken text, a sentence a line."""
        return "\n".join(sentence.spoken for sentence in self.sentences)

    @property
    def blocking(self) -> bool:
        """True while any warning has no answer."""
        return bool(self.warnings)


# ----------------------------------------------------------------------------------- speech, production

HOUSE_RATE_HZ = 44_100  # takes and programmes; mono, float32 while they are worked on


@dataclass(frozen=True, slots=True, eq=False)
class Pcm:
    """Mono sound: float32 samples in [-1, 1], one-dimensional, C-contiguous."""

    samples: NDArray[float32]
    sample_rate_hz: int

    @property
    def duration_ms(self) -> int:
        """Length, rounded to the millisecond."""
        return round(len(self.samples) * 1000 / self.sample_rate_hz)


@dataclass(frozen=True, slots=True)
class SpokenSentence:
    """Where one sentence lies inside a take, in samples of the take's rate."""

    text: str
    start_sample: int
    length_samples: int


@dataclass(frozen=True, slots=True)
class Take:
    """A bulletin's whole speech, frozen: a mono FLAC blob named by its SHA-256."""

    sha256: str
    voice: str
    speed: float
    duration_ms: int
    sentences: tuple[SpokenSentence, ...]
    why: str = ""  # why this voice and not the one before it in the chain, in Vietnamese


@dataclass(frozen=True, slots=True)
class RenditionFile:
    """One published file of a programme: a blob named by its SHA-256, and what its decoded sound measures."""

    kind: RenditionKind
    sha256: str
    size_bytes: int
    duration_ms: int = 0
    loudness_lufs: float = 0.0
    true_peak_dbtp: float = 0.0


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """Where one part of a programme sounds, in ms from the first sample."""

    title: str
    start_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Programme:
    """The finished sound of a variant and what the meters said of the *decoded* air file."""

    renditions: tuple[RenditionFile, ...]
    duration_ms: int
    loudness_lufs: float
    true_peak_dbtp: float
    items: tuple[PlacedItem, ...]
    waveform_svg: str

    def rendition(self, kind: RenditionKind) -> RenditionFile:
        """The file of that kind; KeyError when this programme has none."""
        for file in self.renditions:
            if file.kind is kind:
                return file
        raise KeyError(kind)


# ------------------------------------------------------------------------------------------ schedule


@dataclass(frozen=True, slots=True)
class SlotRule:
    """A weekly local-time rule.  `weekdays` by ISO number, Monday = 1."""

    slot_id: int
    weekdays: frozenset[int]
    start_local: time
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class SlotExceptionRule:
    """A dated exception: action is skip, replace (another start) or extra (an additional day)."""

    slot_id: int
    local_date: date
    action: str
    start_local: time | None = None


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One bulletin in an airing's running order."""

    title: str
    bulletin_id: int
    topic: str
    approved: bool
    note: str = ""  # why it will not sound, when it will not


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One downloadable file of a planned airing."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PlannedAiring:
    """One line of the plan: what will sound (or sounded), when, where."""

    airing_id: str
    origin: AiringOrigin
    state: AiringState
    reason: str
    priority: Priority
    local_date: date
    start_local: time
    planned_at: datetime  # UTC
    slot_name: str
    variant: int
    villages: tuple[str, ...]  # slugs
    items: tuple[PlannedItem, ...]
    files: Mapping[RenditionKind, PlannedFile] = field(default_factory=dict)
    duration_ms: int | None = None
    max_ms: int | None = None
    volume_percent: int = 100
    grace_s: int = 300
    wait_s: int = 0
    start_mode: StartMode = StartMode.AT_ONCE
    late_policy: LatePolicy = LatePolicy.PLAY_WITHIN_GRACE
    stopped_at: datetime | None = None  # somebody ordered it off the air; `reason` says why
