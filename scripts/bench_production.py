"""Measure production against its targets, beside what a user would write.

    python scripts/bench_production.py [--check] [--rounds 5] [--quick] [--write docs/benchmarks/production.md]

Every row is one run on one machine; times are medians with their spread, rounds interleaved.  `--check`
exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time as clock
from collections.abc import Callable, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from broadcaster.model import (  # noqa: E402
    HOUSE_RATE_HZ,
    Pcm,
    Profile,
    Programme,
    Reading,
    RenditionKind,
    Sentence,
    SpokenSentence,
    Take,
)
from broadcaster.production.encoding import FORMATS, encoder_arguments  # noqa: E402
from broadcaster.production.jingles import jingle_paths  # noqa: E402
from broadcaster.production.produce import ProgrammeItem, produce  # noqa: E402
from broadcaster.production.template import Template  # noqa: E402
from broadcaster.speech.ffmpeg import find_ffmpeg  # noqa: E402
from broadcaster.speech.takes import make_take  # noqa: E402
from broadcaster.store.blobs import Blobs  # noqa: E402
from scripts.bench_line import AIR, SENTENCES, VOICE, Bench, spoken_digits  # noqa: E402
from scripts.bench_tools import Row, cpu_s, machine, spread, table, timed, tree_peak_mb  # noqa: E402


def encode_alone(wav: Path, target: Path) -> None:
    """ffmpeg by itself, with the settings of the air file, from the WAV that entered our encoder."""
    arguments = encoder_arguments(FORMATS[RenditionKind.AIR], target)
    at = arguments.index("-i")
    command = [find_ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "error", "-i", str(wav)]
    subprocess.run([*command, *arguments[at + 2 :]], check=True, timeout=600)


def captured_mix(bench: Bench, items: Sequence[ProgrammeItem], target: Path, **changed: Any) -> Programme:
    """Produce once and keep what entered the encoder as a 16-bit WAV."""
    import soundfile

    from broadcaster.production import encoding, mastering

    heard: list[Any] = []

    class Listening(encoding.Encoder):
        def write(self, block: Any) -> None:
            heard.append(block.copy())
            super().write(block)

    original = encoding.Encoder
    vars(mastering)["Encoder"] = Listening
    try:
        programme = produce(**bench.order(items, **changed))
    finally:
        vars(mastering)["Encoder"] = original
    soundfile.write(target, np.concatenate(heard), HOUSE_RATE_HZ, subtype="PCM_16")
    return programme


def speed(bench: Bench, *, rounds: int) -> None:
    """Wall time of the line against the encoder alone, and one mended sentence."""
    reading = bench.reading(285)

    def make(one: Reading) -> Take:
        return make_take(one, chain=[VOICE], opener=bench.voices, cache=bench.cache, blobs=bench.blobs)

    cold = timed(lambda: produce(**bench.order([ProgrammeItem("Thông báo", make(reading))])))
    wav = bench.home / "mix.wav"
    programme = captured_mix(bench, [ProgrammeItem("Thông báo", make(reading))], wav)
    ours, theirs, from_take, mended = [], [], [], []
    take = make(reading)
    for number in range(rounds):
        theirs.append(timed(lambda: encode_alone(wav, bench.home / "alone.mp3")))
        ours.append(timed(lambda: produce(**bench.order([ProgrammeItem("Thông báo", make(reading))]))))
        from_take.append(timed(lambda: produce(**bench.order([ProgrammeItem("Thông báo", take)]))))
        theirs.append(timed(lambda: encode_alone(wav, bench.home / "alone.mp3")))
        changed = list(reading.sentences)
        changed[number] = Sentence(
            0, 0, "", f"Đây là câu vừa sửa lần {spoken_digits(number)}, xin bà con lưu ý."
        )
        again = Reading("", tuple(changed))
        mended.append(
            timed(lambda again=again: produce(**bench.order([ProgrammeItem("Thông báo", make(again))])))
        )  # type: ignore[misc]
    base = statistics.median(theirs)
    cpu = cpu_s(lambda: produce(**bench.order([ProgrammeItem("Thông báo", make(reading))])))
    cpu_alone = cpu_s(lambda: encode_alone(wav, bench.home / "alone.mp3"))
    length = f"{programme.duration_ms / 1000:.0f} s programme"
    bench.rows.append(Row(f"ffmpeg alone, {length}", spread(theirs)))
    for what, times, limit in (
        ("cached sentences → published 64k file ÷ ffmpeg alone", ours, 1.5),
        ("frozen take → published 64k file ÷ ffmpeg alone", from_take, None),
        ("one sentence mended → new programme ÷ ffmpeg alone", mended, 1.6),
    ):
        ratio = statistics.median(times) / base
        target = f"≤ {limit}" if limit else "reported"
        bench.rows.append(
            Row(what, f"{ratio:.2f} ({spread(times)})", target, None if limit is None else ratio <= limit)
        )
    bench.rows.append(
        Row(
            "CPU time of the line ÷ of ffmpeg alone",
            f"{cpu / cpu_alone:.2f} ({cpu:.1f} s, {cpu_alone:.1f} s)",
        )
    )
    bench.rows.append(Row("the first time, every sentence spoken by espeak", f"{cold:.2f} s"))


def loudness(bench: Bench, *, count: int, embedded: bool = False) -> None:
    """Loudness and true peak of different programmes, by our meter and by ffmpeg's on the decoded file."""
    errors, peaks, ours = [], [], []
    for number in range(count):
        profile = Profile.ARCHIVE if number % 5 == 4 else Profile.HORN
        voice = ("kokoro:nu-1", "kokoro:nam-1")[number // 4 % 2] if embedded and number % 4 == 2 else VOICE
        first = bench.item(12 + 4 * (number % 6), seed=7 * number, voice=voice)
        items = [
            ProgrammeItem("a", first.take, read_twice=number % 3 == 0),
            bench.item(8 + 3 * (number % 4), seed=7 * number + 3, voice=voice),
        ]
        kinds = (
            (RenditionKind.ARCHIVE,)
            if profile is Profile.ARCHIVE
            else (RenditionKind.AIR, RenditionKind.LIGHT)
        )
        template = Template(
            greeting="Kính chào bà con.", headlines="", bed=number % 2 == 1, closing="Xin chào."
        )
        programme = produce(**bench.order(items, profile=profile, kinds=kinds, template=template))
        target = -16.0 if profile is Profile.HORN else -19.0
        for file in programme.renditions:
            integrated, peak = ebur128(bench.blobs.path(file.sha256, suffix="mp3"))
            errors.append(integrated - target)
            peaks.append(peak)
        ours.append(programme.loudness_lufs - target)
    worst, highest = max(map(abs, errors)), max(peaks)
    bench.rows.append(
        Row(
            f"loudness off target, {count} programmes{', the embedded voice among them' if embedded else ''}, "
            f"{len(errors)} files, ffmpeg's meter",
            f"{min(errors):+.1f} … {max(errors):+.1f} LU",
            "±0.3 LU",
            worst <= 0.3,
        )
    )
    bench.rows.append(
        Row("the same by our meter (air and archive files)", f"{min(ours):+.2f} … {max(ours):+.2f} LU")
    )
    bench.rows.append(
        Row(
            "highest true peak of the decoded files, ffmpeg's meter",
            f"{highest:.1f} dBTP",
            "≤ −1.0 dBTP",
            highest <= -1.0,
        )
    )


def ebur128(path: Path) -> tuple[float, float]:
    """ffmpeg's own integrated loudness and true peak."""
    command = [
        find_ffmpeg(),
        "-hide_banner",
        "-nostats",
        "-i",
        str(path),
        "-af",
        "ebur128=peak=true",
        "-f",
        "null",
        "-",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stderr
    summary = said[said.rindex("Summary") :].splitlines()
    integrated = next(line for line in summary if line.strip().startswith("I:"))
    peak = next(line for line in summary if line.strip().startswith("Peak:"))
    return float(integrated.split()[1]), float(peak.split()[1])


def positions(bench: Bench) -> None:
    """Where each item lies in the decoded MP3, against what entered the encoder."""
    import soundfile

    items = [bench.item(14, seed=n * 11, title=str(n)) for n in range(5)]
    wav = bench.home / "positions.wav"
    programme = captured_mix(bench, items, wav)
    entered, _ = soundfile.read(wav, dtype="float32")
    heard = bench.sound(programme)
    worst = 0
    for item in [one for one in programme.items if one.title.isdigit()]:
        start = item.start_ms * HOUSE_RATE_HZ // 1000
        length = 3 * HOUSE_RATE_HZ
        wave, around = entered[start : start + length], heard[start - 2_000 : start + length + 2_000]
        size = 1 << (len(around) + len(wave)).bit_length()
        match = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(wave, size)), size)[:4_001]
        worst = max(worst, abs(int(np.argmax(match)) - 2_000))
    bench.rows.append(
        Row(
            "position of each item in the decoded MP3, 5 items",
            f"{worst} samples off at most",
            "±1 sample",
            worst <= 1,
        )
    )


def espeak(bench: Bench, *, rounds: int) -> None:
    """Speed of espeak through its worker process."""
    voice = bench.voices(VOICE)
    voice.speak("Xin chào.")
    ratios = []
    for _ in range(rounds):
        seconds = 0.0
        start = clock.perf_counter()
        for sentence in SENTENCES * 4:
            seconds += voice.speak(sentence).duration_ms / 1000
        ratios.append(seconds / (clock.perf_counter() - start))
    middle = statistics.median(ratios)
    bench.rows.append(
        Row(
            "espeak through its worker",
            f"{middle:.0f} × real time ({min(ratios):.0f}–{max(ratios):.0f})",
            "≥ 300",
            middle >= 300,
        )
    )


# ------------------------------------------------------------------------------------------- memory


def memory(bench: Bench) -> None:
    """Peak memory of a whole process tree that renders a 6-minute and a 60-minute programme from takes."""
    peaks = []
    for minutes in (6, 60):
        takes = [bench.item(360, seed=13 * n).take for n in range(minutes // 6)]
        listed = bench.home / f"takes-{minutes}.txt"
        listed.write_text("\n".join(f"{take.sha256} {take.sentences[-1].start_sample}" for take in takes))
        command = [sys.executable, __file__, "--render-only", str(listed), str(bench.home)]
        peak, seconds = tree_peak_mb(command)
        peaks.append(peak)
        bench.rows.append(
            Row(
                f"peak memory of the process tree, {minutes} min programme",
                f"{peak:.0f} MB ({seconds:.0f} s)",
                "≤ 180 MB",
                peak <= 180,
            )
        )
    apart = peaks[1] / peaks[0] - 1
    bench.rows.append(Row("60 min against 6 min", f"{apart:+.0%}", "within 15 %", abs(apart) <= 0.15))


def render_only(listed: Path, home: Path) -> None:
    """In the measured process: render takes that lie in the store; words are a second of tone."""
    blobs = Blobs(home / "blobs")
    t = np.arange(HOUSE_RATE_HZ, dtype=np.float32) / HOUSE_RATE_HZ
    tone = Pcm((0.1 * np.sin(2 * np.pi * 300 * t)).astype(np.float32), HOUSE_RATE_HZ)
    items = []
    for line in listed.read_text().splitlines():
        sha256, length = line.split()
        take = Take(sha256, VOICE, 1.0, 0, (SpokenSentence("", 0, int(length)),))
        items.append(ProgrammeItem("Thông báo", take))
    produce(
        items=items, template=Template(greeting="Chào.", headlines=""), station_name="Đài", call_sign="Đài",
        local_date=date(2026, 11, 24), start_local=time(5, 30), speak_words=lambda _text: tone, blobs=blobs,
        jingles=jingle_paths(ROOT / "audio" / "jingles" / "default"), kinds=AIR, scratch=home / "scratch",
    )  # fmt: skip


# -------------------------------------------------------------------------------- what a user would write


def beside(bench: Bench) -> None:
    """The same sentences by a pydub script, and by one ffmpeg command: time, loudness, true peak."""
    from broadcaster.speech.brought import audio_segment_class

    take = bench.item(285).take
    segment = audio_segment_class()
    voice = bench.blobs.path(take.sha256, suffix="flac")
    opening = ROOT / "audio" / "jingles" / "default" / "opening.flac"
    wav = bench.home / "voice.wav"
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", "-i", str(voice), str(wav)], check=True, timeout=100)
    jingle = bench.home / "opening.wav"
    subprocess.run(
        [find_ffmpeg(), "-v", "error", "-y", "-i", str(opening), str(jingle)], check=True, timeout=100
    )
    by_pydub, by_ffmpeg = bench.home / "pydub.mp3", bench.home / "ffmpeg.mp3"

    def with_pydub() -> None:
        whole = segment.from_wav(jingle) + segment.silent(700, 44_100) + segment.from_wav(wav)
        whole.normalize().export(by_pydub, format="mp3", bitrate="64k").close()

    def with_ffmpeg() -> None:
        graph = "[0][1]concat=n=2:v=0:a=1,loudnorm=I=-16:TP=-1.5"
        command = [
            find_ffmpeg(),
            "-v",
            "error",
            "-y",
            "-i",
            str(jingle),
            "-i",
            str(wav),
            "-filter_complex",
            graph,
        ]
        subprocess.run([*command, "-ar", "44100", "-b:a", "64k", str(by_ffmpeg)], check=True, timeout=600)

    for what, work, path in (
        ("pydub: join, normalise, export", with_pydub, by_pydub),
        ("ffmpeg: concat, loudnorm", with_ffmpeg, by_ffmpeg),
    ):
        seconds = timed(work)
        integrated, peak = ebur128(path)
        bench.rows.append(Row(f"beside: {what}", f"{seconds:.1f} s, {integrated:.1f} LUFS, {peak:.1f} dBTP"))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Đo khâu dựng chương trình.")
    parser.add_argument("--check", action="store_true", help="thoát mã 1 khi có mục không đạt")
    parser.add_argument("--quick", action="store_true", help="bỏ phép đo 60 phút, ít vòng hơn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, help="ghi bảng vào tệp này")
    parser.add_argument("--only", help="speed, loudness, positions, espeak, memory, beside")
    parser.add_argument(
        "--embedded", action="store_true", help="một phần các chương trình đọc bằng giọng nhúng"
    )
    parser.add_argument("--render-only", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.render_only:
        render_only(*options.render_only)
        return 0
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT
    ).stdout
    head = f"commit {commit.strip() or '?'}; {machine()}"
    print(head, flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder))
        parts: dict[str, Callable[[], None]] = {
            "speed": lambda: speed(bench, rounds=2 if options.quick else options.rounds),
            "loudness": lambda: loudness(bench, count=6 if options.quick else 20, embedded=options.embedded),
            "positions": lambda: positions(bench),
            "espeak": lambda: espeak(bench, rounds=options.rounds),
            "memory": lambda: None if options.quick else memory(bench),
            "beside": lambda: beside(bench),
        }
        for name, part in parts.items():
            if options.only and name not in options.only.split(","):
                continue
            done = len(bench.rows)
            part()
            print(table(bench.rows[done:]).split("\n", 2)[-1], flush=True)
        bench.voices.close()
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(f"{table(bench.rows)}\n\n{head}\n", encoding="utf-8")
    return 1 if options.check and any(row.met is False for row in bench.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
