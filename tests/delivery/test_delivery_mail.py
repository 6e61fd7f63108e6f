"""Letters through a real mail server on this machine."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from broadcaster.config import Settings, load
from broadcaster.delivery.mail import Letter, MailError, run_post, send, send_due
from broadcaster.errors import ConfigError
from broadcaster.model import NoticeKind, Role
from broadcaster.newsroom.notices import tell
from broadcaster.store.db import Database
from broadcaster.store.tables import Notice, Station, User
from tests.support.databases import KINDS, upgraded

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@dataclass
class Box:
    """A mail server that keeps what it gets; addresses at `khong.vn` are refused."""

    port: int = 0
    got: list[Any] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, _o: Any) -> str:  # noqa: N802
        if to.endswith("@khong.vn"):
            return "550 khong co hop thu nay"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.got.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.arrived.set()
        return "250 OK"


def _password(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
) -> AuthResult:
    return AuthResult(handled=False, success=(data.login, data.password) == (b"loa@xa.vn", b"mat khau thu"))


@pytest.fixture
def box() -> Iterator[Box]:
    kept = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        kept.port = free.getsockname()[1]
    server = Controller(
        kept,
        hostname="127.0.0.1",
        port=kept.port,
        authenticator=_password,
        auth_require_tls=False,
        auth_required=False,
    )
    server.start()
    yield kept
    server.stop()


def settings(home: Path, port: int, **more: Any) -> Settings:
    flags = {
        "mail.host": "127.0.0.1", "mail.port": port, "mail.security": "none", "mail.sender": "loa@xa.vn",
        "web.public_url": "https://loa.example.vn/", **more,
    }  # fmt: skip
    return load(environ={}, home=home, flags=flags)


@pytest.fixture(params=KINDS)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with upgraded(request.param, tmp_path) as database:
        with database.writing() as session:
            station = Station(slug="nha", name="Xã Như Thanh", call_sign="Đây là đài.", created_at=NOW)
            session.add(station)
            session.flush()
            people = [
                User(
                    station_id=station.id, username=name, display_name=name, password_hash="-", role=Role.APPROVER,
                    email=address, created_at=NOW,
                )
                for name, address in (("minh", "minh@xa.vn"), ("lan", ""))
            ]  # fmt: skip
            session.add_all(people)
            session.flush()
            tell(
                session, people, kind=NoticeKind.WAITING, text="Hoa gửi duyệt “Tiêm phòng”.", about="revision:3",
                now=NOW,
            )  # fmt: skip
        yield database


def the_letter(db: Database) -> Notice:
    with db.reading() as session:
        return (
            session.query(Notice).filter(Notice.mail_due_at.is_not(None) | (Notice.mail_attempts > 0)).one()
        )


def test_a_letter_arrives_once_with_words_and_address(db: Database, box: Box, tmp_path: Path) -> None:
    chosen = settings(tmp_path, box.port)
    assert send_due(db, chosen, now=NOW) == (1, 0)
    assert send_due(db, chosen, now=NOW + timedelta(hours=1)) == (0, 0)
    (letter,) = box.got
    assert letter["To"] == "minh@xa.vn"
    assert letter["Subject"] == "[Xã Như Thanh] Có bản tin chờ duyệt"
    assert "Xã Như Thanh" in letter["From"]
    assert "loa@xa.vn" in letter["From"]
    body = letter.get_content()
    assert "Hoa gửi duyệt “Tiêm phòng”." in body
    assert "https://loa.example.vn/duyet/3" in body
    assert the_letter(db).mailed_at == NOW


def test_a_server_that_is_away_gets_the_letter_when_it_is_back(
    db: Database, box: Box, tmp_path: Path
) -> None:
    away = settings(tmp_path, 9)  # nothing listens on the discard port here
    assert send_due(db, away, now=NOW) == (0, 1)
    assert "127.0.0.1:9" in the_letter(db).mail_error
    assert send_due(db, settings(tmp_path, box.port), now=NOW + timedelta(minutes=2)) == (1, 0)
    assert the_letter(db).mail_error == ""
    assert len(box.got) == 1


def test_without_a_server_nothing_is_tried_and_nothing_is_lost(db: Database, tmp_path: Path) -> None:
    assert send_due(db, load(environ={}, home=tmp_path), now=NOW) == (0, 0)
    assert the_letter(db).mail_due_at == NOW


def test_a_refused_address_a_wrong_password_and_a_wrong_setting_are_sentences(
    box: Box, tmp_path: Path
) -> None:
    letter = Letter("ai@khong.vn", "Thử", "Thử.")
    with pytest.raises(MailError, match=r"không nhận địa chỉ ai@khong\.vn"):
        send(settings(tmp_path, box.port), letter, sender_name="Đài")
    wrong = settings(tmp_path, box.port, **{"mail.user": "loa@xa.vn", "mail.password": "sai"})
    with pytest.raises(MailError, match="không nhận tên và mật khẩu"):
        send(wrong, Letter("a@xa.vn", "Thử", "Thử."), sender_name="Đài")
    marks = settings(tmp_path, box.port, **{"mail.user": "loa@xa.vn", "mail.password": "mật khẩu"})
    with pytest.raises(MailError, match="không dấu"):
        send(marks, Letter("a@xa.vn", "Thử", "Thử."), sender_name="Đài")
    with pytest.raises(ConfigError, match="starttls"):
        send(settings(tmp_path, box.port, **{"mail.security": "co"}), letter, sender_name="Đài")
    with pytest.raises(
        MailError, match="Chưa gửi được thư"
    ):  # this server cannot encrypt: nothing is sent in clear
        send(settings(tmp_path, box.port, **{"mail.security": "starttls"}), letter, sender_name="Đài")
    assert box.got == []


def test_the_right_name_and_password_are_used(box: Box, tmp_path: Path) -> None:
    right = settings(tmp_path, box.port, **{"mail.user": "loa@xa.vn", "mail.password": "mat khau thu"})
    send(right, Letter("a@xa.vn", "Tiếng Việt có dấu", "Thân thư."), sender_name="Đài xã")
    assert box.got[0]["Subject"] == "Tiếng Việt có dấu"


def test_a_line_break_in_a_name_cannot_add_a_header(box: Box, tmp_path: Path) -> None:
    send(
        settings(tmp_path, box.port),
        Letter("a@xa.vn", "Thử\nBcc: b@xa.vn", "Thử."),
        sender_name="Đài\r\nBcc: b",
    )
    assert box.got[0]["Bcc"] is None
    assert box.got[0]["Subject"] == "Thử Bcc: b@xa.vn"


def test_the_post_goes_on_after_a_round_that_failed(
    box: Box, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with upgraded("sqlite", tmp_path) as database:
        with database.writing() as session:
            station = Station(slug="nha", name="Xã", call_sign="Đài.", created_at=NOW)
            session.add(station)
            session.flush()
            person = User(
                station_id=station.id, username="minh", display_name="Minh", password_hash="-", role=Role.APPROVER,
                email="minh@xa.vn", created_at=NOW,
            )  # fmt: skip
            session.add(person)
            session.flush()
            tell(session, [person], kind=NoticeKind.APPROVED, text="Đã duyệt.", now=NOW)
        rounds = iter([ConfigError("tệp cài đặt đang sửa dở"), settings(tmp_path, box.port)])

        def current() -> Settings:
            found = next(rounds, None) or settings(tmp_path, box.port)
            if isinstance(found, ConfigError):
                raise found
            return found

        stop = threading.Event()
        post = threading.Thread(
            target=run_post, args=(database, current), kwargs={"stop": stop, "now": lambda: NOW, "every_s": 0.01}
        )  # fmt: skip
        post.start()
        assert box.arrived.wait(20)
        stop.set()
        post.join()
    assert "Chưa gửi được thư ở lượt này" in caplog.text
