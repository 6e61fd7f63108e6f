"""The interface of the players: pairing, doorbell, signed manifest, as-run, heartbeat, audio by hash.

Sign-in is a receiver's token (`Authorization: Bearer …`), so forms' protection is not for it.  The shapes
are in `docs/api/*.schema.json`.  Nothing here renders or waits.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from flask import Blueprint, Response, abort, current_app, g, jsonify, make_response, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.config import Settings
from broadcaster.delivery import asrun, manifest, receivers
from broadcaster.errors import BroadcasterError, Conflict, InputError, NotFound, StoreError
from broadcaster.schedule import timekeeping
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.keys import Keys
from broadcaster.store.tables import Receiver, Rendition, Station

BASE = "/api/v1/receivers"
AUDIO_TYPES = {"mp3": "audio/mpeg", "flac": "audio/flac"}
LARGEST_BODY = 512 * 1024
PAIRINGS, PAIRING_WINDOW_S = 10, 600.0
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Refusal(Exception):
    """An answer that ends the request: HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Attempts:
    """How often an address tried to pair lately; guessing a code must not be worth it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, deque[float]] = {}

    def allow(self, address: str, at: float) -> bool:
        """True while the address has tries left in the window that ends at `at` (epoch seconds)."""
        with self._lock:
            for known in [name for name, times in self._seen.items() if times[-1] < at - PAIRING_WINDOW_S]:
                del self._seen[known]
            times = self._seen.setdefault(address, deque(maxlen=PAIRINGS))
            if len(times) == PAIRINGS and times[0] > at - PAIRING_WINDOW_S:
                return False
            times.append(at)
            return True


def blueprint(db: Database, settings: Settings, keys: Keys, blobs: Blobs) -> Blueprint:
    """The routes under /api/v1/receivers, `/a/<sha256>.<suffix>` and `/healthz`."""
    api = Blueprint("receivers_api", __name__)
    attempts = Attempts()

    @api.errorhandler(Refusal)
    def refused(error: Refusal) -> ResponseReturnValue:
        return jsonify(message=error.message), error.status

    @api.errorhandler(BroadcasterError)
    def sentence(error: BroadcasterError) -> ResponseReturnValue:
        return jsonify(message=error.message), _status(error)

    @api.post(f"{BASE}/pair")
    def pair() -> ResponseReturnValue:
        if not attempts.allow(request.remote_addr or "", _now().timestamp()):
            raise Refusal(429, "Thử mã ghép nối quá nhiều lần. Hãy chờ 10 phút rồi thử lại.")
        code = _json_object().get("code")
        if not isinstance(code, str) or not code or len(code) > 40:
            raise InputError("Thiếu mã ghép nối.")
        with db.writing() as session:
            receiver, token = receivers.pair(session, code, now=_now())
            station = receivers.station_of(session, receiver)
            answer = {
                "receiver": receiver.id,
                "name": receiver.name,
                "station": station.slug,
                "station_name": station.name,
                "token": token,
                "public_key": keys.public_key_hex,
                "sequence": asrun.highest_contiguous(session, receiver),
            }
        return jsonify(answer)

    @api.get(f"{BASE}/me")
    def me() -> ResponseReturnValue:
        with _asking(db) as (session, receiver):
            station = receivers.station_of(session, receiver)
            return jsonify(
                receiver=receiver.id,
                name=receiver.name,
                station=station.slug,
                station_name=station.name,
                public_key=keys.public_key_hex,
                sequence=asrun.highest_contiguous(session, receiver),
            )

    @api.get(f"{BASE}/me/doorbell")
    def doorbell() -> ResponseReturnValue:
        with _asking(db) as (session, receiver):
            tag = manifest.plan_tag(session, receiver, _now())
            station = receivers.station_of(session, receiver)
            answer = jsonify(epoch=station.epoch, version=station.plan_version, tag=tag)
        return _tagged(answer, tag)

    @api.get(f"{BASE}/me/manifest")
    def signed_manifest() -> ResponseReturnValue:
        with _asking(db) as (session, receiver):
            tag = manifest.plan_tag(session, receiver, _now())
            if request.if_none_match.contains_weak(tag):
                return _tagged(make_response("", 304), tag)
            zone = receivers.station_of(session, receiver).zone
            if wrong := timekeeping.doubt(session, _now(), zone):
                raise Refusal(503, wrong)
            signed = manifest.build_manifest(
                session, receiver, keys=keys, hours_ahead=settings.integer("player.hours_ahead"),
                now=_now(), blobs=blobs,
            )  # fmt: skip
        answer = Response(signed.body, mimetype="application/json")
        answer.headers["Manifest-Signature"] = signed.signature_hex
        return _tagged(answer, signed.tag)

    @api.post(f"{BASE}/me/events")
    def events() -> ResponseReturnValue:
        batch = _json_object().get("events")
        if not isinstance(batch, list) or not all(isinstance(one, dict) for one in batch):
            raise InputError("Thiếu danh sách “events”.")
        with _telling(db) as (session, receiver):
            accepted = asrun.accept_events(session, receiver, batch, now=_now())
            receiver.last_seen_at = _now()
        return jsonify(accepted=accepted)

    @api.post(f"{BASE}/me/heartbeat")
    def heartbeat() -> ResponseReturnValue:
        data = _json_object()
        if len(request.get_data()) > 16_384:
            raise Refusal(413, "Bản tin trạng thái quá lớn.")
        with _telling(db) as (session, receiver):
            receivers.heartbeat(session, receiver, data, now=_now())
        return "", 204

    @api.get("/a/<name>")
    def audio(name: str) -> ResponseReturnValue:
        sha256, _, suffix = name.partition(".")
        # A name nobody can guess is the key: whoever has it was given it by a manifest or a village page.
        if not _SHA256.fullmatch(sha256) or suffix not in AUDIO_TYPES:
            abort(404)
        if not blobs.has(sha256, suffix=suffix) or _revoked(db, sha256):
            abort(404)
        answer = send_file(
            blobs.path(sha256, suffix=suffix),
            mimetype=AUDIO_TYPES[suffix],
            conditional=True,
            etag=sha256,
            max_age=31_536_000,
        )
        answer.cache_control.public = True
        answer.cache_control.immutable = True
        return answer

    @api.get("/healthz")
    def healthz() -> ResponseReturnValue:
        with db.reading() as session:
            stations = len(session.scalars(select(Station.id)).all())
        return jsonify(ok=stations > 0, stations=stations), 200 if stations else 503

    return api


@contextmanager
def _asking(db: Database) -> Iterator[tuple[Session, Receiver]]:
    """A session that reads the station of the token's receiver."""
    station_id, receiver_id = _identify(db)
    with db.reading(station_id=station_id) as session:
        yield session, _own(session, receiver_id)


@contextmanager
def _telling(db: Database) -> Iterator[tuple[Session, Receiver]]:
    """A session that writes to the station of the token's receiver."""
    station_id, receiver_id = _identify(db)
    life = request.headers.get("Player-Life", "")[:32]
    with db.writing(station_id=station_id) as session:
        receiver = _own(session, receiver_id)
        receivers.living(session, receiver, life, now=_now())
        rival = receivers.is_rival(receiver, life)
        if not rival:
            yield session, receiver
    if rival:  # its plan and its files it still gets: a village without sound would be worse
        raise Refusal(409, "Hai máy đang dùng chung mã của máy thu này. Hãy ghép nối lại một trong hai máy.")


def _identify(db: Database) -> tuple[int, int]:
    token = request.authorization.token if request.authorization is not None else None
    if not token or request.authorization is None or request.authorization.type != "bearer":
        raise Refusal(401, "Thiếu mã máy thu. Hãy ghép nối máy này với đài.")
    with db.reading() as session:
        receiver = receivers.receiver_by_token(session, token)
        if receiver is None:
            raise Refusal(401, "Mã máy thu không đúng. Hãy ghép nối lại máy này với đài.")
        if receiver.revoked_at is not None:
            raise Refusal(403, "Máy thu này đã bị đài thu hồi. Hãy liên hệ cán bộ phụ trách đài.")
        return receiver.station_id, receiver.id


def _own(session: Session, receiver_id: int) -> Receiver:
    receiver = session.get(Receiver, receiver_id)
    if receiver is None:
        raise Refusal(401, "Mã máy thu không đúng. Hãy ghép nối lại máy này với đài.")
    return receiver


def _revoked(db: Database, sha256: str) -> bool:
    """True when every programme with this file was withdrawn."""
    with db.reading() as session:
        rows = session.scalars(select(Rendition).where(Rendition.sha256 == sha256)).all()
        return bool(rows) and all(row.programme.revoked_reason for row in rows)


def _json_object() -> dict[str, Any]:
    if (request.content_length or 0) > LARGEST_BODY:
        raise Refusal(413, "Nội dung gửi lên quá lớn.")
    data = request.get_json(silent=True)
    if not isinstance(data, dict):
        raise InputError("Nội dung gửi lên phải là một đối tượng JSON.")
    return data


def _tagged(answer: Response, tag: str) -> Response:
    # Weak: two answers under one tag list the same airings but carry the instant they were issued.
    answer.set_etag(tag, weak=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.make_conditional(request)
    return answer


def _status(error: BroadcasterError) -> int:
    if isinstance(error, receivers.CodeExpired):
        return 410
    if isinstance(error, Conflict):
        return 409
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, StoreError):
        return 503
    return 400


def _now() -> datetime:
    if "now" not in g:
        g.now = cast(Callable[[], datetime], current_app.config["NOW"])()
    return cast(datetime, g.now).astimezone(UTC)
