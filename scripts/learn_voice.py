#!/usr/bin/env python3
"""Teaches the embedded voices Vietnamese sounds: gradients from what the recogniser hears back to the voice.

    python scripts/learn_voice.py --voices nam-1 --out /tmp/one                 begin; ten seconds of two cores a step
    python scripts/learn_voice.py --voices nam-1 --out /tmp/one --minutes 120   go on where it stopped
    python scripts/learn_voice.py --voices nam-1 --out /tmp/one /tmp/two --only-write   the mean of both, to the project

Two things are learned: for each voice the half of its 256 numbers that is its sound, and for the voices given together
the table of colours that they name (`broadcaster/speech/kokoro/colours.py`; one of its own begins as a copy of another).
The rest (letters, lengths, melody) stays.  Lines that may be tuned on are spoken, half of them sentences, half syllables in
disorder, so that sounds are learned and not sentences; each is heard through another room: faster or slower, with noise,
through a horn, after another silence.  The loss is the recogniser's own (CTC), and what the sound lacks of the pitch that was written for its rhymes; a
leash keeps voices and sounds near where they began.  The last steps are averaged, and better so over two searches with
other seeds on a core each, whose chances cancel out.  A search begins with the voices and
colours of the project; its state holds whole numbers, not changes, so that it may be written as often as one likes.
Method and figures: docs/benchmarks/voice.md.  Needs requirements-learn.txt.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from broadcaster.reading import read  # noqa: E402
from broadcaster.reading.syllables import is_syllable  # noqa: E402
from broadcaster.speech import phonology  # noqa: E402
from broadcaster.speech.kokoro import colours, graph, model  # noqa: E402
from broadcaster.speech.kokoro.engine import (  # noqa: E402
    AHEAD,
    SAMPLE_RATE_HZ,
    Engine,
    Speaker,
    load_speaker,
    notes_of,
)
from broadcaster.speech.phonology import Tone  # noqa: E402
from broadcaster.speech.tones import FRAMES_PER_SECOND  # noqa: E402
from scripts import recogniser, tune_voice  # noqa: E402
from scripts.torch_graph import Graph  # noqa: E402

VOICES = ROOT / "audio" / "voices"
SOUND = 128  # so many of a voice's 256 numbers are its sound
SYLLABLES = 7  # of a line in disorder
WINDOW = 720  # samples of 24 kHz: two periods of the deepest creak
LEVEL = 0.07  # root mean square of what is heard
LEASH_STYLE, LEASH_COLOURS = 0.3, 2e-5
SHARES = {Tone.NGA: 5.0, Tone.NANG: 3.0}  # of that price; other tones 1, before a stop 5
CARRIED = 5.0  # the price of a pitch that is not there, against a piece that was not heard
KEPT = 60  # steps whose mean is the result


class Hearing(torch.nn.Module):
    """Samples of 16 kHz [n] -> log-probabilities [steps, pieces], as `recogniser.Recogniser` gives them."""

    def __init__(self) -> None:
        super().__init__()
        self._network = Graph(onnx.load_from_string(recogniser.network()))
        turns = 2 * np.pi * torch.arange(recogniser.WINDOW) / (recogniser.WINDOW - 1)
        self._window = (0.5 - 0.5 * torch.cos(turns)) ** 0.85
        self._bands = torch.tensor(recogniser.bands().T, dtype=torch.float32)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        chunk, overlap = recogniser.CHUNK, recogniser.OVERLAP
        heard = self._features(sound * 32768)[None]
        turns = max(-(-(heard.shape[1] - overlap) // chunk), 1)
        missing = turns * chunk + overlap - heard.shape[1]
        if missing > 0:
            heard = torch.cat([heard, heard[:, -1:].expand(1, missing, -1)], 1)
        memory, context, said = torch.zeros(1, 12, 4, 40, 224), torch.zeros(1, 12, 448, 30), []
        for turn in range(turns):
            out, memory, context = self._network(
                {
                    "chunk": heard[:, turn * chunk : turn * chunk + chunk + overlap],
                    "offset": torch.full((1, 1), turn * chunk // 4, dtype=torch.int64),
                    "att_cache": memory,
                    "cnn_cache": context,
                }
            )
            said.append(out[0])
        return torch.log_softmax(torch.cat(said), -1)

    def _features(self, samples: torch.Tensor) -> torch.Tensor:
        frames = samples.unfold(0, recogniser.WINDOW, recogniser.STEP)
        frames = frames - frames.mean(-1, keepdim=True)
        frames = torch.cat([frames[:, :1] * 0.03, frames[:, 1:] - 0.97 * frames[:, :-1]], -1) * self._window
        power = torch.fft.rfft(frames, recogniser.FFT).abs() ** 2
        return torch.log(torch.clamp(power @ self._bands, min=float(np.finfo(np.float32).eps)))


class _Caught(Exception):
    """The sound stage was asked for."""


class _Noting:
    """In place of colours: notes which sounds stand where."""

    names: list[list[str]]
    places: list[phonology.Place]

    def over(self, places: Sequence[phonology.Place], tokens: int) -> Any:
        self.places = list(places)
        self.names = [[] for _ in range(tokens)]
        for place in places:
            for token, names in colours.sounds_at(place):
                self.names[token + 1] += names
        return np.zeros((1, tokens, colours.SIZE), np.float32)


class Speech(Engine):
    """The engine up to its last stage, which is done in torch."""

    def __init__(self, home: Path) -> None:
        self._noting = _Noting()
        super().__init__(home)
        whole = onnx.load_from_string(model.source_bytes(home))
        self._last = Graph(graph.cut(whole)[2])

    def colours_of(self, speaker: Speaker) -> Any:
        """In their place what notes where each sound stands."""
        return self._noting

    def say(self, line: str, speaker: Speaker, sound: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """Samples of 24 kHz [n] of a short line; `sound` [128] of the style, `table` [names, 512] of colours."""
        try:
            list(self.pieces(line, speaker))
        except _Caught:
            pass
        values = {name: torch.from_numpy(np.array(self._values[name])) for name in self._last.inputs}
        added = [
            table[[ROWS[name] for name in names]].sum(0) if names else torch.zeros(colours.SIZE)
            for names in self._noting.names
        ]
        values[graph.COLOURS] = torch.stack(added)[None]
        values[SOUND_IN] = sound[None]
        return self._last(values)[0].reshape(-1)

    def carried(self, sound: torch.Tensor) -> torch.Tensor:
        """How little of the line's pitch is in `sound`, what `say` gave: 0 = each period is as the one before it.

        One minus the correlation of 30 ms with those a period of the written pitch later, over the frames of rhymes;
        ngã, nặng and the tones before a stop, which colours turn into a creak that nobody wrote, count more (`SHARES`).
        """
        pitch = self._values[graph.PITCH].reshape(-1)
        frames, weights = [], []
        for note in notes_of(self._noting.places, self._values[graph.DURATIONS].reshape(-1)):
            for frame in range(note.rhyme + 1, note.end - 1):
                if pitch[frame] > 60:  # noqa: PLR2004 - the model's unvoiced frames lie below any voice
                    frames.append(frame)
                    weights.append(SHARES.get(note.tone, 5.0 if note.stopped else 1.0))
        if not frames:
            return torch.zeros(())
        step = SAMPLE_RATE_HZ // FRAMES_PER_SECOND
        lags = torch.tensor(np.round(SAMPLE_RATE_HZ / pitch[frames]).astype(np.int64))
        middles = (torch.tensor(frames) - AHEAD) * step + step // 2
        window = torch.arange(WINDOW)[None] - WINDOW // 2
        first = (middles - lags // 2)[:, None] + window
        first = first.clamp(0, len(sound) - 1)
        second = (first + lags[:, None]).clamp(0, len(sound) - 1)
        one, two = sound[first], sound[second]
        alike = (one * two).sum(1) / (one.pow(2).sum(1) * two.pow(2).sum(1) + 1e-9).sqrt()
        share = torch.tensor(weights)
        return ((1 - alike) * share).sum() / share.sum()

    def _run(self, stage: int, values: dict[str, Any]) -> None:
        if stage == 2:
            self._values = values
            raise _Caught
        super()._run(stage, values)


SOUND_IN = "/decoder/Slice_output_0"  # the sound half of the style, as the last stage is given it


def names_of_sounds() -> list[str]:
    """Every sound that a colour may have, in a fixed order."""
    accent = phonology.NORTHERN
    tones = [f"{tone.name}{stop}" for tone in phonology.Tone for stop in ("", " stop")]
    return [
        *(f"onset {onset}" for onset in accent.onsets),
        *(f"nucleus {nucleus} {part}" for nucleus in accent.nuclei for part in (0, 1)),
        *(f"coda {coda}" for coda in accent.codas),
        *(f"{where} {tone}" for tone in tones for where in ("tone", "coda tone")),
    ]


NAMES = names_of_sounds()
ROWS = {name: row for row, name in enumerate(NAMES)}


def shipped_colours(table: str) -> torch.Tensor:
    """[names, 512] as the project has them; a sound without a colour has noughts."""
    vectors = colours.named(table).vectors
    return torch.from_numpy(
        np.stack([vectors.get(name, np.zeros(colours.SIZE, np.float32)) for name in NAMES])
    )


def shipped_sound(speaker: Speaker) -> torch.Tensor:
    """[128]: the sound half of a voice's numbers."""
    return torch.tensor(np.asarray(speaker.style).reshape(-1)[:SOUND], dtype=torch.float32)


# ------------------------------------------------------------------------------------------------ what is said


class Lines:
    """Lines that may be tuned on: parts of sentences, and syllables in disorder."""

    def __init__(self, pieces: dict[str, int], dice: random.Random) -> None:
        self._sentences = tune_voice.sentences()
        for file in sorted((ROOT / "schedules" / "nhu-thanh" / "bulletins").glob("*.txt")):
            self._sentences += [one.spoken for one in read(file.read_text(encoding="utf-8")).sentences]
        self._usual = [word for text in self._sentences for word in tune_voice.syllables_of(text)]
        # with its tone: a list of toneless ones would leave six tones to the sentences, and none to stopped syllables
        self._any = [piece[1:] for piece in pieces if piece.startswith("▁") and is_syllable(piece[1:])]
        self._dice = dice

    def one(self) -> str:
        """45 % parts of sentences, 40 % usual and other syllables mixed, 15 % any syllable there is."""
        dice, draw = self._dice, self._dice.random()
        if draw < 0.45:
            words = tune_voice.syllables_of(dice.choice(self._sentences))
            length = dice.randint(5, 11)
            begin = dice.randrange(max(1, len(words) - length + 1))
            return " ".join(words[begin : begin + length])
        usual = 0.6 if draw < 0.85 else 0.0
        return " ".join(
            dice.choice(self._usual if dice.random() < usual else self._any) for _ in range(SYLLABLES)
        )


# ------------------------------------------------------------------------------------------------ the room


def in_a_room(sound: torch.Tensor, dice: random.Random) -> torch.Tensor:
    """24 kHz -> 16 kHz as it might be heard: another pace, silence around it, a horn's band, noise, another level."""
    length = len(sound) - len(sound) % 3
    spectrum = torch.fft.rfft(sound[:length])[: length // 3 + 1]
    size = int(length * 2 // 3 * (dice.uniform(0.95, 1.05) if dice.random() < 0.5 else 1)) // 2 * 2
    spectrum = F.pad(spectrum[: size // 2 + 1], (0, max(0, size // 2 + 1 - len(spectrum))))
    out = torch.fft.irfft(spectrum, size)
    out = out * (LEVEL / out.pow(2).mean().sqrt())
    out = F.pad(out, (round(16_000 * dice.uniform(0.2, 0.6)), round(16_000 * dice.uniform(0.2, 0.6))))
    if dice.random() < 0.35:
        spectrum = torch.fft.rfft(out)
        hertz = torch.linspace(0, 8000, len(spectrum)).clamp(min=1)
        low, high = dice.uniform(150, 350), dice.uniform(4500, 7500)
        spectrum = spectrum / torch.sqrt(1 + (low / hertz) ** 6) / torch.sqrt(1 + (hertz / high) ** 10)
        out = torch.fft.irfft(spectrum, len(out))
    if dice.random() < 0.65:
        out = out + LEVEL * 10 ** (-dice.uniform(8, 26) / 20) * _pink(len(out))
    return out * 10 ** (dice.uniform(-6, 4) / 20)


def _pink(length: int) -> torch.Tensor:
    count = length // 2 + 1
    spectrum = torch.complex(torch.randn(count), torch.randn(count))
    noise = torch.fft.irfft(spectrum / torch.arange(count).clamp(min=1).sqrt(), length)
    return noise / noise.pow(2).mean().sqrt()


# ------------------------------------------------------------------------------------------------ learning


def learn(speakers: Sequence[Speaker], options: argparse.Namespace) -> None:
    """Steps until the time is over; the state is kept every ten of them."""
    dice = random.Random(options.seed)  # noqa: S311 - which lines, not secrets
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    speech, hearing, pieces = Speech(options.home), Hearing(), recogniser.Recogniser().pieces
    lines = Lines(pieces, dice)
    began = [shipped_sound(speaker) for speaker in speakers]
    table = shipped_colours(speakers[0].colours).requires_grad_()
    sounds = [sound.clone().requires_grad_() for sound in began]
    groups = [{"params": [table], "lr": 0.01 * options.rate}, {"params": sounds, "lr": 0.004 * options.rate}]
    search = torch.optim.Adam(groups, betas=(0.8, 0.98))
    state = options.out[0] / "state.pt"
    first, recent = 0, []
    if state.exists():
        saved = torch.load(state)
        first, recent, began = saved["step"], saved["recent"], saved["began"]
        table.data = saved["table"]
        for sound, value in zip(sounds, saved["sounds"], strict=True):
            sound.data = value
        search.load_state_dict(saved["search"])
        for group, rate in zip(search.param_groups, (0.01, 0.004), strict=True):
            group["lr"] = rate * options.rate
    until, losses = time.monotonic() + 60 * options.minutes, []
    step = first
    while time.monotonic() < until:
        for _ in range(options.lines):
            which = dice.choices(range(len(speakers)), options.shares)[0]
            line = lines.one()
            said = speech.say(line, speakers[which], sounds[which], table)
            lacking = speech.carried(said)
            log_p = hearing(in_a_room(said, dice))
            wanted = [piece for word in recogniser.spelled(line.split(), pieces) for piece in word]
            loss = F.ctc_loss(
                log_p[:, None], torch.tensor([wanted]), [len(log_p)], [len(wanted)], reduction="sum", zero_infinity=True
            )  # fmt: skip
            loss = (loss / len(wanted)).clamp(max=12)
            losses.append((float(loss.detach()), float(lacking.detach())))
            moved = (sounds[which] - began[which]).pow(2).sum()
            leash = LEASH_STYLE * moved + LEASH_COLOURS * table.pow(2).sum()
            ((loss + CARRIED * lacking + leash) / options.lines).backward()
        torch.nn.utils.clip_grad_norm_([table], 2.0)
        torch.nn.utils.clip_grad_norm_(sounds, 2.0)
        search.step()
        search.zero_grad()
        step += 1
        recent = [*recent, (table.detach().clone(), [sound.detach().clone() for sound in sounds])][-KEPT:]
        if step % 10 == 0:
            heard, lacking_now = np.mean(losses[-40:], axis=0)
            print(
                f"step {step}: loss of the last lines {heard:.3f}, pitch lacking {lacking_now:.3f}",
                flush=True,
            )
            torch.save(
                {"step": step, "table": table.detach(), "sounds": [sound.detach() for sound in sounds],
                 "began": began, "search": search.state_dict(), "recent": recent},
                state,
            )  # fmt: skip


def write(speakers: Sequence[Speaker], searches: Sequence[Path]) -> None:
    """The mean of the searches, each the mean of its last steps, as the files of the project."""
    ends = [torch.load(search / "state.pt")["recent"] for search in searches]

    def mean(pick: Callable[[Any], torch.Tensor]) -> Any:
        return np.mean([torch.stack([pick(step) for step in steps]).mean(0).numpy() for steps in ends], 0)

    learned = dict(zip(NAMES, mean(lambda step: step[0]), strict=True))
    colours.file_of(speakers[0].colours).write_bytes(colours.dump(colours.Colours(learned)))
    for number, speaker in enumerate(speakers):
        sound = mean(lambda step, number=number: step[1][number])
        file = VOICES / f"{speaker.name}.json"
        raw = json.loads(file.read_text(encoding="utf-8"))
        style = np.array(raw["style"])
        style[:SOUND] = sound
        rows = [", ".join(f"{x:g}" for x in row) for row in np.round(style, 5).reshape(-1, 8)]
        text = json.dumps(raw | {"style": []}, ensure_ascii=False, indent=1)
        file.write_text(
            text.replace('"style": []', '"style": [\n  ' + ",\n  ".join(rows) + "\n ]") + "\n",
            encoding="utf-8",
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, nargs="+", required=True, help="folder outside the project; more only to write"
    )
    parser.add_argument("--voices", nargs="+", default=["nu-1"])
    parser.add_argument(
        "--shares", nargs="+", type=float, help="how often each voice speaks, against the others"
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--rate", type=float, default=1.0, help="times the length of a step; less near the end"
    )
    parser.add_argument(
        "--lines", type=int, default=2, help="lines a step; more near the end, where single ones say little"
    )
    parser.add_argument("--seed", type=int, default=0, help="another one for each part of a search")
    parser.add_argument("--home", type=Path, default=ROOT / "var" / "voices")
    parser.add_argument("--only-write", action="store_true", help="write the voices, learn nothing")
    options = parser.parse_args()
    options.shares = options.shares or [1.0] * len(options.voices)
    speakers = [load_speaker(VOICES / f"{name}.json") for name in options.voices]
    if len({speaker.colours for speaker in speakers}) != 1:
        parser.error("these voices have different tables of colours: teach them one after the other")
    if options.only_write:
        write(speakers, options.out)
        return
    if len(options.out) != 1:
        parser.error("one search has one folder; several are for --only-write")
    options.out[0].mkdir(parents=True, exist_ok=True)
    learn(speakers, options)


if __name__ == "__main__":
    main()
