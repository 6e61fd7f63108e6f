#!/usr/bin/env python3
"""How well and how fast the embedded voice speaks.  Method and figures: docs/benchmarks/voice.md

    python scripts/bench_voice.py                    everything (about an hour on two cores)
    python scripts/bench_voice.py speed tones        only these: start speed tones error rare shuffled noise
    python scripts/bench_voice.py --sentences 30     fewer sentences (every n-th), a wider interval
    python scripts/bench_voice.py --check            exit 1 when a target is missed

Syllable errors need the recogniser, pitch needs pyworld (`pip install -r requirements-bench.txt`); without them those
measures are refused.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from broadcaster.model import HOUSE_RATE_HZ, Pcm  # noqa: E402
from broadcaster.production import voicing  # noqa: E402
from broadcaster.production.loudness import CONTROL  # noqa: E402
from broadcaster.speech import phonology  # noqa: E402
from broadcaster.speech.kokoro import open_kokoro  # noqa: E402
from broadcaster.speech.kokoro.engine import AHEAD, SAMPLE_RATE_HZ, Engine, load_speaker  # noqa: E402
from broadcaster.speech.listenback import PADDINGS_S, Listener, score  # noqa: E402
from broadcaster.speech.sound import resampled  # noqa: E402

VOICES = ROOT / "audio" / "voices"
SENTENCES = ROOT / "tests" / "speech" / "commune_sentences.tsv"
RARE = ROOT / "tests" / "speech" / "voice_sentences.tsv"
TARGETS = {
    ("error", "nu-1"): 0.15,
    ("error", "nam-1"): 0.18,
    ("shuffled", "nu-1"): 0.30,
    ("noise", "nu-1"): 0.25,
}
SPEED_TARGET, FIRST_USE_S, LATER_S, WORKER_MB, PITCH_ST = 5.0, 60.0, 2.0, 400.0, 0.5
FRAME_MS = 12.5
TELL_EVERY = 20  # lines
NOISE_DB, NOISE_SEEDS, BAND_HZ = 6.0, (11, 12), (350, 6000)

missed_targets: list[str] = []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = ("start", "speed", "tones", "error", "rare", "shuffled", "noise")
    parser.add_argument("measures", nargs="*", choices=[*kinds, []], help="default: all")
    parser.add_argument("--voice", action="append", help="nu-1, nam-1 (default: both)")
    parser.add_argument("--sentences", type=int, default=10_000, help="at most so many, spread over all")
    parser.add_argument("--home", type=Path, default=ROOT / "var" / "voices")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    measures = options.measures or list(kinds)
    voices = options.voice or ["nu-1", "nam-1"]
    head()
    lines = spread(held_out(SENTENCES), options.sentences)
    if "start" in measures:
        measure_start()
    if "speed" in measures:
        measure_speed(options.home, voices[0], lines[:20])
    if "tones" in measures and importlib.util.find_spec("pyworld") is None:
        sys.exit("Muốn đo cao độ thì cài thêm pyworld (pip install -r requirements-bench.txt).")
    if "tones" in measures:
        for voice in voices:
            measure_tones(options.home, voice, lines[:24])
    heard = [m for m in measures if m in ("error", "rare", "shuffled", "noise")]
    if heard and (reason := Listener.available()) is not None:
        sys.exit(reason)
    for measure in heard:
        for voice in voices:
            said = spread(held_out(RARE), options.sentences) if measure == "rare" else lines
            measure_error(options.home, voice, said, measure)
    if missed_targets:
        print("MISSED: " + "; ".join(missed_targets))
        if options.check:
            sys.exit(1)


def head() -> None:
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    name = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"commit {commit or '?'}; {name}, {os.cpu_count()} cores{load}; Python {platform.python_version()}")


def target(name: str, value: float, limit: float, *, at_least: bool = False) -> str:
    good = value >= limit if at_least else value <= limit
    if not good:
        missed_targets.append(f"{name} {value:.3g} (target {'>=' if at_least else '<='} {limit:g})")
    return "ok" if good else "MISSED"


def held_out(file: Path) -> list[str]:
    """The sentences nothing was tuned on."""
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if line]
    return [text for kind, text in rows if kind == "held"]


def spread(lines: Sequence[str], count: int) -> list[str]:
    """`count` of the lines at equal distances, so that a part is like the whole."""
    if count >= len(lines):
        return list(lines)
    return [lines[i * len(lines) // count] for i in range(count)]


def shuffled(lines: Sequence[str]) -> list[str]:
    """The same syllables without any context, nine to a line, in a fixed disorder."""
    words = [
        item.written.lower()
        for line in lines
        for item in phonology.parse(line)
        if isinstance(item, phonology.Syllable)
    ]
    random.Random(5).shuffle(words)  # noqa: S311
    return [" ".join(words[i : i + 9]) for i in range(0, len(words), 9)]


# ------------------------------------------------------------------------------------- time and memory


def measure_start() -> None:
    """From nothing to the first sound, and the same again: each in a fresh process."""
    code = (
        "import sys,time;from pathlib import Path;from broadcaster.speech.kokoro import open_kokoro;"
        "t=time.perf_counter();v=open_kokoro('nu-1',home=Path(sys.argv[1]),voices_dir=Path(sys.argv[2]));"
        "v.speak('Xin.');print(time.perf_counter()-t);v.close()"
    )
    with tempfile.TemporaryDirectory() as home:
        took = [
            float(
                subprocess.run(
                    [sys.executable, "-c", code, home, str(VOICES)],
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(4)
        ]
    print(f"first use, with set-up: {took[0]:.1f} s  [{target('first use', took[0], FIRST_USE_S)}]")
    later = sorted(took[1:])
    print(f"start after that: {later[1]:.2f} s ({later[0]:.2f}-{later[2]:.2f}, n=3)", end="  ")
    print(f"[{target('later start', later[1], LATER_S)}]")


def measure_speed(home: Path, name: str, lines: Sequence[str]) -> None:
    """Twenty sentences by all workers, warm; the same samples each time."""
    voice = open_kokoro(name, home=home, voices_dir=VOICES)
    list(voice.speak_many(lines[:4]))
    factors, digests, seconds = [], set(), 0.0
    for _ in range(3):
        begun = time.perf_counter()
        sounds = [pcm.samples for pcm in voice.speak_many(lines)]
        took = time.perf_counter() - begun
        seconds = sum(map(len, sounds)) / SAMPLE_RATE_HZ
        factors.append(seconds / took)
        digests.add(hashlib.sha256(b"".join(s.tobytes() for s in sounds)).hexdigest())
    factors.sort()
    print(
        f"speed {name}: {factors[1]:.2f} x real time ({factors[0]:.2f}-{factors[2]:.2f}, n=3, "
        f"{len(lines)} sentences, {seconds:.0f} s)  [{target('speed', factors[1], SPEED_TARGET, at_least=True)}]"
    )
    print(f"memory of a worker, peak: {voice.peak_mb:.0f} MB  [{target('memory', voice.peak_mb, WORKER_MB)}]")
    print(f"determinism: {'same samples' if len(digests) == 1 else 'DIFFERENT samples'} in three runs")
    target("determinism", len(digests), 1)
    voice.close()
    measure_cost(home, name, lines[:8])


def measure_cost(home: Path, name: str, lines: Sequence[str]) -> None:
    """Processor time of one second of sound: unlike the speed, it holds on a machine that is busy with others."""
    engine, speaker = Engine(home), load_speaker(VOICES / f"{name}.json")
    engine.speak(lines[0], speaker)
    costs = []
    for line in lines:
        begun = time.process_time()
        samples = engine.speak(line, speaker)
        costs.append((time.process_time() - begun) * SAMPLE_RATE_HZ / len(samples))
    costs.sort()
    middle = costs[len(costs) // 2]
    print(
        f"processor time of a second of sound: {middle:.2f} s ({costs[0]:.2f}-{costs[-1]:.2f}, n={len(costs)}): "
        f"all {os.cpu_count()} cores to itself, at most {(os.cpu_count() or 1) / middle:.1f} x real time"
    )


# ------------------------------------------------------------------------------------------------ pitch


def measure_tones(home: Path, name: str, lines: Sequence[str]) -> None:
    """The pitch we wrote against the pitch that pyworld finds in the sound, by tone, in semitones."""
    engine, speaker = Engine(home), load_speaker(VOICES / f"{name}.json")
    errors: dict[str, list[float]] = {}
    for line in lines:
        for piece in engine.pieces(line, speaker):
            found = pitch_of(piece.sound)
            for note in piece.notes:
                key = note.tone.name + ("+stop" if note.stopped else "")
                last = note.coda if note.stopped and note.coda is not None else note.end
                for frame in range(note.rhyme + 2, min(last - 2, len(found) + AHEAD)):
                    wanted, hz = piece.curve[frame], found[frame - AHEAD]
                    if wanted > 0 and hz > 0:
                        errors.setdefault(key, []).append(12 * abs(np.log2(hz / wanted)))
    for key, values in sorted(errors.items()):
        median = float(np.median(values))
        verdict = target(f"pitch {name} {key}", median, PITCH_ST)
        print(f"pitch {name} {key:10s} median error {median:.2f} st (n={len(values)} frames)  [{verdict}]")


def pitch_of(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """Hertz at the middle of every frame of 12.5 ms; 0 where there is no voice."""
    import pyworld

    samples = sound.astype(np.float64)
    coarse, times = pyworld.harvest(
        samples, SAMPLE_RATE_HZ, frame_period=FRAME_MS / 2, f0_floor=60, f0_ceil=500
    )
    fine = pyworld.stonemask(samples, coarse, times, SAMPLE_RATE_HZ)
    return np.asarray(fine[1::2], np.float64)  # half-frame steps: every second one is a middle


# ----------------------------------------------------------------------------------------- being understood


def measure_error(home: Path, name: str, lines: Sequence[str], measure: str) -> None:
    """Syllable error by the recogniser, paddings pooled, 95 % interval over sentences."""
    said = shuffled(lines) if measure == "shuffled" else list(lines)
    pairs: list[list[tuple[str, str]]] = []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        jobs = [processes.submit(spoken_and_heard, home, name, line, measure) for line in said]
        for line, job in zip(said, jobs, strict=True):
            pairs.append([(line, text) for text in job.result()])
            if len(pairs) % TELL_EVERY == 0:  # a long measure may be cut short
                now = score(pairs)
                print(
                    f"  {measure} {name}, {len(pairs)} lines so far: {now.error:.3f} ({now.low:.3f}-{now.high:.3f}), "
                    f"tones ignored {now.error_without_tones:.3f}",
                    flush=True,
                )
    result, times = score(pairs), len(pairs[0])
    limit = TARGETS.get((measure, name))
    verdict = f"  [{target(f'{measure} {name}', result.error, limit)}]" if limit is not None else ""
    print(
        f"syllable error {measure} {name}: {result.error:.3f} (95 % {result.low:.3f}-{result.high:.3f}), tones "
        f"ignored {result.error_without_tones:.3f}, {len(said)} lines x {times}, "
        f"{result.syllables // times} syllables{verdict}",
        flush=True,
    )


def heard_as(samples: NDArray[np.float32], measure: str) -> list[tuple[NDArray[np.float32], int, float]]:
    """(sound, rate, padding) of everything that is listened to for one line."""
    if measure == "noise":
        return [(in_noise(samples, seed), HOUSE_RATE_HZ, 0.4) for seed in NOISE_SEEDS]
    return [(samples, SAMPLE_RATE_HZ, padding) for padding in PADDINGS_S]


_engine: Engine | None = None
_listener: Listener | None = None


def spoken_and_heard(home: Path, name: str, line: str, measure: str) -> list[str]:
    """What the recogniser of this process understands of a line that its engine speaks, each way it is heard."""
    global _engine, _listener
    _engine, _listener = _engine or Engine(home), _listener or Listener()
    samples = _engine.speak(line, load_speaker(VOICES / f"{name}.json"))
    return [
        _listener.hear(Pcm(sound, rate_hz), padding_s=padding_s)
        for sound, rate_hz, padding_s in heard_as(samples, measure)
    ]


def in_noise(samples: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """The sound as a horn gives it (band-passed, lifted at 2.8 kHz, compressed 3:1), with pink noise NOISE_DB
    below the speech level inside the band."""
    from scipy.signal import butter, sosfilt

    voiced = horn(samples).astype(np.float64)
    band = butter(4, BAND_HZ, "bandpass", fs=HOUSE_RATE_HZ, output="sos")
    white = np.random.default_rng(seed).standard_normal(len(voiced))
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    pink = np.fft.irfft(spectrum, len(white))
    speech = float(np.sqrt(np.mean(sosfilt(band, voiced) ** 2)))
    noise = float(np.sqrt(np.mean(sosfilt(band, pink) ** 2)))
    mixed = sosfilt(band, voiced + pink * (speech / noise * 10 ** (-NOISE_DB / 20)))
    return np.asarray(0.7 * mixed / np.abs(mixed).max(), np.float32)


def horn(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The speech bus of the horn profile, at the house rate."""
    sound: NDArray[np.float32] = resampled(Pcm(samples, SAMPLE_RATE_HZ)).samples
    sound = np.concatenate([sound, np.zeros(-len(sound) % CONTROL, np.float32)])
    filtered = voicing.Filter(voicing.high_pass(), voicing.presence(), voicing.low_pass())(sound)
    return np.asarray(voicing.Compressor()(filtered), np.float32)


if __name__ == "__main__":
    main()
