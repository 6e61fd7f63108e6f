"""Outputs: one suite for every kind, the deck to the sample, and cards that lie or vanish."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import PlayerError
from broadcaster.playout.clock import GivenClock, SystemClock
from broadcaster.playout.outputs import (
    RATE_HZ,
    Deck,
    Output,
    Samples,
    SilentOutput,
    SoundCard,
    WavOutput,
    open_output,
)
from broadcaster.playout.outputs.deck import FADE
from tests.support.receivers import read_wav

T = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)


def tone(seconds: float, level: float = 0.5) -> Samples:
    return np.full(round(seconds * RATE_HZ), level, dtype=np.float32)


@pytest.fixture(params=["silent", "wav", "soundcard:null"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Output]:
    """Each output on the machine's clock."""
    spec = f"wav:{tmp_path / 'ra.wav'}" if request.param == "wav" else request.param
    opened = open_output(spec, SystemClock())
    yield opened
    opened.close()


def wait_for(true: Callable[[], bool]) -> None:
    for _ in range(400):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


def test_every_output_plays_a_clip_whole_and_tells_when_it_ended(output: Output) -> None:
    start = datetime.now(UTC) + 0.3 * S
    first = output.play_at("a", tone(0.4), start)
    assert abs(first - start) < timedelta(milliseconds=50)
    found: list[tuple[str, int, bool, float]] = []

    def ended() -> bool:
        found.extend((e.key, e.sounded, e.whole, e.peak) for e, _at in output.ended())
        return bool(found)

    wait_for(ended)
    assert found == [("a", round(0.4 * RATE_HZ), True, 0.5)]
    assert output.fault == ""


def test_every_output_stops_when_told_and_says_how_much_was_heard(output: Output) -> None:
    output.play_at("a", tone(30), datetime.now(UTC))
    wait_for(lambda: output.heard_ms("a") > 200)
    heard = output.stop_at(datetime.now(UTC))["a"]
    assert 200 <= heard < 29_000
    wait_for(lambda: any(e.key == "a" and not e.whole for e, _at in output.ended()))
    assert output.heard_ms("a") == 0


def test_every_output_plays_at_once_what_is_due_already(output: Output) -> None:
    output.play_at("a", tone(0.1), datetime.now(UTC) - 60 * S)
    wait_for(lambda: any(e.whole for e, _at in output.ended()))


def test_an_unknown_output_is_refused_with_the_choices(tmp_path: Path) -> None:
    for spec in ("loa", "wav", "wav:", "soundcard:hw", "silent:x"):
        with pytest.raises(PlayerError, match="soundcard, silent hoặc wav:"):
            open_output(spec, GivenClock(T))
    (tmp_path / "tệp").write_text("x")
    with pytest.raises(PlayerError, match="Không ghi được tệp"):
        open_output(f"wav:{tmp_path / 'tệp' / 'a.wav'}", GivenClock(T))


# ------------------------------------------------------------------------------------ the deck


@given(st.integers(0, 3000), st.integers(1, 4000), st.lists(st.integers(1, 1500), min_size=1, max_size=12))
def test_a_clip_lies_at_its_frame_whatever_the_blocks_are(start: int, length: int, blocks: list[int]) -> None:
    deck = Deck()
    clip = np.linspace(0.1, 1.0, length, dtype=np.float32)
    deck.cue("a", clip, start, gain=0.5)
    tape = np.concatenate([deck.render(count) for count in blocks] + [deck.render(8000)])
    wanted = np.zeros(len(tape), dtype=np.float32)
    wanted[start : start + length] = clip * np.float32(0.5)
    assert np.array_equal(tape, wanted)
    (ended,) = deck.take_ended()
    assert (ended.start_frame, ended.sounded, ended.whole) == (start, length, True)


def test_a_newer_clip_ends_the_older_one_at_its_own_first_sample() -> None:
    deck = Deck()
    deck.cue("a", tone(1, 0.25), 0)
    deck.render(1000)
    deck.cue("b", tone(0.1, 0.75), 5000)
    tape = deck.render(20_000)[:]
    assert np.all(tape[: 4000 - FADE] == 0.25)
    assert np.all(np.diff(tape[4000 - FADE : 4000]) < 0)
    assert np.all(tape[4000 : 4000 + 4410] == 0.75)
    assert [(e.key, e.sounded, e.whole) for e in deck.take_ended()] == [("a", 5000, False), ("b", 4410, True)]


def test_a_lost_device_takes_what_sounded_with_it() -> None:
    deck = Deck()
    deck.cue("a", tone(1), 0)
    deck.render(100)
    deck.clear()
    assert not deck.render(RATE_HZ).any()
    assert [(e.key, e.sounded, e.whole) for e in deck.take_ended()] == [("a", 100, False)]


# ------------------------------------------------------------------------------------ WAV and clocks


def test_with_a_given_clock_an_hour_is_written_at_once_and_each_sample_has_its_instant(
    tmp_path: Path,
) -> None:
    clock = GivenClock(T)
    output = WavOutput(tmp_path / "ra.wav", clock)
    wake = threading.Event()
    output.play_at("a", tone(0.25), T + 600 * S)
    clock.wait(wake, 601.5)
    output.play_at("b", tone(0.25), T)
    clock.wait(wake, 1)
    output.close()
    tape = read_wav(tmp_path / "ra.wav")
    sounding = np.flatnonzero(tape)
    assert (sounding[0], len(tape)) == (600 * RATE_HZ, round(602.5 * RATE_HZ))
    assert np.all(tape[round(601.5 * RATE_HZ) :][: RATE_HZ // 4] != 0)
    assert json.loads((tmp_path / "ra.wav.json").read_text())["events"][0] == {
        "event": "start", "airing": "a", "sample": 600 * RATE_HZ, "at": (T + 600 * S).isoformat(),
    }  # fmt: skip


def test_a_wav_is_readable_while_it_is_being_written(tmp_path: Path) -> None:
    clock = GivenClock(T)
    output = WavOutput(tmp_path / "ra.wav", clock)
    clock.wait(threading.Event(), 3)
    assert len(read_wav(tmp_path / "ra.wav")) == 3 * RATE_HZ
    output.close()


class SteppedClock(SystemClock):
    """A wall clock that somebody sets."""

    step = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.step


def test_a_wall_clock_set_an_hour_ahead_writes_no_hour_of_silence(tmp_path: Path) -> None:
    clock = SteppedClock()
    output = SilentOutput(clock)
    try:
        clock.step = timedelta(hours=1)
        time.sleep(0.1)
        start = clock.now() + 0.1 * S
        assert abs(output.play_at("a", tone(0.1), start) - start) < timedelta(milliseconds=5)
        wait_for(lambda: bool(output.ended()))
        assert output._deck.position < 20 * RATE_HZ
    finally:
        output.close()


# ------------------------------------------------------------------------------------ sound cards


class Card:
    """A device whose thread is the test's own hand."""

    def __init__(self, label: str) -> None:
        self.label, self.closed = label, False

    def close(self) -> None:
        self.closed = True


def test_a_card_that_is_really_the_null_device_is_an_alarm() -> None:
    card = SoundCard(GivenClock(T), opener=lambda render, null: Card("Null"))
    assert "thiết bị rỗng" in card.fault
    chosen = SoundCard(GivenClock(T), null=True, opener=lambda render, null: Card("Null"))
    assert chosen.fault == ""


def test_without_a_card_the_player_says_so_and_looks_again() -> None:
    clock, cards, tries = GivenClock(T), [Card("ALSA")], 0

    def opener(render: Callable[[int], Samples], null: bool) -> Card:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("no device")
        return cards[0]

    card = SoundCard(clock, opener=opener)
    assert "Hãy cắm loa" in card.fault
    clock.wait(threading.Event(), 6)
    card.tend()
    assert (card.fault, tries, card.name) == ("", 2, "soundcard (ALSA)")


def test_a_card_that_asks_for_no_more_sound_is_lost_and_opened_again() -> None:
    clock, opened = GivenClock(T), []
    pulls: list[Callable[[int], Samples]] = []

    def opener(render: Callable[[int], Samples], null: bool) -> Card:
        pulls.append(render)
        opened.append(Card("ALSA"))
        return opened[-1]

    card = SoundCard(clock, opener=opener)
    card.play_at("a", tone(60), clock.now())
    pulls[0](882)
    assert card.heard_ms("a") == 20
    clock.wait(threading.Event(), 3)
    assert "không lấy tiếng nữa" in card.fault
    clock.wait(threading.Event(), 3)
    card.tend()
    assert (card.fault, opened[0].closed, len(opened)) == ("", True, 2)
    assert not pulls[1](882).any(), "what was cut off does not go on minutes later"


def test_a_clip_is_placed_by_the_middle_callback_so_that_a_few_late_ones_do_not_move_it() -> None:
    clock = GivenClock(T)
    pulls: list[Callable[[int], Samples]] = []

    def opener(render: Callable[[int], Samples], null: bool) -> Card:
        pulls.append(render)
        return Card("ALSA")

    card = SoundCard(clock, opener=opener)
    wake = threading.Event()
    for late in (0.0, 0.0, 0.011, 0.0, 0.015):
        clock.wait(wake, late)
        pulls[0](882)
        clock.wait(wake, 0.02 - late)
    card.play_at("a", tone(0.1), clock.now() + 0.05 * S)
    tape = np.concatenate([pulls[0](882) for _ in range(10)])
    assert abs(int(np.flatnonzero(tape)[0]) - round(0.05 * RATE_HZ)) <= 1
