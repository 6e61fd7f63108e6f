"""An emergency: two persons or one, heard before it sounds, repeated until its end, cancelled, reviewed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.manifest import build_manifest
from broadcaster.errors import Conflict, InputError, Refused
from broadcaster.model import (
    AiringOrigin,
    AiringState,
    BulletinState,
    Priority,
    RenditionKind,
    Role,
)
from broadcaster.newsroom.bulletins import withdraw
from broadcaster.newsroom.people import add_user
from broadcaster.schedule.airings import mark_started
from broadcaster.schedule.closing import due_for_render
from broadcaster.schedule.emergency.accepting import (
    accept,
    cancel_emergency,
    end_withdrawn,
    refuse_emergency,
    review,
    starts,
)
from broadcaster.schedule.emergency.asking import (
    EmergencyForm,
    MessageBlocked,
    compose_message,
    request_emergency,
)
from broadcaster.schedule.emergency.message import (
    air_sha256,
    message_programme,
    prepare_messages,
    recorded_messages,
)
from broadcaster.schedule.emergency.pins import WrongPin, check_pin, count_wrong, set_pin
from broadcaster.schedule.emergency.stopping import stop_all
from broadcaster.schedule.plan import airing_of, plan_between
from broadcaster.store.db import Database
from broadcaster.store.keys import load_keys
from broadcaster.store.tables import Airing, Audit, Emergency, Receiver, Station, User, Village
from tests.support.commune import bulletin, found, sha
from tests.support.emergencies import NOW, ready, render

PIN = "729416"


def airings(session: Session) -> list[Airing]:
    return list(session.scalars(select(Airing).order_by(Airing.planned_at)))


def test_nothing_sounds_before_a_second_person_has_accepted_it(db: Database) -> None:
    commune, number, heard = ready(db)
    with db.reading() as session:
        assert airings(session) == []
    with (
        db.writing() as session,
        pytest.raises(Refused, match="người yêu cầu không tự cho phát|không được cho phát"),
    ):
        accept(session, number, actor=commune.author, heard_sha256=heard, now=NOW)
    later = NOW + timedelta(seconds=20)
    with db.writing() as session:
        before = session.get_one(Station, commune.station.id).plan_version
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=later)
    with db.reading() as session:
        (line,) = plan_between(session, NOW, NOW + timedelta(hours=3))
        assert (line.planned_at, line.priority, line.origin) == (
            later,
            Priority.EMERGENCY,
            AiringOrigin.EMERGENCY,
        )
        assert line.files[RenditionKind.AIR].sha256 == heard
        assert line.villages == ("thon-1", "thon-2", "thon-3")
        assert line.grace_s == 7180  # until its end: a player that comes late still says it
        assert [item.approved for item in line.items] == [True]
        assert session.get_one(Station, commune.station.id).plan_version > before


def test_an_administrator_who_asked_cannot_accept_his_own(db: Database) -> None:
    commune, _, heard = ready(db)
    with db.writing() as session:
        boss = add_user(
            session, station_id=commune.station.id, username="quantri", display_name="Q", role=Role.ADMINISTRATOR,
            password="mot cau dai de nho", now=NOW,
        )  # fmt: skip
        row = session.scalars(select(Emergency)).one()
        wish = request_emergency(
            session, commune.station, row.revision, EmergencyForm(reason="Lũ", expires_at=NOW + timedelta(hours=1)),
            persons=2, actor=boss, now=NOW,
        )  # fmt: skip
        with pytest.raises(Refused, match="không tự cho phát"):
            accept(session, wish.id, actor=boss, heard_sha256=heard, now=NOW)


def test_what_was_heard_is_what_is_accepted_and_only_once(db: Database) -> None:
    commune, number, heard = ready(db)
    with db.writing() as session, pytest.raises(Conflict, match="Âm thanh đã đổi"):
        accept(session, number, actor=commune.approver, heard_sha256=sha("khác"), now=NOW)
    with db.writing() as session:
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
    with db.writing() as session, pytest.raises(Conflict, match="đã được cho phát"):
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
    with db.reading() as session:
        assert len(airings(session)) == 1


def test_without_its_sound_nothing_can_be_accepted(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        row = bulletin(session, commune, "Bão", priority=Priority.EMERGENCY, state=BulletinState.SUBMITTED)
        wish = request_emergency(
            session, commune.station, row.revisions[-1],
            EmergencyForm(reason="Bão", expires_at=NOW + timedelta(hours=1)), persons=2, actor=commune.author, now=NOW,
        )  # fmt: skip
        with pytest.raises(Refused, match="chưa thu xong"):
            accept(session, wish.id, actor=commune.approver, heard_sha256="", now=NOW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": " "}, "lý do"),
        ({"expires_at": NOW}, "Hạn phát"),
        ({"expires_at": NOW + timedelta(days=4)}, "Hạn phát"),
        ({"repeat_min": 7}, "Khoảng phát lại"),
        ({"repeat_min": 5, "expires_at": NOW + timedelta(hours=20)}, "hơn 100 lần"),
        ({"village_ids": (999,)}, "thôn"),
    ],
)
def test_reason_end_repeat_and_villages_are_checked_when_asking(
    db: Database, change: dict[str, object], said: str
) -> None:
    values = {"reason": "Lũ", "expires_at": NOW + timedelta(hours=1), **change}
    with db.writing() as session:
        commune = found(session)
        row = bulletin(session, commune, "Bão", priority=Priority.EMERGENCY)
        with pytest.raises((InputError, Refused), match=said):
            request_emergency(
                session, commune.station, row.revisions[-1], EmergencyForm(**values), persons=2,  # type: ignore[arg-type]
                actor=commune.author, now=NOW,
            )  # fmt: skip


def test_repeats_are_all_written_at_once_and_cancelling_takes_off_what_sounds_and_what_is_to_come(
    db: Database,
) -> None:
    commune, number, heard = ready(db, repeat_min=30)
    with db.writing() as session:
        made = accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
        assert [one.planned_at for one in made] == [NOW + timedelta(minutes=30 * n) for n in range(4)]
        assert [one.grace_s for one in made] == [1800] * 4
    with db.writing() as session:
        mark_started(session, session.get_one(Station, commune.station.id), now=NOW + timedelta(seconds=2))
    with db.writing() as session:
        then = NOW + timedelta(seconds=20)
        assert cancel_emergency(session, number, reason="Nước đã rút", actor=commune.author, now=then) == 4
    with db.reading() as session:
        rows = airings(session)
        assert [one.state for one in rows] == [AiringState.STARTED, *[AiringState.CANCELLED] * 3]
        (line,) = plan_between(session, NOW, NOW + timedelta(hours=3))
        assert (line.stopped_at, line.reason, dict(line.files)) == (then, "Nước đã rút", {})
    with db.writing() as session, pytest.raises(Conflict):
        cancel_emergency(session, number, reason="lần nữa", actor=commune.author, now=NOW)


def test_a_player_is_told_to_skip_what_was_stopped(db: Database, tmp_path: object) -> None:
    commune, number, heard = ready(db)
    with db.writing() as session:
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
        session.add(Receiver(station_id=commune.station.id, name="Loa", created_at=NOW))
    with db.writing() as session:
        stopped = stop_all(
            session, session.get_one(Station, commune.station.id), reason="Phát nhầm", actor=commune.author,
            now=NOW + timedelta(seconds=5),
        )  # fmt: skip
        assert len(stopped) == 1
    with db.reading() as session:
        signed = build_manifest(
            session, session.scalars(select(Receiver)).one(), keys=load_keys(tmp_path / "k"),  # type: ignore[operator]
            hours_ahead=1, now=NOW + timedelta(seconds=6),
        )  # fmt: skip
        import json

        (line,) = json.loads(signed.body)["airings"]
        assert (line["state"], line["reason"], line["file"]) == ("skipped", "Phát nhầm", None)
        assert session.scalars(select(Emergency)).one().state == "cancelled"
        assert session.scalars(select(Audit.action).order_by(Audit.id.desc())).first() == "dừng ngay tất cả"


def test_stopping_needs_a_reason_and_leaves_what_is_to_come(db: Database) -> None:
    commune, number, heard = ready(db)
    with db.writing() as session:
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
        station = session.get_one(Station, commune.station.id)
        with pytest.raises(InputError, match="lý do"):
            stop_all(session, station, reason=" ", actor=commune.author, now=NOW)
    with db.reading() as session:
        assert airings(session)[0].stopped_at is None


def test_a_drill_reaches_every_player_but_takes_the_air_from_nobody(db: Database) -> None:
    commune, number, heard = ready(db, drill=True)
    with db.writing() as session:
        (made,) = accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
        line = airing_of(session, made.id)
    assert (line.origin, line.priority, line.volume_percent, line.start_mode.value) == (
        AiringOrigin.DRILL,
        Priority.ROUTINE,
        0,
        "wait",
    )


def test_only_the_chosen_villages_hear_it(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        row = bulletin(session, commune, "Lũ", priority=Priority.EMERGENCY)
        second = commune.villages[1].id
        wish = request_emergency(
            session, commune.station, row.revisions[-1],
            EmergencyForm(reason="Lũ", expires_at=NOW + timedelta(hours=1), village_ids=(second,)), persons=2,
            actor=commune.author, now=NOW,
        )  # fmt: skip
        key, number = wish.programme_key, wish.id
    render(db)
    with db.writing() as session:
        heard = air_sha256(message_programme(session, commune.station.id, key))
        (made,) = accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
        assert airing_of(session, made.id).villages == ("thon-2",)


def test_one_person_needs_a_pin_and_a_recorded_message_and_is_reviewed_afterwards(db: Database) -> None:
    commune, number, heard = ready(db, persons=1)
    author = commune.author
    with db.writing() as session, pytest.raises(Refused, match="chưa có mã PIN"):
        accept(session, number, actor=session.get_one(User, author.id), heard_sha256=heard, now=NOW)
    with db.writing() as session:
        set_pin(session, session.get_one(User, author.id), PIN, now=NOW)
    with db.writing() as session, pytest.raises(WrongPin):
        accept(
            session, number, actor=session.get_one(User, author.id), heard_sha256=heard, pin="111222", now=NOW
        )
    with db.writing() as session:
        accept(session, number, actor=session.get_one(User, author.id), heard_sha256=heard, pin=PIN, now=NOW)
    with db.writing() as session, pytest.raises(Refused):
        review(session, number, note="ổn", actor=session.get_one(User, author.id), now=NOW)
    with db.writing() as session:
        review(session, number, note="Đúng quy định.", actor=commune.approver, now=NOW)
    with db.reading() as session:
        row = session.get_one(Emergency, number)
        assert (row.reviewed_by_id, row.review_note) == (commune.approver.id, "Đúng quy định.")


def test_one_person_cannot_put_a_text_on_the_air_that_nobody_has_approved(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        row = bulletin(session, commune, "Lũ", priority=Priority.EMERGENCY, state=BulletinState.SUBMITTED)
        set_pin(session, commune.author, PIN, now=NOW)
        wish = request_emergency(
            session, commune.station, row.revisions[-1], EmergencyForm(reason="Lũ", expires_at=NOW + timedelta(hours=1)),
            persons=1, actor=commune.author, now=NOW,
        )  # fmt: skip
        number = wish.id
    render(db)
    with db.writing() as session, pytest.raises(Refused, match="đã duyệt từ trước"):
        accept(session, number, actor=commune.author, heard_sha256="", pin=PIN, now=NOW)


def test_five_wrong_pins_lock_it_for_a_quarter_of_an_hour(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        set_pin(session, commune.author, PIN, now=NOW)
        for _ in range(5):
            count_wrong(session, commune.author, now=NOW)
        with pytest.raises(Refused, match="bị khóa"):
            check_pin(session, commune.author, PIN, now=NOW + timedelta(minutes=14))
        check_pin(session, commune.author, PIN, now=NOW + timedelta(minutes=16))


@pytest.mark.parametrize("pin", ["12345", "111111", "123456", "654321", "12345a", "１２３４５６"])
def test_a_pin_that_anybody_guesses_is_not_taken(db: Database, pin: str) -> None:
    with db.writing() as session:
        commune = found(session)
        with pytest.raises(InputError):
            set_pin(session, commune.author, pin, now=NOW)


def test_a_refusal_has_a_reason_and_nothing_airs(db: Database) -> None:
    commune, number, heard = ready(db)
    with db.writing() as session, pytest.raises(InputError, match="lý do"):
        refuse_emergency(session, number, reason="", actor=commune.approver, now=NOW)
    with db.writing() as session:
        refuse_emergency(session, number, reason="Tin chưa xác minh", actor=commune.approver, now=NOW)
    with db.writing() as session, pytest.raises(Conflict, match="bị từ chối"):
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)


def test_a_wish_that_is_too_old_is_not_accepted(db: Database) -> None:
    commune, number, heard = ready(db)
    with db.writing() as session, pytest.raises(Refused, match="hết hạn"):
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW + timedelta(hours=2))


def test_withdrawing_the_message_ends_the_emergency_at_the_next_tick(db: Database) -> None:
    commune, number, heard = ready(db, repeat_min=30)
    with db.writing() as session:
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
        row = session.get_one(Emergency, number)
        withdraw(session, row.revision.bulletin_id, actor=commune.author, reason="Sai", now=NOW)
        station = session.get_one(Station, commune.station.id)
        assert end_withdrawn(session, station, now=NOW + timedelta(seconds=3)) == 1
        assert end_withdrawn(session, station, now=NOW + timedelta(seconds=8)) == 0
    with db.reading() as session:
        assert {one.state for one in airings(session)[1:]} == {AiringState.CANCELLED}


def test_the_sound_of_recorded_messages_is_made_ahead_and_only_once(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        bulletin(session, commune, "Cháy rừng", priority=Priority.EMERGENCY)
        bulletin(session, commune, "Tin thường")
        bulletin(session, commune, "Chưa duyệt", priority=Priority.EMERGENCY, state=BulletinState.SUBMITTED)
        assert [one.title for one in recorded_messages(session, commune.station)] == ["Cháy rừng"]
        assert prepare_messages(session, commune.station, now=NOW) == 1
        assert prepare_messages(session, commune.station, now=NOW) == 0
    assert render(db) == 1
    with db.writing() as session:
        assert prepare_messages(session, session.get_one(Station, commune.station.id), now=NOW) == 0


def test_a_message_with_an_open_reading_is_not_sent_and_says_which_places(db: Database) -> None:
    with db.writing() as session:
        commune = found(session)
        with pytest.raises(MessageBlocked) as caught:
            compose_message(
                session, commune.station, title="Báo động", text="Đội XQZW đến ngay nhà văn hóa.", answers={},
                read_twice=True, actor=commune.author, now=NOW,
            )  # fmt: skip
        key = caught.value.warnings[0].key
        revision = compose_message(
            session, commune.station, title="Báo động", text="Đội XQZW đến ngay nhà văn hóa.",
            answers={key: "xung kích"}, read_twice=True, actor=commune.author, now=NOW,
        )  # fmt: skip
        assert (revision.priority, revision.read_twice) == (Priority.EMERGENCY, True)


def test_the_renderer_of_ordinary_programmes_leaves_emergencies_alone(db: Database) -> None:
    commune, number, heard = ready(db, repeat_min=30)
    with db.writing() as session:
        accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
        station = session.get_one(Station, commune.station.id)
        assert due_for_render(session, station, until=NOW + timedelta(days=1)) == []


def test_a_village_that_is_gone_is_not_reached(db: Database) -> None:
    commune, number, heard = ready(db)
    with db.writing() as session:
        session.get_one(Village, commune.villages[0].id).valid_to = NOW.date() - timedelta(days=1)
        session.flush()
        (made,) = accept(session, number, actor=commune.approver, heard_sha256=heard, now=NOW)
        assert airing_of(session, made.id).villages == ("thon-2", "thon-3")


@given(minutes=st.integers(5, 72 * 60), repeat=st.sampled_from([0, 5, 10, 15, 30, 60, 120]))
def test_every_start_lies_before_the_end_and_none_is_worth_hearing_after_it(
    minutes: int, repeat: int
) -> None:
    first: datetime = NOW
    end = first + timedelta(minutes=minutes)
    found_starts = starts(first, end, repeat_min=repeat)
    assert found_starts[0][0] == first
    assert all(at < end and at + worth <= end for at, worth in found_starts)
    assert found_starts[-1][0] + found_starts[-1][1] == end
    if repeat:
        assert len(found_starts) == -(-minutes // repeat)
