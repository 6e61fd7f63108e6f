"""Talking with the station: doorbell, manifest, files, as-run, heartbeat.  Nothing here is on the way to the air.

Each of three threads has a connection of its own, every call has a timeout, every failure a back-off and a
sentence in `problems`; the player plays what it holds meanwhile.
"""

from __future__ import annotations

import json
import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from broadcaster.errors import PlayerError
from broadcaster.playout.bell import Bell
from broadcaster.playout.held import HeldAudio, HeldManifest
from broadcaster.playout.journal import Ledger
from broadcaster.playout.pairing import Pairing
from broadcaster.playout.plan import LARGEST_BYTES, AudioFile, Manifest, ToPlay

_LOG = logging.getLogger(__name__)
_TIMEOUT: Final = (4.0, 15.0)
_LONGEST_WAIT_S: Final = 30.0
_HEARTBEAT_S: Final = 15.0
_BLOCK: Final = 64 * 1024
_WHOLE_S: Final = 30.0  # for a whole short answer, however it comes
_PAST: Final = timedelta(hours=1)


class Unwelcome(PlayerError):
    """The station does not know this player's token, or took it back."""


class Link:
    """One HTTP connection to the station; used by one thread at a time.  Close it.

    Every method raises PlayerError with a sentence when the station does not answer as agreed.
    """

    def __init__(self, pairing: Pairing, *, life: str = "") -> None:
        self._base = pairing.server
        self.measured: Callable[[datetime], None] | None = None
        self._session = requests.Session()
        self._session.trust_env = (
            False  # a proxy or .netrc of the machine's user is not the station's business
        )
        self._session.headers["Authorization"] = f"Bearer {pairing.token}"
        if life:
            self._session.headers["Player-Life"] = life

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def doorbell(self, tag: str) -> bool:
        """True when the station has another plan than the one of `tag`."""
        path = "/api/v1/receivers/me/doorbell"
        with self._call("GET", path, headers=_if_none_match(tag), stream=True) as answer:
            _body(answer, LARGEST_BYTES)
            return answer.status_code != 304

    def manifest(self, tag: str = "") -> tuple[bytes, str, str] | None:
        """(body, signature, tag) of the plan, or None when it is still the one of `tag`."""
        path = "/api/v1/receivers/me/manifest"
        with self._call("GET", path, headers=_if_none_match(tag), stream=True) as answer:
            if answer.status_code == 304:
                return None
            body = _body(answer, LARGEST_BYTES)
            found = answer.headers.get("ETag", "").removeprefix("W/").strip('"')
            return body, answer.headers.get("Manifest-Signature", ""), found

    def events(self, batch: list[dict[str, Any]]) -> int:
        """Hand over as-run; the number up to which the station has everything."""
        path = "/api/v1/receivers/me/events"
        with self._call("POST", path, json={"events": batch}, stream=True) as answer:
            body = _body(answer, LARGEST_BYTES)
        try:
            return int(json.loads(body)["accepted"])
        except (ValueError, KeyError, TypeError) as error:
            raise PlayerError("Đài trả lời nhật ký không đúng mẫu.") from error

    def heartbeat(self, data: dict[str, Any]) -> None:
        """Say how the player is."""
        with self._call("POST", "/api/v1/receivers/me/heartbeat", json=data, stream=True) as answer:
            _body(answer, LARGEST_BYTES)

    def fetch(self, file: AudioFile, audio: HeldAudio, stop: Callable[[], bool]) -> None:
        """Bring a file to its place, going on where a broken download ended.

        It is broken off when `stop` says so: an emergency's message must not wait behind a long programme.
        """
        part = audio.part(file)
        have = part.stat().st_size if part.exists() else 0
        if have > file.size_bytes:
            part.unlink()
            have = 0
        if have < file.size_bytes:
            headers = {"Range": f"bytes={have}-"} if have else {}
            # compression would make the byte positions of a resumed download meaningless
            headers["Accept-Encoding"] = "identity"
            with self._call("GET", f"/a/{file.name}", headers=headers, stream=True) as answer:
                goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(
                    f"bytes {have}-"
                )
                with part.open("ab" if goes_on else "wb") as out:
                    size = have if goes_on else 0
                    for block in _blocks(answer):
                        size += len(block)
                        if size > file.size_bytes:
                            break
                        out.write(block)
                        if stop():
                            return
        if part.stat().st_size < file.size_bytes:
            raise PlayerError(f"Tệp {file.name[:12]}… mới tải được một phần; sẽ tải tiếp.")
        audio.settle(file)

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            answer = self._session.request(
                method, self._base + path, timeout=_TIMEOUT, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise PlayerError(f"Không gọi được đài ({self._base}): {type(error).__name__}.") from error
        if self.measured is not None and "Date" in answer.headers:
            try:
                self.measured(parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC))
            except ValueError:
                _LOG.debug("a Date header that is none: %r", answer.headers["Date"])
        if answer.status_code in (200, 204, 206, 304):
            return answer
        answer.close()
        if answer.status_code in (401, 403):
            raise Unwelcome("Đài không còn nhận mã của máy phát này. Hãy ghép nối lại.")
        if answer.status_code == 409:
            raise PlayerError("Đài báo hai máy phát đang dùng chung một mã. Hãy ghép nối lại máy này.")
        if 300 <= answer.status_code < 400:
            raise PlayerError(
                f"Địa chỉ đài ({self._base}) chuyển sang địa chỉ khác ({answer.status_code}) nên không theo. "
                "Hãy ghép nối lại bằng địa chỉ đúng."
            )
        raise PlayerError(f"Đài trả lời {answer.status_code} cho {path[:60]}.")


def _blocks(answer: requests.Response) -> Iterator[bytes]:
    """What has come, as it comes (`iter_content` would wait for whole blocks)."""
    try:
        while block := answer.raw.read1(_BLOCK, decode_content=True):
            yield block
    except (HTTPError, OSError) as error:
        raise PlayerError(f"Đường truyền tới đài đứt giữa chừng ({type(error).__name__}).") from error


def _body(answer: requests.Response, most: int) -> bytes:
    """A short answer, whole and in time: one that drips must not hold back the next plan."""
    body, until = bytearray(), time.monotonic() + _WHOLE_S
    for block in _blocks(answer):
        body += block
        if len(body) > most:
            raise PlayerError("Đài trả lời lớn bất thường nên không nhận. Hãy báo cán bộ phụ trách đài.")
        if time.monotonic() > until:
            raise PlayerError("Đài trả lời quá chậm nên bỏ; sẽ hỏi lại.")
    return bytes(body)


class Sync:
    """Keeps what is held in step with the station, in threads or (`once`) in the caller's."""

    def __init__(
        self,
        pairing: Pairing,
        *,
        held: HeldManifest,
        audio: HeldAudio,
        ledger: Ledger,
        doorbell_s: float,
        health: Callable[[], dict[str, Any]],
        changed: Callable[[], None],
        measured: Callable[[datetime], None],
        upload: bool = True,
        mqtt_url: str = "",
        link: Callable[[Pairing, str], Link] = lambda pairing, life: Link(pairing, life=life),
    ) -> None:
        self._held, self._audio, self._ledger = held, audio, ledger
        self._rung = threading.Event()
        self._bell = Bell(mqtt_url, known=self._known, ring=self._rung.set) if mqtt_url else None
        self._doorbell_s, self._health, self._changed = doorbell_s, health, changed
        self._upload = upload
        life = secrets.token_hex(8)  # of this process: a card that was copied must not pass for its original
        self._links = [link(pairing, life) for _ in range(3)]
        self._links[0].measured = measured
        self._stop = threading.Event()
        self._files, self._reports = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._problems: dict[str, str] = {}
        self._agreed_epoch: int | None = None
        self._threads: list[threading.Thread] = []

    def problems(self) -> list[str]:
        """What does not work now, a sentence each."""
        with self._lock:
            found = [text for text in self._problems.values() if text]
        return [*found, self._bell.problem] if self._bell is not None and self._bell.problem else found

    def start(self) -> None:
        """Begin the three threads."""
        for name, step, rest, wake in (
            ("doorbell", self._ring, lambda: self._doorbell_s, self._rung),
            ("files", self._fetch, lambda: 60.0, self._files),
            ("reports", self._report, lambda: _HEARTBEAT_S, self._reports),
        ):
            thread = threading.Thread(
                target=self._loop, args=(name, step, rest, wake), name=f"sync-{name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self._files.set()

    def once(self) -> None:
        """Plan, every file, as-run and heartbeat, one after another; what fails is a problem."""
        for name, step in (("doorbell", self._ring), ("files", self._fetch), ("reports", self._report)):
            self._try(name, step)

    def report_soon(self) -> None:
        """Something happened that the station should hear of."""
        self._reports.set()

    def close(self) -> None:
        """End the threads; a call that hangs is left behind (it is a daemon)."""
        self._stop.set()
        for wake in (self._rung, self._files, self._reports):
            wake.set()
        for thread in self._threads:
            thread.join(timeout=3)
        if self._bell is not None:
            self._bell.close()
        for link in self._links:
            link.close()

    def _loop(
        self,
        name: str,
        step: Callable[[], None],
        rest: Callable[[], float],
        wake: threading.Event,
    ) -> None:
        failures = 0
        while not self._stop.is_set():
            if self._try(name, step):
                failures = 0
                wait_s = rest() * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
            else:
                failures += 1
                longest = min(_LONGEST_WAIT_S, max(self._doorbell_s, 0.5) * 2 ** min(failures, 10))
                wait_s = longest * random.uniform(0.5, 1.0)  # noqa: S311
            if failures:
                self._stop.wait(wait_s)
            else:
                wake.wait(wait_s)
                wake.clear()

    def _try(self, name: str, step: Callable[[], None]) -> bool:
        try:
            step()
        except (PlayerError, OSError) as error:  # requests' own errors are OSErrors
            text = error.message if isinstance(error, PlayerError) else f"Đồng bộ với đài lỗi: {error}."
            self._problem(name, text)
            return False
        except Exception as error:  # a bug here must show and must not silence the loudspeakers
            _LOG.exception("sync %s", name)
            self._problem(name, f"Phần đồng bộ “{name}” gặp lỗi lạ ({type(error).__name__}: {error}).")
            return False
        self._problem(name, "")
        return True

    def _problem(self, name: str, text: str) -> None:
        with self._lock:
            news = self._problems.get(name, "") != text
            self._problems[name] = text
        if news and text:
            _LOG.warning("%s", text)

    def _known(self) -> tuple[str, int, int] | None:
        manifest = self._held.manifest
        return None if manifest is None else (manifest.station, manifest.epoch, manifest.version)

    def _listen(self) -> None:
        if self._bell is not None and self._threads:
            self._bell.listen()

    def _ring(self) -> None:
        link = self._links[0]
        self._listen()
        if self._held.manifest is not None and not link.doorbell(self._held.tag):
            return
        found = link.manifest(self._held.tag if self._held.manifest is not None else "")
        if found is None:
            return
        body, signature, tag = found
        if self._upload and not self._ledger.heard_of_reports():
            # Asked before a plan is believed: a ledger that is not the receiver's first must not play again what
            # stands in it.  No answer costs only the looking back; the reports' thread says what is wrong.
            with suppress(PlayerError, OSError):
                self._ledger.agree(link.events([]))
        self._held.accept(body, signature, tag=tag)
        self._listen()
        self._files.set()
        self._reports.set()
        self._changed()

    def _fetch(self) -> None:
        manifest = self._held.manifest
        if manifest is None:
            return
        files = wanted_files(manifest)
        needed = frozenset(file.name for file in files)
        trouble: PlayerError | OSError | None = None

        def outdated() -> bool:
            return self._stop.is_set() or self._held.manifest is not manifest

        for file in files:
            if outdated():
                self._files.set()  # a newer plan may have something nearer
                return
            if self._audio.path(file) is not None:
                continue
            try:
                self._audio.make_room(file, needed)
                self._links[1].fetch(file, self._audio, outdated)
            except (PlayerError, OSError) as error:  # the next file may well be obtainable
                trouble = trouble or error
                continue
            self._changed()
        if trouble is not None:
            raise trouble

    def _report(self) -> None:
        if not self._upload:
            return
        link = self._links[2]
        manifest = self._held.manifest
        epoch = manifest.epoch if manifest is not None else 0
        if self._agreed_epoch != epoch:
            self._ledger.agree(link.events([]))
            self._agreed_epoch = epoch
        while batch := self._ledger.to_upload():
            link.events([event.as_json() for event in batch])  # an answer means that all of it is stored
            self._ledger.confirm(batch[-1].sequence)
        link.heartbeat(self._health())


def wanted_files(manifest: Manifest) -> list[AudioFile]:
    """Every file that may still sound: alert clips first, then the nearest start first."""
    coming = sorted(
        (airing for airing in manifest.airings if _may_still_sound(airing, manifest.issued_at)),
        key=lambda one: (one.planned_at < manifest.issued_at, one.planned_at),
    )
    files = [*manifest.clips, *(airing.file for airing in coming if airing.file is not None)]
    return list(dict.fromkeys(files))


def _may_still_sound(airing: ToPlay, at: datetime) -> bool:
    """False for what is over, even when it was cut and goes on within its grace."""
    length = timedelta(milliseconds=airing.duration_ms)
    return at <= airing.planned_at + length + 2 * timedelta(seconds=airing.grace_s) + _PAST


def _if_none_match(tag: str) -> dict[str, str]:
    return {"If-None-Match": f'W/"{tag}"'} if tag else {}
