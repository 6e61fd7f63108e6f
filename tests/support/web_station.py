"""A station as the web meets it after some days of work: real rows, made through the rooms' own doors.

Tuesday 24/11/2026, 08:00 at the station: the 05:30 has been on the air, the 17:00 is to come.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import soundfile
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.receipts import record_receipt
from broadcaster.model import (
    AsRunEvent,
    ReceiptKind,
    RenditionKind,
    Role,
    Take,
)
from broadcaster.newsroom.bulletins import approve, create_bulletin, freeze_take, return_bulletin, submit
from broadcaster.newsroom.contributions import join_unit
from broadcaster.newsroom.people import add_user
from broadcaster.schedule.airings import close_content, mark_started, materialise, place
from broadcaster.schedule.checking import SlotForm
from broadcaster.schedule.emergency.accepting import refuse_emergency
from broadcaster.schedule.emergency.asking import EmergencyForm, request_emergency
from broadcaster.schedule.live import load_airing
from broadcaster.schedule.rules import add_slot
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import (
    Airing,
    AsRun,
    Bulletin,
    Contributor,
    Jingle,
    ProgrammeRow,
    Receiver,
    Rendition,
    Revision,
    Station,
    Topic,
    User,
    Variant,
    Village,
)

TODAY = date(2026, 11, 24)
PASSWORD = "mot cau dai de nho"
PEOPLE = (
    ("canbo", "Lê Thị Hoa", Role.AUTHOR),
    ("lanhdao", "Nguyễn Văn Minh", Role.APPROVER),
    ("kythuat", "Trần Văn Khoa", Role.TECHNICIAN),
    ("quantri", "Phạm Thu Hà", Role.ADMINISTRATOR),
    ("tramyte", "Vũ Thị Lan", Role.CONTRIBUTOR),
)
VILLAGES = ("Đồng Lớn", "Đồng Hơn", "Xuân Phong", "Tổ dân phố 1", "Bến Sung")
GOOD = (
    "Kính thưa bà con. Theo kế hoạch số 39/KH-UBND ngày 29/01/2026 của UBND xã, sáng thứ Bảy tuần này các thôn "
    "tổ chức lớp học kỹ năng số.\n\nLớp học mở từ 8 giờ đến 10 giờ tại nhà văn hóa thôn. "
    "Bà con cần hỏi thêm xin gọi số 0912 345 678."
)
SHORT = "Kính thưa bà con. Mùa hanh khô đã đến, đề nghị bà con không đốt nương, không đem lửa vào rừng."
OPEN_TEXT = "Kính thưa bà con. Tổ CNSCD thôn sẽ đến từng hộ hướng dẫn cài đặt. Công văn số:   /KH-UBND đã gửi các thôn."


def at(text: str, day: date = TODAY) -> datetime:
    """'05:30' at the station, as a UTC instant."""
    return (datetime.combine(day, time.fromisoformat(text)) - timedelta(hours=7)).replace(tzinfo=UTC)


NOW = at("08:00")


@dataclass
class WebStation:
    """Ids of what a test wants to name."""

    station: int
    other_station: int = 0
    other_bulletin: int = 0
    other_revision: int = 0
    users: dict[str, int] = field(default_factory=dict)
    villages: list[int] = field(default_factory=list)
    approved: int = 0
    waiting: int = 0
    waiting_revision: int = 0
    draft: int = 0
    returned: int = 0
    morning: str = ""  # today's 05:30
    evening: str = ""  # today's 17:00
    tomorrow: str = ""  # tomorrow's 05:30, empty
    receiver: int = 0
    jingle: int = 0
    unit: int = 0
    emergency: int = 0  # one that was refused this morning
    sound: str = ""


def flac(seconds: float = 0.4) -> bytes:
    """A short tone, so that a browser has something to play."""
    samples = 0.2 * np.sin(np.linspace(0, 440 * 2 * np.pi * seconds, int(44_100 * seconds)))
    file = io.BytesIO()
    soundfile.write(file, samples.astype(np.float32), 44_100, format="FLAC")
    return file.getvalue()


def build(db: Database, blobs: Blobs) -> WebStation:
    """Make the station; every step is the door that people use."""
    with db.writing() as session:
        made = _found(session, "nhu-thanh", "Xã Đồng Lớn")
        other = _found(session, "xa-khac", "Xã Khác", suffix="2")
        made.other_station = other.station
        author = session.get_one(User, other.users["canbo2"])
        theirs = create_bulletin(
            session, station_id=other.station, author=author, title="Tin của xã khác", text=SHORT, now=NOW
        )
        made.other_bulletin = theirs.id
        made.other_revision = submit(session, theirs.id, version=theirs.version, actor=author, now=NOW).id
    made.sound = blobs.put(flac(), suffix="flac")
    with db.writing(station_id=made.station) as session:
        _write(session, made)
    with db.writing(station_id=made.station) as session:
        _schedule(session, made)
    with db.writing(station_id=made.station) as session:
        _broadcast(session, made)
    return made


def _found(session: Session, slug: str, name: str, suffix: str = "") -> WebStation:
    early = at("00:00", date(2026, 11, 2))
    station = Station(
        slug=slug, name=name, call_sign=f"Đây là Đài truyền thanh {name}.", phone="0237 3 848 123",
        policy={}, created_at=early,
    )  # fmt: skip
    session.add(station)
    session.flush()
    made = WebStation(station.id)
    for username, display_name, role in PEOPLE:
        user = add_user(
            session, station_id=station.id, username=username + suffix, display_name=display_name, role=role,
            password=PASSWORD, now=early,
        )  # fmt: skip
        made.users[user.username] = user.id
        if role is Role.CONTRIBUTOR:
            unit = Contributor(station_id=station.id, name="Trạm Y tế Bến Sung", created_at=early)
            session.add(unit)
            session.flush()
            made.unit = unit.id
            join_unit(session, user, unit.id)
    for position, village_name in enumerate(VILLAGES):
        village = Village(
            station_id=station.id, slug=f"thon-{position + 1}", name=village_name, position=position,
            operator_name="Ông Bình" if position == 0 else "", operator_phone="0912 000 111" if position == 0 else "",
        )  # fmt: skip
        session.add(village)
        session.flush()
        made.villages.append(village.id)
    session.add_all(
        Topic(station_id=station.id, slug=slug, title=title, position=position)
        for position, (slug, title) in enumerate((("chuyen-doi-so", "Chuyển đổi số"), ("an-toan", "An toàn")))
    )
    session.flush()
    return made


def _write(session: Session, made: WebStation) -> None:
    author = session.get_one(User, made.users["canbo"])
    approver = session.get_one(User, made.users["lanhdao"])
    topic = session.scalar(select(Topic.id).order_by(Topic.id))
    then = at("09:00", TODAY - timedelta(days=1))

    def bulletin(title: str, text: str) -> Bulletin:
        return create_bulletin(
            session, station_id=made.station, author=author, title=title, text=text, topic_id=topic, now=then
        )

    good = bulletin("Bình dân học vụ số", GOOD)
    sent = sent_with_take(session, made, good, author, then)
    approve(
        session, sent.id, actor=approver, text_sha256=sent.text_sha256, reading_sha256=sent.reading_sha256,
        take_sha256=made.sound, now=then,
    )  # fmt: skip
    made.approved = good.id
    fire = bulletin("Phòng cháy rừng mùa hanh khô", SHORT)
    made.waiting, made.waiting_revision = fire.id, sent_with_take(session, made, fire, author, then).id
    made.draft = bulletin("Tổ công nghệ số đến từng nhà", OPEN_TEXT).id
    wrong = bulletin("Lịch tiêm phòng", SHORT)
    sent = sent_with_take(session, made, wrong, author, then)
    return_bulletin(session, sent.id, actor=approver, reason="Sai số liệu. Xem lại ngày tiêm.", now=then)
    made.returned = wrong.id


def sent_with_take(
    session: Session, made: WebStation, bulletin: Bulletin, author: User, now: datetime
) -> Revision:
    """Submit a draft and give it its take, as the worker does."""
    revision = submit(session, bulletin.id, version=bulletin.version, actor=author, now=now)
    freeze_take(
        session, revision.id, Take(made.sound, "silent", 1.0, 62_000, ()), voice_label="giọng nữ 1", now=now
    )
    session.refresh(revision)
    return revision


def _schedule(session: Session, made: WebStation) -> None:
    author = session.get_one(User, made.users["canbo"])
    station = session.get_one(Station, made.station)
    then = at("10:00", TODAY - timedelta(days=1))
    for name, start in (("Buổi sáng", time(5, 30)), ("Buổi chiều", time(17, 0))):
        form = SlotForm(
            name=name, weekdays="mon,tue,wed,thu,fri,sat", start_local=start, valid_from=date(2026, 11, 2), max_minutes=15
        )  # fmt: skip
        add_slot(session, station, form, actor=author, now=then)

    materialise(session, station, today=TODAY - timedelta(days=1), now=then, days=14)

    def airing(day: date, start: time) -> str:
        return session.scalars(
            select(Airing.id).where(Airing.local_date == day, Airing.start_local == start)
        ).one()

    made.morning, made.evening = airing(TODAY, time(5, 30)), airing(TODAY, time(17, 0))
    made.tomorrow = airing(TODAY + timedelta(days=1), time(5, 30))
    place(session, made.morning, made.approved, actor=author, now=then)
    place(session, made.evening, made.approved, actor=author, now=then)
    place(session, made.evening, made.waiting, actor=author, now=then)
    for airing_id in (made.morning, made.evening):
        give_programme(session, made, airing_id)


def give_programme(session: Session, made: WebStation, airing_id: str) -> ProgrammeRow:
    """A finished programme, as the worker leaves it."""
    key = hashlib.sha256(airing_id.encode()).hexdigest()
    programme = ProgrammeRow(
        station_id=made.station, input_key=key, title="Chương trình", duration_ms=312_000, loudness_lufs=-16.1,
        true_peak_dbtp=-2.4, items=[["Bình dân học vụ số", 9000, 62_000]], made_at=at("11:00", TODAY - timedelta(days=1)),
        waveform_svg='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 56" preserveAspectRatio="none" '
        'role="img" aria-label="Dạng sóng"><path d="M0 28h240" stroke="currentColor"/></svg>',
    )  # fmt: skip
    session.add(programme)
    session.flush()
    for kind, size in ((RenditionKind.AIR, 2_496_000), (RenditionKind.LIGHT, 1_248_000)):
        sha256 = hashlib.sha256(f"{airing_id}{kind}".encode()).hexdigest()
        session.add(Rendition(programme_id=programme.id, kind=kind, sha256=sha256, size_bytes=size))
    session.flush()
    variant = session.scalars(select(Variant).where(Variant.airing_id == airing_id)).one()
    variant.programme_id, variant.wanted_key = programme.id, key
    session.flush()
    return programme


def _broadcast(session: Session, made: WebStation) -> None:
    station = session.get_one(Station, made.station)
    close_content(session, load_airing(session, made.morning), now=at("05:00"))
    mark_started(session, station, now=at("05:30"))
    receiver = Receiver(
        station_id=made.station, name="Loa trụ sở xã", token_hash="a" * 64, last_seen_at=at("07:59"),
        created_at=at("10:00", TODAY - timedelta(days=10)), heartbeat={"version": 7},
    )  # fmt: skip
    session.add(receiver)
    session.flush()
    made.receiver = receiver.id
    for sequence, (event, when) in enumerate(
        (
            (AsRunEvent.STARTED, at("05:30")),
            (AsRunEvent.FINISHED, at("05:30") + timedelta(minutes=5, seconds=12)),
        ),
        1,
    ):
        session.add(
            AsRun(
                receiver_id=receiver.id,
                sequence=sequence,
                airing_id=made.morning,
                event=event,
                at=when,
                received_at=when,
            )  # fmt: skip
        )
    villages = session.scalars(select(Village).order_by(Village.position)).all()
    for village in villages[:2]:
        record_receipt(session, village, made.morning, ReceiptKind.PLAYED, now=at("05:40"))
    record_receipt(session, villages[2], made.morning, ReceiptKind.FAILED, reason="Mất điện", now=at("05:45"))
    jingle = Jingle(
        station_id=made.station, kind="opening", title="Nhạc mở đầu xã", sha256=made.sound, duration_ms=4000,
        source="Xã tự thu", licence="CC0-1.0", created_at=at("09:00"),
    )  # fmt: skip
    wish = request_emergency(
        session, station, session.get_one(Revision, made.waiting_revision),
        EmergencyForm(reason="Cháy rừng", expires_at=at("20:00")), persons=2,
        actor=session.get_one(User, made.users["canbo"]), now=at("07:00"),
    )  # fmt: skip
    approver = session.get_one(User, made.users["lanhdao"])
    refuse_emergency(session, wish.id, reason="Chưa xác minh", actor=approver, now=at("07:05"))
    session.add(jingle)
    session.flush()
    made.jingle, made.emergency = jingle.id, wish.id
