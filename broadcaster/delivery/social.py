"""Posting on the commune's own pages: Zalo Official Account and Facebook Page behind one interface.

Off until a token is set.  A post is tried once and never repeated by itself: a network that did not answer may
have posted all the same, and a person sees that better than a program.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.config import Settings
from broadcaster.errors import BroadcasterError, InputError, NotFound, Refused
from broadcaster.newsroom.approved import approved_revision
from broadcaster.newsroom.bulletins import bulletin_by_id
from broadcaster.newsroom.people import record, require
from broadcaster.report.narrative import CHANNELS
from broadcaster.store.queue import enqueue
from broadcaster.store.tables import Revision, SocialPost, Station, User

KIND: Final = "social"  # of the worker's job
TIMEOUT_S: Final = (5.0, 20.0)  # to connect, to answer
NAMES: Final = {name: CHANNELS[name] for name in ("zalo", "facebook")}
BY_HAND: Final = CHANNELS
_EXPIRED, _RATE = {102, 190, 463, 467}, {4, 17, 32, 341, 613}
_ZALO_EXPIRED, _ZALO_RATE = {-216, -124, -220}, {-32, -211}

log = logging.getLogger(__name__)


class SocialError(BroadcasterError):
    """The network did not take the post; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Post:
    """What is sent: words, the address of the bulletin's page and of its picture."""

    title: str
    text: str
    url: str
    image_url: str


@dataclass(frozen=True, slots=True)
class Posted:
    """What the network calls it."""

    remote_id: str
    url: str = ""


class Network(Protocol):
    """One page of the commune on one network."""

    @property
    def name(self) -> str:
        """Key of NAMES."""
        ...

    def post(self, what: Post) -> Posted:
        """Post once.  SocialError when the network refuses or does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class FacebookPage:
    """A Facebook Page through the Graph API, with a page access token."""

    base: str
    page_id: str
    token: str
    name: str = "facebook"

    def post(self, what: Post) -> Posted:
        """`POST /{page}/feed` with the link, so that Facebook shows the page's own card."""
        data = _asked(
            self.name, f"{self.base.rstrip('/')}/{self.page_id}/feed",
            data={"message": what.text, "link": what.url, "access_token": self.token}, headers={},
        )  # fmt: skip
        error = data.get("error")
        if isinstance(error, Mapping):
            _raise(self.name, _int(error.get("code")), str(error.get("message", "")), _EXPIRED, _RATE)
        remote = str(data.get("id", ""))
        if not remote:
            raise SocialError(f"{NAMES[self.name]} trả lời lạ nên chưa rõ đã đăng chưa. Hãy mở trang để xem.")
        return Posted(remote, f"https://www.facebook.com/{remote}")


@dataclass(frozen=True, slots=True)
class ZaloAccount:
    """A Zalo Official Account: a bulletin becomes an article of the account."""

    base: str
    token: str
    name: str = "zalo"

    def post(self, what: Post) -> Posted:
        """`POST /article/create`; Zalo answers 200 also when it refuses, and says so inside."""
        article = {
            "type": "normal",
            "title": what.title[:150],
            "author": "Đài truyền thanh",
            "cover": {"cover_type": "photo", "photo_url": what.image_url, "status": "show"},
            "description": what.text[:300],
            "body": [{"type": "text", "content": what.text}],
            "status": "show",
            "comment": "hide",
        }
        data = _asked(
            self.name, f"{self.base.rstrip('/')}/article/create", json=article,
            headers={"access_token": self.token},
        )  # fmt: skip
        code = _int(data.get("error"))
        if code != 0:
            _raise(self.name, code, str(data.get("message", "")), _ZALO_EXPIRED, _ZALO_RATE)
        told = data.get("data")
        remote = str(told.get("token") or told.get("id") or "") if isinstance(told, Mapping) else ""
        if not remote:
            raise SocialError(f"{NAMES[self.name]} trả lời lạ nên chưa rõ đã đăng chưa. Hãy mở trang để xem.")
        return Posted(remote)


def networks(settings: Settings) -> dict[str, Network]:
    """The networks that have a token, by name; empty = posting is off."""
    found: dict[str, Network] = {}
    if settings.text("social.zalo_token"):
        found["zalo"] = ZaloAccount(settings.text("social.zalo_url"), settings.text("social.zalo_token"))
    if settings.text("social.facebook_token") and settings.text("social.facebook_page"):
        found["facebook"] = FacebookPage(
            settings.text("social.facebook_url"), settings.text("social.facebook_page"),
            settings.text("social.facebook_token"),
        )  # fmt: skip
    return found


# ------------------------------------------------------------------------------------------ records


def ask_post(
    session: Session, bulletin_id: int, network: str, text: str, *, known: Mapping[str, Network], actor: User,
    now: datetime,
) -> SocialPost:  # fmt: skip
    """Put an approved bulletin in the worker's queue for a network; Refused when it is there or waiting already."""
    if network not in known:
        raise Refused(
            f"Chưa nối với {NAMES.get(network, 'mạng này')}.",
            remedies=("Nhờ kỹ thuật đặt mã của trang trong phần [social] của broadcaster.toml.",),
        )
    row = _row(session, bulletin_id, network, text, state="queued", by_hand=False, actor=actor, now=now)
    enqueue(
        session,
        station_id=row.station_id,
        kind=KIND,
        key=str(row.id),
        payload={"post_id": row.id},
        due_at=now,
        now=now,
    )
    return row


def note_by_hand(
    session: Session, bulletin_id: int, network: str, url: str, *, actor: User, now: datetime
) -> SocialPost:
    """Write down that a person posted it: it counts like any other."""
    if network not in BY_HAND:
        raise InputError("Hãy chọn nơi đã đăng trong danh sách.")
    address = url.strip()[:500]
    if address and not address.startswith(("https://", "http://")):
        raise InputError("Địa chỉ bài đăng phải bắt đầu bằng https://. Có thể để trống.")
    row = _row(session, bulletin_id, network, "", state="posted", by_hand=True, actor=actor, now=now)
    row.url = address
    session.flush()
    return row


def posts_of(session: Session, bulletin_id: int) -> list[SocialPost]:
    """Every posting of a bulletin, newest first."""
    return list(
        session.scalars(
            select(SocialPost).where(SocialPost.bulletin_id == bulletin_id).order_by(SocialPost.id.desc())
        )
    )


def counts(session: Session, first: datetime, last: datetime) -> dict[str, int]:
    """network -> how many posts stand between two instants (`last` not included)."""
    rows = session.execute(
        select(SocialPost.network, func.count())
        .where(SocialPost.state == "posted", SocialPost.at >= first, SocialPost.at < last)
        .group_by(SocialPost.network)
    )
    return {str(network): int(count) for network, count in rows}


def begin(session: Session, post_id: int) -> bool:
    """Mark a queued post as being sent; False when it was begun before: nobody knows how that ended."""
    row = _load(session, post_id)
    if row.state != "queued":
        return False
    row.state = "sending"
    session.flush()
    return True


def post_of(session: Session, row: SocialPost, *, base_url: str) -> Post:
    """What is sent for a row: its words, with the addresses of the bulletin's public page and card."""
    slug = session.get_one(Station, row.station_id).slug
    page = listen_url(base_url, slug, row.bulletin_id)
    return Post(session.get_one(Revision, row.revision_id).title, row.text, page, f"{page}/anh.png")


def listen_url(base_url: str, slug: str, bulletin_id: int) -> str:
    """Address of the page that anybody may open to hear an approved bulletin."""
    return f"{base_url.rstrip('/')}/nghe/{slug}/{bulletin_id}"


def post_once(network: Network | None, name: str, what: Post, *, fresh: bool) -> Posted | SocialError:
    """Post, or say why not.  Not `fresh`: an earlier try ended without an answer, so nothing is sent again."""
    if not fresh:
        return SocialError(
            f"Lần đăng trước bị dừng giữa chừng nên chưa rõ đã lên {NAMES.get(name, name)} chưa. "
            "Hãy mở trang để xem trước khi đăng lại."
        )
    if network is None:
        return SocialError(f"Chưa nối với {NAMES.get(name, name)}. Hãy nhờ kỹ thuật đặt mã của trang.")
    try:
        return network.post(what)
    except SocialError as error:
        return error


def finish(session: Session, post_id: int, outcome: Posted | SocialError, *, now: datetime) -> None:
    """Write down what the network said."""
    row = _load(session, post_id)
    row.at = now
    if isinstance(outcome, Posted):
        row.state, row.remote_id, row.url, row.error = "posted", outcome.remote_id, outcome.url, ""
    else:
        row.state, row.error = "failed", outcome.message
    session.flush()


def _row(
    session: Session,
    bulletin_id: int,
    network: str,
    text: str,
    *,
    state: str,
    by_hand: bool,
    actor: User,
    now: datetime,
) -> SocialPost:
    require(
        session, actor, "write", now=now,
        message="Tài khoản này không được đăng bài. Hãy nhờ cán bộ soạn bản tin.",
    )  # fmt: skip
    bulletin = bulletin_by_id(session, bulletin_id, to_change=True)
    revision = approved_revision(session, bulletin_id)
    if revision is None:
        raise Refused("Chỉ đăng được bản tin đã duyệt.")
    if not by_hand and not text.strip():
        raise InputError("Bài đăng chưa có chữ nào. Hãy ghi nội dung rồi đăng lại.")
    for before in posts_of(session, bulletin_id):
        if before.network == network and before.revision_id == revision.id and before.state != "failed":
            raise Refused(f"Bản tin này đã có bài ở {BY_HAND[network]}.")
    row = SocialPost(
        station_id=bulletin.station_id, bulletin_id=bulletin_id, revision_id=revision.id, network=network,
        by_hand=by_hand, text=text.strip()[:5000], state=state, at=now, actor_id=actor.id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(
        session, station_id=bulletin.station_id, actor=actor, action="đăng bài", subject=f"bản tin {bulletin_id}",
        detail={"network": network, "by_hand": by_hand}, now=now,
    )  # fmt: skip
    return row


def _load(session: Session, post_id: int) -> SocialPost:
    row = session.scalar(select(SocialPost).where(SocialPost.id == post_id).with_for_update())
    if row is None:
        raise NotFound("Không có bài đăng này.")
    return row


# ------------------------------------------------------------------------------------------- talking


def _asked(network: str, url: str, **options: Any) -> dict[str, Any]:
    """The network's answer as an object.  SocialError for silence, for a 5xx and for what is no JSON."""
    try:
        answer = requests.post(url, timeout=TIMEOUT_S, allow_redirects=False, **options)
    except requests.Timeout as error:
        raise SocialError(
            f"{NAMES[network]} không trả lời kịp nên chưa rõ đã đăng chưa. Hãy mở trang để xem trước khi đăng lại."
        ) from error
    except requests.RequestException as error:
        raise SocialError(f"Không nối được với {NAMES[network]}. Hãy kiểm tra mạng rồi đăng lại.") from error
    if answer.status_code == 429:
        raise SocialError(_too_often(network))
    if answer.status_code >= 500:
        raise SocialError(
            f"Máy chủ {NAMES[network]} đang lỗi ({answer.status_code}). Hãy đăng lại sau ít phút."
        )
    try:
        data = answer.json()
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise SocialError(f"{NAMES[network]} trả lời lạ ({answer.status_code}). Hãy báo kỹ thuật.")
    return data


def _raise(network: str, code: int, message: str, expired: set[int], rate: set[int]) -> None:
    log.warning("%s refused a post: %s %s", network, code, message)
    if code in expired:
        raise SocialError(
            f"Mã của {NAMES[network]} đã hết hạn hoặc bị thu hồi. Hãy nhờ kỹ thuật lấy mã mới rồi đăng lại."
        )
    if code in rate:
        raise SocialError(_too_often(network))
    raise SocialError(f"{NAMES[network]} từ chối bài đăng (mã {code}: {message[:120]}). Hãy báo kỹ thuật.")


def _too_often(network: str) -> str:
    return f"{NAMES[network]} báo đăng quá nhiều trong thời gian ngắn. Hãy chờ một giờ rồi đăng lại."


def _int(value: Any) -> int:
    return value if isinstance(value, int) else -1
