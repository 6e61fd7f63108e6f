"""Notices by e-mail: a thread of the clock process sends what is due, and tries again what failed.

Letters are rows; a crash between sending and writing that down costs a repeat.  Nothing here holds a
transaction while the mail server is asked.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import formataddr, make_msgid
from typing import Final

from broadcaster.config import Settings
from broadcaster.errors import BroadcasterError, ConfigError
from broadcaster.newsroom.notices import (
    SUBJECTS,
    claim_letter,
    due_letters,
    letter_failed,
    letter_sent,
    message,
)
from broadcaster.store.db import Database
from broadcaster.store.tables import Station

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 20.0
EVERY_S: Final = 10.0
SECURITY: Final = ("starttls", "tls", "none")


class MailError(BroadcasterError):
    """A letter could not be sent; the sentence says what to look at."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, ready to send."""

    to: str
    subject: str
    body: str


def configured(settings: Settings) -> bool:
    """True when a mail server is named."""
    return bool(settings.text("mail.host"))


def send(settings: Settings, letter: Letter, *, sender_name: str) -> None:
    """Hand one letter to the mail server.  Raises MailError (ConfigError for an impossible setting)."""
    security = settings.text("mail.security")
    if security not in SECURITY:
        raise ConfigError(f"mail.security phải là {', '.join(SECURITY)}, đang là “{security}”.")
    host, port, user = settings.text("mail.host"), settings.integer("mail.port"), settings.text("mail.user")
    sender = settings.text("mail.sender") or user
    if not sender:
        raise ConfigError("Chưa có địa chỉ người gửi. Hãy đặt mail.sender hoặc mail.user.")
    post = EmailMessage()
    post["From"] = formataddr((_one_line(sender_name), sender))
    post["To"] = _one_line(letter.to)
    post["Subject"] = _one_line(letter.subject)
    post["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    post["Auto-Submitted"] = "auto-generated"
    post.set_content(letter.body)
    try:
        context = ssl.create_default_context()
        if security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        with server:
            if security == "starttls":
                server.starttls(context=context)
            if user:
                server.login(user, settings.text("mail.password"))
            server.send_message(post)
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(
            "Máy chủ thư không nhận tên và mật khẩu. Hãy kiểm tra mail.user và mail.password."
        ) from error
    except UnicodeError as error:
        raise MailError(
            "Tên hoặc mật khẩu của hộp thư có chữ có dấu, máy chủ thư không nhận. Hãy đặt mật khẩu không dấu."
        ) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise MailError(
            f"Máy chủ thư không nhận địa chỉ {letter.to}. Hãy kiểm tra địa chỉ của người này."
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(
            f"Chưa gửi được thư qua {host}:{port} ({error}). Hãy kiểm tra mạng và mail.*."
        ) from error


def send_due(db: Database, settings: Settings, *, now: datetime) -> tuple[int, int]:
    """Send what is due once; (sent, failed)."""
    if not configured(settings):
        return 0, 0
    with db.reading() as session:
        letters = due_letters(session, now=now)
        stations = {one.station_id: session.get_one(Station, one.station_id) for one in letters}
    sent = failed = 0
    for notice in letters:
        with db.writing() as session:
            if not claim_letter(session, notice, now=now):
                continue
        station = stations[notice.station_id]
        letter = Letter(
            to=notice.user.email,
            subject=f"[{station.name}] {SUBJECTS[notice.kind]}",
            body=message(notice, station_name=station.name, address=settings.text("web.public_url").rstrip("/"))
            + "\n\nThư này do máy của đài gửi. Địa chỉ nhận sửa ở trang Tài khoản của tôi.\n",
        )  # fmt: skip
        try:
            send(settings, letter, sender_name=station.name)
        except BroadcasterError as error:
            log.warning("Thư cho %s: %s", notice.user.username, error.message)
            with db.writing() as session:
                letter_failed(session, notice.id, attempts=notice.mail_attempts + 1, error=error.message)
            failed += 1
        else:
            with db.writing() as session:
                letter_sent(session, notice.id, now=now)
            sent += 1
    return sent, failed


def run_post(
    db: Database,
    settings: Callable[[], Settings],
    *,
    stop: threading.Event,
    now: Callable[[], datetime],
    every_s: float = EVERY_S,
) -> None:
    """Send what is due until `stop`; settings are read anew each time, so that a mended address works at once."""
    while not stop.wait(every_s):
        try:
            send_due(db, settings(), now=now())
        except Exception:
            # Logged and tried again: letters must never bring the clock down.
            log.exception("Chưa gửi được thư ở lượt này.")


def _one_line(text: str) -> str:
    """A header is one line: a break in a name must not begin another header."""
    return " ".join(text.split())
