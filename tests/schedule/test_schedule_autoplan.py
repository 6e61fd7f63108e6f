"""The automatic plan keeps its limits, is the same every time, and says how much better any plan could be."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import date, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.model import Priority
from broadcaster.schedule.autoplan import CUT_MS, FRAME_MS, Candidate, Limits, Opening, bound, propose
from tests.support.commune import MONDAY


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Candidate], list[Opening], Limits]:
    days = draw(st.integers(1, 20))
    openings = [
        Opening(
            slot,
            MONDAY + timedelta(days=day),
            time(5 + 12 * slot, 30),
            draw(st.sampled_from([60_000, 300_000, 900_000])),
        )
        for day in range(days)
        for slot in (0, 1)
    ]
    candidates = [
        Candidate(
            number, f"Bản {number}", draw(st.sampled_from([1, 2, 3, None])), draw(st.integers(5_000, 400_000)),
            draw(st.sampled_from([Priority.ROUTINE, Priority.PRIORITY])),
            tuple(draw(st.lists(st.integers(0, days), max_size=2).map(lambda ns: [MONDAY + timedelta(days=n) for n in ns]))),
        )
        for number in range(draw(st.integers(0, 12)))
    ]  # fmt: skip
    limits = Limits(
        targets={topic: draw(st.integers(0, 30)) for topic in (1, 2, 3)},
        rest_days=draw(st.integers(0, 6)), per_airing=draw(st.integers(1, 4)), most_repeats=draw(st.integers(1, 12)),
    )  # fmt: skip
    return candidates, openings, limits


@given(problems())
def test_every_limit_is_kept(problem: tuple[list[Candidate], list[Opening], Limits]) -> None:
    candidates, openings, limits = problem
    found = propose(candidates, openings, limits)
    lengths = {one.bulletin_id: one.length_ms for one in candidates}
    for opening in openings:
        inside = [one.bulletin_id for one in found.choices if (one.slot_id, one.day) == opening.key]
        assert len(inside) == len(set(inside)) <= limits.per_airing
        if inside:
            assert (
                FRAME_MS + sum(lengths[one] for one in inside) + CUT_MS * (len(inside) - 1) <= opening.max_ms
            )
    for candidate in candidates:
        days = [one.day for one in found.choices if one.bulletin_id == candidate.bulletin_id]
        assert not days or len(days) + len(candidate.placed) <= limits.most_repeats
        if limits.rest_days:
            for day in days:
                for other in candidate.placed:
                    assert abs((day - other).days) >= limits.rest_days
            assert all((b - a).days >= limits.rest_days for a, b in itertools.pairwise(sorted(days)))
    assert all(one.reason for one in found.choices)
    assert found.met <= found.bound


@given(problems(), st.integers(0, 1000))
def test_the_order_in_which_it_is_told_changes_nothing(
    problem: tuple[list[Candidate], list[Opening], Limits], seed: int
) -> None:
    candidates, openings, limits = problem
    shuffled, moved = list(candidates), list(openings)
    random.Random(seed).shuffle(shuffled)
    random.Random(seed).shuffle(moved)
    assert propose(shuffled, moved, limits) == propose(candidates, openings, limits)


def brute(candidates: list[Candidate], openings: list[Opening], limits: Limits) -> int:
    """The best there is, by trying everything: only for the smallest problems."""
    best = 0
    pairs = [(one, opening) for one in candidates for opening in openings]
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(pairs, n) for n in range(len(pairs) + 1)
    ):
        counts = Counter(opening.key for _, opening in chosen)
        used: dict[tuple[int, date], int] = {}
        for one, opening in chosen:
            used[opening.key] = used.get(opening.key, FRAME_MS - CUT_MS) + one.length_ms + CUT_MS
        legal = all(
            counts[opening.key] <= limits.per_airing and used.get(opening.key, 0) <= opening.max_ms
            for opening in openings
        )
        for one in candidates:
            days = sorted([*(o.day for c, o in chosen if c is one), *one.placed])
            legal = legal and len(days) <= max(limits.most_repeats, len(one.placed))
            legal = legal and all((b - a).days >= limits.rest_days for a, b in itertools.pairwise(days))
        if legal:
            topics = Counter(one.topic_id for one, _ in chosen)
            best = max(best, sum(min(topics[topic], wanted) for topic, wanted in limits.targets.items()))
    return best


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2]), st.sampled_from([20_000, 60_000, 140_000])), min_size=1, max_size=3
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(1, 4),
)
def test_no_plan_beats_the_bound(
    bulletins: list[tuple[int, int]], days: int, rest: int, per_airing: int, wanted: int
) -> None:
    candidates = [Candidate(n, "x", topic, length) for n, (topic, length) in enumerate(bulletins)]
    openings = [Opening(0, MONDAY + timedelta(days=n), time(5, 30), 200_000) for n in range(days)]
    limits = Limits(targets={1: wanted, 2: wanted}, rest_days=rest, per_airing=per_airing, most_repeats=5)
    best = brute(candidates, openings, limits)
    found = propose(candidates, openings, limits)
    assert found.met <= best <= bound(candidates, openings, limits)


def test_a_target_is_met_evenly_over_the_period() -> None:
    openings = [Opening(0, MONDAY + timedelta(days=n), time(5, 30), 900_000) for n in range(60)]
    found = propose([Candidate(n, "x", 1, 60_000) for n in range(6)], openings, Limits(targets={1: 20}))
    weeks = Counter((one.day - MONDAY).days // 15 for one in found.choices)
    assert (found.met, found.gap) == (20, 0)
    assert set(weeks.values()) == {5}


def test_a_bulletin_longer_than_every_airing_is_left_out_with_its_reason() -> None:
    openings = [Opening(0, MONDAY, time(5, 30), 300_000)]
    found = propose(
        [Candidate(1, "Dài", 1, 600_000), Candidate(2, "Ngắn", None, 10_000)],
        openings,
        Limits(targets={1: 5}),
    )
    assert found.left_out == ((1, "dài hơn mọi buổi trong kỳ"),)
    assert [one.bulletin_id for one in found.choices] == [2]  # without a topic, yet heard once
    assert (found.met, found.bound) == (0, 0)


def test_a_priority_bulletin_of_a_topic_goes_first() -> None:
    openings = [Opening(0, MONDAY, time(5, 30), 110_000)]
    found = propose(
        [Candidate(1, "a", 1, 60_000), Candidate(2, "b", 1, 60_000, Priority.PRIORITY)], openings, Limits(targets={1: 2}),
    )  # fmt: skip
    assert [one.bulletin_id for one in found.choices] == [2]
    assert "ưu tiên" in found.choices[0].reason
