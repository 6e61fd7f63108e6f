"""What a machine did not get when it listened back, as officers see it."""

from __future__ import annotations

from typing import Any

from broadcaster.newsroom.hearing import ask_hearings, hearing_job
from broadcaster.speech.hearing import Hearing, Place, hearing_to_json
from tests.support.web_station import NOW

LOST = (Place(0, "nương", "nưng", 12_340, 14_000), Place(0, "đem lửa vào", "", 15_000, 17_500))


def heard(world: Any, hearing: Hearing | None, *, state: str = "done", error: str = "") -> None:
    with world.db.writing(station_id=world.made.station) as session:
        ask_hearings(session, now=NOW)
        job = hearing_job(session, world.made.waiting_revision)
        assert job is not None
        job.state, job.error, job.result = state, error, hearing_to_json(hearing) if hearing else {}


def pages(world: Any) -> list[str]:
    approve = world.browser("lanhdao").get(f"/duyet/{world.made.waiting_revision}").text
    compose = world.browser("canbo").get(f"/ban-tin/{world.made.waiting}").text
    return [approve, compose]


def test_the_places_are_shown_to_author_and_approver_the_longest_first_each_with_its_sound(
    world: Any,
) -> None:
    heard(world, Hearing(20, 4, LOST))
    for page in pages(world):
        assert "Máy nghe lại: 2 chỗ" in page
        assert "4 trong 20 tiếng" in page
        assert page.index("đem lửa vào</b>") < page.index("nương</b>")
        assert "#t=12.3,14.0" in page
        assert "không chỗ nào ngăn việc duyệt" in page


def test_many_places_stay_folded_behind_the_first_three(world: Any) -> None:
    heard(world, Hearing(40, 8, tuple(Place(0, f"chỗ{n}", "", n, n + 500) for n in range(8))))
    for page in pages(world):
        assert "5 chỗ nữa" in page


def test_a_clean_hearing_a_running_one_and_a_failed_one_each_say_so(world: Any) -> None:
    heard(world, Hearing(20, 0, ()))
    assert all("nhận ra đủ 20 tiếng" in page for page in pages(world))
    heard(world, None, state="running")
    assert all("Máy đang nghe lại" in page for page in pages(world))
    heard(world, None, state="failed", error="Thiếu gói viet-asr.")
    assert all("Thiếu gói viet-asr." in page for page in pages(world))


def test_a_station_that_does_not_listen_back_sees_nothing_of_it(world: Any) -> None:
    assert not any("Máy nghe lại" in page for page in pages(world))


def test_advice_never_takes_the_approve_button_away(world: Any) -> None:
    heard(world, Hearing(20, 20, (Place(0, "tất cả", "", 0, 900),)))
    assert f"/duyet/{world.made.waiting_revision}/duyet" in pages(world)[0]
