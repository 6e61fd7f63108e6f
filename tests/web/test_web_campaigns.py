"""From a plan's file to topics, drafts, targets and progress, as an officer does it."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.model import BulletinState
from broadcaster.newsroom.campaigns import paragraphs_of, source_of
from broadcaster.newsroom.templates import add_template, approve_template, newest_template
from broadcaster.report.progress import standings
from broadcaster.report.targets import Amount, Standing, behind
from broadcaster.store.tables import (
    AsRun,
    Bulletin,
    Campaign,
    PlanDocument,
    Station,
    Topic,
    TopicTarget,
    User,
)
from tests.support.web_station import NOW

SAMPLE = Path(__file__).parents[2] / "schedules/nhu-thanh/bulletins/ke-hoach-mau.docx"


def imported(world: Any, browser: Any, data: bytes | None = None, name: str = "ke-hoach.docx") -> Any:
    return browser.post("/ke-hoach", {"file": (io.BytesIO(data or SAMPLE.read_bytes()), name)})


def one(world: Any, kind: Any) -> Any:
    with world.db.reading(station_id=world.made.station) as session:
        return session.scalars(select(kind)).one()


CHOSEN = {
    "section": ["19", "22", "24"], "title-19": "Kỹ năng số cho người mới bắt đầu", "topic-19": "1", "bulletin-19": "1",
    "broadcasts-19": "10", "title-22": "Dịch vụ công", "topic-22": "1", "broadcasts-22": "1.200", "minutes-22": "30",
    "title-24": "An toàn trên không gian mạng", "bulletin-24": "1",
}  # fmt: skip


def test_a_plan_becomes_topics_with_targets_and_drafts_that_know_their_paragraphs(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/ke-hoach")
    answer = imported(world, browser)
    assert answer.status_code == 303
    page = browser.get(answer.location)
    assert "9 đề mục" in page.text
    assert browser.post(answer.location, CHOSEN).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        campaign = session.scalars(select(Campaign)).one()
        assert (campaign.motto, campaign.first_day) == ("Mỗi nhà một việc số", date(2026, 12, 1))
        targets = {
            row.topic.title: (row.broadcasts, row.minutes) for row in session.scalars(select(TopicTarget))
        }
        assert targets == {"Kỹ năng số cho người mới bắt đầu": (10, 0), "Dịch vụ công": (1200, 30)}
        drafts = session.scalars(select(Bulletin).where(Bulletin.source_name == "ke-hoach.docx")).all()
        assert [row.title for row in drafts] == [
            "Kỹ năng số cho người mới bắt đầu", "An toàn trên không gian mạng",
        ]  # fmt: skip
        assert drafts[0].state is BulletinState.DRAFT
        assert drafts[0].topic is not None
        source = source_of(session, drafts[1].id)
        assert source is not None
        assert (source.first_paragraph, source.last_paragraph) == (24, 26)
        assert paragraphs_of(source)[1:] == drafts[1].draft_text.split("\n")
        first = drafts[0].id
    shown = browser.get(f"/ban-tin/{first}").text
    assert "Từ kế hoạch: 1. Kỹ năng số cho người mới bắt đầu, đoạn 20–22" in shown


def test_choosing_twice_adds_only_what_is_not_there(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/ke-hoach")
    where = imported(world, browser).location
    browser.post(where, CHOSEN)
    browser.post(where, CHOSEN)
    with world.db.reading(station_id=world.made.station) as session:
        assert (
            len(session.scalars(select(Bulletin).where(Bulletin.source_name == "ke-hoach.docx")).all()) == 2
        )
        assert len(session.scalars(select(Topic).where(Topic.campaign_id.is_not(None))).all()) == 2


def test_the_same_file_is_imported_once_and_what_is_no_plan_is_refused(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/ke-hoach")
    imported(world, browser)
    again = imported(world, browser)
    assert again.status_code == 422
    assert "đã nhập rồi" in again.text
    for data, sentence in ((b"%PDF-1.7 ...", "PDF"), (b"PK\x03\x04 hong", "bị hỏng"), (b"   ", "trống")):
        refused = imported(world, browser, data, "x.docx")
        assert refused.status_code == 422
        assert sentence in refused.text
    assert browser.post("/ke-hoach", {}).status_code == 422
    assert one(world, PlanDocument).name == "ke-hoach.docx"


def test_what_was_typed_stays_when_a_number_is_wrong(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/ke-hoach")
    where = imported(world, browser).location
    wrong = browser.post(where, CHOSEN | {"broadcasts-19": "mười", "title-24": "Tên mới gõ"})
    assert wrong.status_code == 422
    assert "“mười” không phải là số" in wrong.text
    assert 'value="Tên mới gõ"' in wrong.text
    with world.db.reading(station_id=world.made.station) as session:
        assert session.scalars(select(TopicTarget)).all() == []


def lines_of(session: Session, world: Any) -> list[Standing]:
    """Every topic's standing now."""
    station = session.get_one(Station, world.made.station)
    return [standing for _goal, standing in standings(session, station, now=NOW)]


def test_progress_counts_what_players_report_as_finished_and_says_what_is_behind(world: Any) -> None:
    browser = world.browser("canbo")
    with world.db.reading(station_id=world.made.station) as session:
        topic_id = session.scalar(select(Bulletin.topic_id).where(Bulletin.id == world.made.approved))
    browser.get("/ke-hoach")
    form = {"first": "23/11/2026", "last": "26/11/2026", "broadcasts": "8", "minutes": "", "bulletins": "1"}
    assert browser.post(f"/ke-hoach/chu-de/{topic_id}/chi-tieu", form).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        (line,) = [row for row in lines_of(session, world) if row.topic_id == topic_id]
    assert line.reached == Amount(1, 1, 1)
    assert line.behind == Amount(3, 0, 0)
    assert (line.ahead, line.percent) == (2, 12)
    page = browser.get("/ke-hoach").text
    assert "1/8" in page
    assert "thiếu 3 lượt" in page
    assert (
        browser.post(f"/ke-hoach/chu-de/{topic_id}/chi-tieu", form | {"first": "30/11/2026"}).status_code
        == 422
    )
    browser.post(f"/ke-hoach/chu-de/{topic_id}/chi-tieu", form | {"broadcasts": "0", "bulletins": "0"})
    with world.db.reading(station_id=world.made.station) as session:
        assert session.scalars(select(TopicTarget)).all() == []


def test_an_airing_that_no_player_finished_counts_for_nothing(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        lines = lines_of(session, world)
        before = sum(line.reached.broadcasts for line in lines)
        session.add(
            AsRun(
                receiver_id=world.made.receiver, sequence=3, airing_id=world.made.evening,
                event=session.scalars(select(AsRun.event)).first(), at=NOW, received_at=NOW,
            )
        )  # fmt: skip
        session.flush()
        assert sum(line.reached.broadcasts for line in lines_of(session, world)) == before == 1


def test_the_motto_becomes_a_programme_frame_that_waits_for_somebody_else(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/ke-hoach")
    imported(world, browser)
    campaign = one(world, Campaign)
    refused = browser.post(f"/ke-hoach/{campaign.id}/khau-hieu")
    assert refused.status_code == 422
    with world.db.writing(station_id=world.made.station) as session:
        author = session.get_one(User, world.made.users["canbo"])
        frame = add_template(
            session, station_id=world.made.station, name="thuong", body={"call_sign": "{call_sign}"}, author=author,
            now=NOW,
        )  # fmt: skip
        approve_template(session, frame.id, actor=session.get_one(User, world.made.users["lanhdao"]), now=NOW)
    assert browser.post(f"/ke-hoach/{campaign.id}/khau-hieu").status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        newest = newest_template(session, world.made.station, "thuong")
        assert newest is not None
        assert newest.body["call_sign"] == "{call_sign} Mỗi nhà một việc số."
        assert newest.approved_by_id is None


def test_a_plans_days_and_motto_are_corrected_and_its_targets_move_along(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/ke-hoach")
    browser.post(imported(world, browser).location, CHOSEN)
    campaign = one(world, Campaign)
    form = {"title": "Tháng cao điểm", "motto": "Nhà nhà số", "first": "01/11/2026", "last": "30/11/2026"}
    assert browser.post(f"/ke-hoach/{campaign.id}", form).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        assert {row.first_day for row in session.scalars(select(TopicTarget))} == {date(2026, 11, 1)}
    wrong = browser.post(f"/ke-hoach/{campaign.id}", form | {"last": "01/10/2026", "title": "Đang gõ dở"})
    assert wrong.status_code == 422
    assert 'value="Đang gõ dở"' in wrong.text


@given(
    want=st.integers(0, 500), got=st.integers(0, 500), length=st.integers(0, 400), at=st.integers(-30, 430)
)
def test_nothing_is_behind_before_the_first_day_and_all_that_lacks_is_after_the_last(
    want: int, got: int, length: int, at: int
) -> None:
    first = date(2026, 1, 1)
    last, today = date.fromordinal(first.toordinal() + length), date.fromordinal(first.toordinal() + at)
    lacks = behind(Amount(want), Amount(got), first_day=first, last_day=last, today=today).broadcasts
    assert 0 <= lacks <= want
    if today < first:
        assert lacks == 0
    if today >= last:
        assert lacks == max(0, want - got)


@pytest.mark.parametrize("path", ["/ke-hoach", "/ke-hoach/tep/1"])
def test_an_approver_sees_plans_but_has_no_forms(world: Any, path: str) -> None:
    officer = world.browser("canbo")
    officer.get("/ke-hoach")
    imported(world, officer)
    page = world.browser("lanhdao").get(path)
    assert page.status_code == 200
    assert "Lập chủ đề và bản nháp đã chọn" not in page.text
    assert 'type="file"' not in page.text
