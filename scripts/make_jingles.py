"""Make the station's own sounds: six jingles in two sets, from nothing but arithmetic.

    python scripts/make_jingles.py [--to audio/jingles]

`default`: bells over soft strings.  `tre`: a bamboo flute and bamboo tubes.  Both use the five notes
G A B D E, so that anything sounds well over anything.  The alert is a sweeping horn that nobody will take
for the chime.  The same script makes the same samples every time; the files are tracked.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE_HZ: Final = 44_100
Sound = NDArray[np.float64]
Instrument = Callable[[float, float, float], Sound]
Note = tuple[float, str, float, float]  # beat, name, beats, loudness 0..1

_SEMITONES: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def hertz(name: str) -> float:
    """Frequency of a note such as `G4` (A4 = 440 Hz)."""
    return 440.0 * 2 ** ((_SEMITONES[name[0]] + 12 * (int(name[1:]) + 1) - 69) / 12)


# ---------------------------------------------------------------------------------------- instruments


def _time(seconds: float) -> Sound:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def _struck(
    hz: float, seconds: float, partials: Sequence[tuple[float, float, float]], *, attack_ms: float
) -> Sound:
    """A struck body: each partial is (ratio, level, decay time in seconds)."""
    t = _time(seconds)
    sound = np.zeros_like(t)
    for ratio, level, decay_s in partials:
        if hz * ratio < 16_000:
            sound += level * np.sin(2 * np.pi * hz * ratio * t) * np.exp(-t / decay_s)
    rise = min(len(t), round(attack_ms * RATE_HZ / 1000))
    sound[:rise] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)
    fall = min(len(t), RATE_HZ // 20)
    sound[-fall:] *= np.linspace(1, 0, fall)
    return sound


@functools.cache
def bell(hz: float, seconds: float, loudness: float) -> Sound:
    """A small bronze bell: bright at the stroke, two close partials that beat slowly in the tail."""
    ring = max(seconds, 2.4)
    partials = [
        (1.0, 0.62, 1.15),
        (1.0025, 0.30, 1.3),
        (2.0, 0.34, 0.75),
        (3.01, 0.16, 0.42),
        (4.17, 0.10 * loudness, 0.26),
        (5.43, 0.07 * loudness, 0.16),
        (6.79, 0.04 * loudness, 0.09),
    ]
    return loudness * _struck(hz, ring, partials, attack_ms=2.5)


@functools.cache
def bamboo(hz: float, seconds: float, loudness: float) -> Sound:
    """A struck bamboo tube (as of the đàn t'rưng): hollow, short, with a knock."""
    partials = [(1.0, 0.85, 0.26), (2.0, 0.10, 0.12), (2.92, 0.22, 0.07), (5.4, 0.10 * loudness, 0.03)]
    sound = _struck(hz, 0.9, partials, attack_ms=1.2)
    knock = np.random.default_rng(round(hz * 10)).standard_normal(round(0.012 * RATE_HZ))
    sound[: len(knock)] += 0.10 * loudness * knock * np.linspace(1, 0, len(knock)) ** 2
    return loudness * sound


@functools.cache
def flute(hz: float, seconds: float, loudness: float) -> Sound:
    """A bamboo flute: soft attack, a little breath, vibrato that grows."""
    t = _time(seconds + 0.12)
    vibrato = 0.0045 * np.clip((t - 0.18) / 0.5, 0, 1) * np.sin(2 * np.pi * 5.1 * t)
    phase = 2 * np.pi * np.cumsum(hz * (1 + vibrato)) / RATE_HZ
    tone = np.sin(phase) + 0.28 * np.sin(2 * phase) + 0.11 * np.sin(3 * phase) + 0.04 * np.sin(4 * phase)
    breath = np.random.default_rng(round(hz)).standard_normal(len(t))
    breath = np.convolve(breath, np.ones(9) / 9, mode="same") * 0.03
    return loudness * 0.55 * (tone + breath) * _swell(t, seconds, rise_s=0.07, fall_s=0.12)


@functools.cache
def pad(hz: float, seconds: float, loudness: float) -> Sound:
    """A soft sustained string tone, three voices slightly apart."""
    t = _time(seconds + 0.6)
    sound = np.zeros_like(t)
    for detune in (-0.0016, 0.0, 0.0019):
        for harmonic, level in ((1, 1.0), (2, 0.42), (3, 0.20), (4, 0.09), (5, 0.05)):
            sound += level * np.sin(2 * np.pi * hz * harmonic * (1 + detune) * t + harmonic * detune * 900)
    return loudness * 0.12 * sound * _swell(t, seconds, rise_s=0.5, fall_s=0.6)


def _swell(t: Sound, seconds: float, *, rise_s: float, fall_s: float) -> Sound:
    rise = np.clip(t / rise_s, 0, 1)
    fall = np.clip((seconds + fall_s - t) / fall_s, 0, 1)
    shaped: Sound = (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))
    return shaped


# ------------------------------------------------------------------------------------------- playing


def play(notes: Sequence[Note], instrument: Instrument, *, beat_s: float, length_s: float) -> Sound:
    """Notes on one line of `length_s`; what rings over the end is cut."""
    line = np.zeros(round(length_s * RATE_HZ))
    for beat, name, beats, loudness in notes:
        sound = instrument(hertz(name), beats * beat_s, loudness)
        start = round(beat * beat_s * RATE_HZ)
        end = min(len(line), start + len(sound))
        line[start:end] += sound[: end - start]
    return line


def room(sound: Sound, *, wet: float, decay_s: float = 1.3, circular: bool = False) -> Sound:
    """Add a hall: decaying noise, dark at the end.  `circular` wraps the tail round for a loop."""
    t = _time(decay_s * 1.6)
    tail = np.random.default_rng(2026).standard_normal(len(t)) * np.exp(-t * 6.9 / (decay_s * 1.6))
    tail = np.convolve(tail, np.hanning(12) / 5.5, mode="same")
    tail[: RATE_HZ // 100] = 0
    tail /= np.sqrt(np.sum(tail**2))
    size = len(sound) if circular else 1 << (len(sound) + len(tail) - 1).bit_length()
    mixed = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)]
    return sound + wet * mixed


def finished(sound: Sound, *, peak_db: float, out_s: float) -> Sound:
    """Fade the end and set the highest sample."""
    fall = round(out_s * RATE_HZ)
    if fall:
        sound = sound.copy()
        sound[-fall:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(fall) / fall)
    return sound * float(10 ** (peak_db / 20) / np.max(np.abs(sound)))


def chord(beat: float, names: str, beats: float, loudness: float) -> list[Note]:
    """Notes that sound together."""
    return [(beat, name, beats, loudness) for name in names.split()]


def run(beat: float, names: str, step: float, loudness: float) -> list[Note]:
    """Notes one after another, a little louder towards the end."""
    listed = names.split()
    return [
        (beat + step * n, name, step, loudness * (0.75 + 0.25 * n / len(listed)))
        for n, name in enumerate(listed)
    ]


# -------------------------------------------------------------------------------------------- tunes

_HARMONY: Final = [(0, "G3 D4 G4"), (4, "E3 B3 G4"), (8, "A3 E4 A4"), (12, "D3 A3 D4"), (16, "G3 D4 B4")]
_TUNE: Final[list[Note]] = [
    (0, "D5", 1, 0.8), (1, "G5", 1, 0.9), (2, "A5", 0.5, 0.8), (2.5, "B5", 1.5, 1.0),
    (4, "A5", 0.5, 0.7), (4.5, "G5", 0.5, 0.7), (5, "E5", 1, 0.8), (6, "G5", 2, 0.9),
    (8, "A5", 1, 0.8), (9, "B5", 0.5, 0.8), (9.5, "D6", 1.5, 1.0), (11, "B5", 1, 0.8),
    (12, "A5", 1.5, 0.9), (13.5, "G5", 0.5, 0.7), (14, "E5", 1, 0.7), (15, "D5", 1, 0.7),
    (16, "G5", 3, 1.0), (16, "D5", 3, 0.6),
]  # fmt: skip


def opening(lead: Instrument, answer: Instrument) -> Sound:
    """14.5 s: a rising call, answered, coming home; its last third is calm enough to speak over."""
    beat_s, length_s = 0.6, 14.5
    strings = [note for at, names in _HARMONY for note in chord(at, names, 3.9, 0.5)]
    strings += chord(20, "G3 D4 G4", 3, 0.4)
    ripple: list[Note] = []
    for at, names in ((0, "G4 B4 D5 B4"), (4, "E4 G4 B4 G4"), (8, "A4 D5 E5 D5"), (12, "D4 G4 A4 D5")):
        ripple += run(at, f"{names} {names}", 0.5, 0.34)
    ripple += run(16, "G4 D5 G5 D5", 0.5, 0.3) + run(18, "B5 D6 G6", 0.5, 0.25)
    sound = (
        play(_TUNE, lead, beat_s=beat_s, length_s=length_s)
        + play(ripple, answer, beat_s=beat_s, length_s=length_s)
        + play(strings, pad, beat_s=beat_s, length_s=length_s)
    )
    return finished(room(sound, wet=0.45), peak_db=-3, out_s=1.6)


def closing(lead: Instrument, answer: Instrument) -> Sound:
    """9.5 s: the opening's call turned downwards, and a last stroke."""
    beat_s, length_s = 0.62, 9.5
    tune: list[Note] = [
        (0, "D6", 1, 0.8), (1, "B5", 1, 0.8), (2, "A5", 0.5, 0.7), (2.5, "G5", 1.5, 0.8),
        (4, "A5", 1, 0.7), (5, "E5", 1, 0.7), (6, "D5", 1.5, 0.7), (8, "G5", 4, 0.9), (8, "B5", 4, 0.5),
    ]  # fmt: skip
    strings = [
        *chord(0, "G3 D4 B4", 3.9, 0.5),
        *chord(4, "D3 A3 D4", 3.9, 0.5),
        *chord(8, "G3 D4 G4", 5, 0.5),
    ]
    ripple = run(0, "B4 G4 D4 G4", 0.5, 0.3) + run(4, "A4 E4 D4 A4", 0.5, 0.3) + run(8, "G4 D5 G5", 0.5, 0.3)
    sound = (
        play(tune, lead, beat_s=beat_s, length_s=length_s)
        + play(ripple, answer, beat_s=beat_s, length_s=length_s)
        + play(strings, pad, beat_s=beat_s, length_s=length_s)
    )
    return finished(room(sound, wet=0.45), peak_db=-3, out_s=2.0)


def chime(lead: Instrument, answer: Instrument) -> Sound:
    """2.8 s: four rising strokes before someone speaks."""
    sound = play(run(0, "G4 B4 D5 G5", 1, 0.9), lead, beat_s=0.3, length_s=2.8)
    return finished(room(sound, wet=0.3, decay_s=0.9), peak_db=-6, out_s=0.6)


def cut(lead: Instrument, answer: Instrument) -> Sound:
    """1.8 s: a short turn between two items."""
    notes: list[Note] = [(0.0, "D5", 1.0, 0.6), (0.5, "E5", 1.0, 0.7), (1.0, "G5", 1.0, 0.9)]
    sound = play(notes, answer, beat_s=0.3, length_s=1.8)
    sound += play([(1.0, "G5", 2.0, 0.5)], lead, beat_s=0.3, length_s=1.8)
    return finished(room(sound, wet=0.3, decay_s=0.8), peak_db=-6, out_s=0.5)


def bed(lead: Instrument, answer: Instrument) -> Sound:
    """24 s that loop without a seam: quiet strings and a few drops, to lie under a voice."""
    beat_s, beats = 0.75, 32
    length = round(beat_s * beats * RATE_HZ)
    strings: list[Note] = []
    for at, names in ((0, "G3 D4 A4"), (8, "E3 B3 G4"), (16, "A3 E4 B4"), (24, "D3 A3 G4")):
        strings += chord(at, names, 7.9, 0.5)
    fallen = "D5 G5 E5 A4 B4 D5 E5 G4 A4 D5".split()
    drops: list[Note] = [(2.0 + 3 * n, name, 1.0, 0.22) for n, name in enumerate(fallen)]
    twice = beat_s * beats * 2
    both = play(
        [*strings, *((b + 32, n, d, v) for b, n, d, v in strings)], pad, beat_s=beat_s, length_s=twice
    )
    both += play(
        [*drops, *((b + 32, n, d, v) for b, n, d, v in drops)], answer, beat_s=beat_s, length_s=twice
    )
    return finished(room(both[length : 2 * length], wet=0.5, circular=True), peak_db=-9, out_s=0)


def alert(lead: Instrument, answer: Instrument) -> Sound:
    """6 s: three rising sweeps of a hard-edged horn, each ending in a held high tone."""
    sweep_s, gap_s = 1.75, 0.25
    t = _time(sweep_s)
    hz = np.where(t < 1.2, 480 * (1150 / 480) ** (np.clip(t, 0, 1.2) / 1.2), 1150.0)
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    horn = np.zeros_like(t)
    for harmonic in range(1, 8):
        horn += np.sin(harmonic * phase) / harmonic**0.8
    horn *= 1 + 0.25 * np.sin(2 * np.pi * 14 * t)
    edge = RATE_HZ // 50
    horn[:edge] *= np.linspace(0, 1, edge)
    horn[-edge:] *= np.linspace(1, 0, edge)
    one = np.concatenate([horn, np.zeros(round(gap_s * RATE_HZ))])
    return finished(np.tile(one, 3), peak_db=-3, out_s=0)


MAKERS: Final = {
    "opening": (opening, "Nhạc hiệu mở đầu"),
    "closing": (closing, "Nhạc hiệu kết thúc"),
    "cut": (cut, "Nhạc cắt"),
    "chime": (chime, "Hiệu báo"),
    "bed": (bed, "Nhạc nền"),
    "alert": (alert, "Báo động"),
}
SETS: Final[dict[str, tuple[str, Instrument, Instrument]]] = {
    "default": ("Chuông đồng", bell, bamboo),
    "tre": ("Tre và sáo", flute, bamboo),
}


def make(folder: Path) -> list[Path]:
    """Write every set below `folder`; returns the sound files."""
    made: list[Path] = []
    for name, (title, lead, answer) in SETS.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        rows = [f'# Made by scripts/make_jingles.py.\ntitle = "{title}"\n']
        for kind, (maker, label) in MAKERS.items():
            struck = bamboo if (name == "tre" and kind in ("chime", "cut")) else lead
            sound = maker(struck, answer)
            path = place / f"{kind}.flac"
            whole = np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)
            soundfile.write(path, whole, RATE_HZ, format="FLAC", subtype="PCM_16")
            made.append(path)
            rows.append(
                f'[[jingle]]\nkind = "{kind}"\nfile = "{path.name}"\ntitle = "{label} ({title.lower()})"\n'
                'source = "Nhạc của dự án, làm bằng scripts/make_jingles.py"\nlicence = "CC0-1.0"\n'
            )
        (place / "jingles.toml").write_text("\n".join(rows), encoding="utf-8")
    return made


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Làm các nhạc hiệu của đài.")
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("--to", type=Path, default=here / "audio" / "jingles", help="thư mục đích")
    for path in make(parser.parse_args().to):
        print(f"{path}  {path.stat().st_size / 1024:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
