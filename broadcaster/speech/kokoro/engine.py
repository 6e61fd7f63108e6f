"""Syllables → samples, in the process that holds the model.  Nothing is random: same text, same samples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadcaster.errors import VoiceError
from broadcaster.speech import phonology, timing, tones
from broadcaster.speech.kokoro import colours, graph, model
from broadcaster.speech.phonology import Break, Item, Syllable

SAMPLE_RATE_HZ = 24_000
FRAME_SAMPLES = 600  # one step of the durations; the pitch curve has two values a step
AHEAD = 1  # pitch frames by which the model's sound runs ahead of its own frames, measured

MAX_SYLLABLES = 28  # a piece; memory and time grow with it, and the model takes 510 tokens
TAIL_STEPS = (
    8  # of silence after the last word; the lead stays as the model wants it, or the first word suffers
)
KEEP_BEFORE_MS, KEEP_AFTER_MS = 70, 80  # of that silence, so much stays
SEAM_MS = 15  # and so much where a phrase was cut for its length alone: nobody pauses there
SPEECH_DBFS = -23.0  # level of the voiced part of every sentence
PEAK = 0.95
FADE_MS = 8

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Speaker:
    """One voice: 256 numbers of style, the middle of its pitch, and the name of its table of colours."""

    name: str
    label: str
    style: tuple[float, ...]
    pitch_hz: float
    accent: str = "bắc"
    colours: str = colours.USUAL  # name of their table


def load_speaker(file: Path) -> Speaker:
    """Reads `audio/voices/NAME.json`; VoiceError when it is not a voice."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        speaker = Speaker(
            name=str(raw["name"]),
            label=str(raw["label"]),
            style=tuple(float(x) for x in raw["style"]),
            pitch_hz=float(raw["pitch_hz"]),
            accent=str(raw.get("accent", "bắc")),
            colours=str(raw.get("colours", colours.USUAL)),
        )
        colours.named(speaker.colours)
    except FileNotFoundError as error:
        raise VoiceError(f"Không có giọng nhúng nào tên {file.stem}; xem `voices list`.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VoiceError(f"Tệp giọng {file.name} bị hỏng ({error}); hãy chép lại từ bản cài đặt.") from error
    if len(speaker.style) != 256 or not 50 <= speaker.pitch_hz <= 400 or speaker.accent not in PROFILES:
        raise VoiceError(f"Tệp giọng {file.name} không phải một giọng 256 số; hãy chép lại từ bản cài đặt.")
    return speaker


@dataclass(frozen=True, slots=True)
class Profile:
    """How the people of a place speak: letters, melody and rhythm."""

    accent: phonology.Accent
    melody: tones.Melody
    rhythm: timing.Rhythm


PROFILES: Mapping[str, Profile] = {"bắc": Profile(phonology.NORTHERN, tones.NORTHERN, timing.NORTHERN)}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of speech straight from the model: samples, its notes, and the pitch of each frame in hertz.
    `runs_on` when the phrase goes on in the next piece."""

    sound: F32
    notes: tuple[tones.Note, ...]
    curve: tuple[float, ...]
    runs_on: bool = False


def syllables(items: Sequence[Item]) -> int:
    """How many of the items are syllables."""
    return sum(isinstance(item, Syllable) for item in items)


def cut(items: list[Item], longest: int = MAX_SYLLABLES) -> list[list[Item]]:
    """A sentence in parts of at most `longest` syllables, cut after a break where there is one, else before
    a syllable that begins with a stop (its closure hides the cut)."""
    done: list[list[Item]] = []
    rest = list(items)
    while syllables(rest) > longest:
        count, best, best_rank = 0, 0, -1
        for index, item in enumerate(rest):
            if isinstance(item, Syllable):
                if count >= longest:
                    break
                hidden = item.onset in ("b", "c", "ch", "đ", "t", "th", "tr", "p")
                rank, cut_at = (1 if hidden else 0), index
                count += 1
            else:
                rank, cut_at = 2, index + 1
            if count >= longest // 2 and rank >= best_rank:
                best, best_rank = cut_at, rank
        done.append(rest[:best])
        rest = rest[best:]
    if syllables(rest):
        done.append(rest)
    elif done:
        done[-1].extend(rest)
    return done


def notes_of(places: Sequence[phonology.Place], steps: F32) -> list[tones.Note]:
    """Where each syllable sounds, in pitch frames (two a step; the first token is the lead)."""
    starts = np.concatenate([[0], np.cumsum(steps)]).astype(int) * 2
    return [
        tones.Note(
            start=int(starts[p.start + 1]),
            rhyme=int(starts[p.rhyme + 1]),
            end=int(starts[p.end + 1]),
            tone=p.syllable.tone,
            stopped=p.syllable.stopped,
            coda=int(starts[p.coda + 1]),
        )
        for p in places
    ]


class Engine:
    """The three stages, loaded; single thread.  Not thread-safe by contract: one engine a worker."""

    def __init__(self, home: Path, profiles: Mapping[str, Profile] = PROFILES) -> None:
        """Loads (and if need be makes) the model under `home`; VoiceError with the reason."""
        self._profiles = profiles
        folder = model.ensure(home)
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise VoiceError(
                "Chưa cài gói onnxruntime cho giọng nhúng; hãy chạy lại pip install -r requirements.txt."
            ) from error
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_mem_pattern = (
            False  # no two sentences have one length: a plan for each is memory kept for nothing
        )
        self._stages: list[Any] = [
            ort.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
            for name in model.STAGES
        ]

    def speak(self, sentence: str, speaker: Speaker, *, speed: float = 1.0) -> F32:
        """Samples at 24 kHz, levelled, with clean ends; no syllable to say gives a short silence."""
        sounds: list[F32] = []
        before_ms = KEEP_BEFORE_MS
        for piece in self.pieces(sentence, speaker, speed=speed):
            after_ms = SEAM_MS if piece.runs_on else KEEP_AFTER_MS
            sounds.append(_faded(_trimmed(piece.sound, before_ms=before_ms, after_ms=after_ms)))
            before_ms = SEAM_MS if piece.runs_on else KEEP_BEFORE_MS
        if not sounds:
            return np.zeros(SAMPLE_RATE_HZ // 10, np.float32)
        return _levelled(np.concatenate(sounds))

    def pieces(self, sentence: str, speaker: Speaker, *, speed: float = 1.0) -> Iterator[Piece]:
        """The sentence as it comes from the model, in pieces of bounded length; none when nothing is said."""
        items = phonology.parse(sentence)
        total, said = syllables(items), 0
        for part in cut(items):
            end = part[-1].mark if isinstance(part[-1], Break) else ","
            last = said + syllables(part) == total
            runs_on = not last and not isinstance(part[-1], Break)
            if last and end == ",":
                end = "."
            yield self._piece(part, speaker, speed=speed, end=end, sung=(total, said), runs_on=runs_on)
            said += syllables(part)

    def colours_of(self, speaker: Speaker) -> colours.Colours:
        """What that speaker's sounds add to the letters of the model."""
        return colours.named(speaker.colours)

    def _piece(
        self,
        items: list[Item],
        speaker: Speaker,
        *,
        speed: float,
        end: str,
        sung: tuple[int, int],
        runs_on: bool,
    ) -> Piece:
        if isinstance(items[-1], Break):
            items = items[:-1]
        profile = self._profiles[speaker.accent]
        melody = profile.melody
        text, places = phonology.sounds([*items, Break(end)], profile.accent)
        numbers = [0, *(phonology.TOKENS[letter] for letter in text), 0]
        values: dict[str, NDArray[Any]] = {
            "tokens": np.array([numbers], np.int64),
            "style": np.array([speaker.style], np.float32),
            "speed": np.array([speed], np.float32),
        }
        self._run(0, values)
        own_steps = values[graph.DURATIONS].reshape(-1)
        lead, *inner, tail = own_steps.tolist()
        marks = [i for i, letter in enumerate(text) if letter in phonology.MARKS]
        if runs_on:
            marks.pop()  # nothing ends here, so the last syllable is not drawn out
        inner = timing.durations(inner, places, marks, speed=speed, rhythm=profile.rhythm)
        steps = np.array([lead, *inner, min(tail, TAIL_STEPS)], own_steps.dtype)
        values[graph.DURATIONS] = steps.reshape(values[graph.DURATIONS].shape)
        self._run(1, values)
        notes = notes_of(places, steps)
        own = values[graph.PITCH]
        line = tones.line(notes, own.size, melody=melody, end_mark=end, sung=sung)
        curve = tones.pitch(own.reshape(-1).tolist(), line, base_hz=speaker.pitch_hz)
        values[graph.PITCH] = np.array(curve, np.float32).reshape(own.shape)
        values[graph.COLOURS] = self.colours_of(speaker).over(places, len(numbers))
        self._run(2, values)
        sound = np.asarray(values[graph.SOUND], np.float32).reshape(-1)
        return Piece(sound, tuple(notes), tuple(curve), runs_on)

    def _run(self, stage: int, values: dict[str, NDArray[Any]]) -> None:
        session = self._stages[stage]
        wanted = [output.name for output in session.get_outputs()]
        given = {value.name: values[value.name] for value in session.get_inputs()}
        values.update(zip(wanted, session.run(wanted, given), strict=True))


def _trimmed(samples: F32, *, before_ms: int, after_ms: int) -> F32:
    """Without the silence at both ends, but for so much."""
    block = SAMPLE_RATE_HZ // 200
    size = np.abs(samples[: len(samples) // block * block]).reshape(-1, block).max(axis=1)
    sounding = np.flatnonzero(size > max(float(size.max(initial=0.0)) * 0.003, 1e-4))
    if sounding.size == 0:
        return samples
    first = int(sounding[0]) * block - before_ms * SAMPLE_RATE_HZ // 1000
    last = (int(sounding[-1]) + 1) * block + after_ms * SAMPLE_RATE_HZ // 1000
    return samples[max(first, 0) : last]


def _faded(samples: F32) -> F32:
    length = min(len(samples) // 2, SAMPLE_RATE_HZ * FADE_MS // 1000)
    ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
    samples = samples.copy()
    samples[:length] *= ramp
    samples[len(samples) - length :] *= ramp[::-1]
    return samples


def _levelled(samples: F32) -> F32:
    """Every sentence at the same level of its *sounding* part, so that pauses do not make it louder."""
    block = SAMPLE_RATE_HZ // 50
    blocks = samples[: len(samples) // block * block].reshape(-1, block).astype(np.float64)
    power = np.mean(blocks**2, axis=1)
    if power.size == 0 or power.max() < 1e-9:
        return samples
    loud = power[power > power.max() * 10 ** (-30 / 10)]
    gain = 10 ** (SPEECH_DBFS / 20) / float(np.sqrt(loud.mean()))
    gain = min(gain, PEAK / float(np.abs(samples).max()))
    return np.ascontiguousarray(samples * np.float32(gain), dtype=np.float32)
