"""The address that phones use, asked from outside: resolved, answered, ours, and over HTTPS."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from broadcaster import doctor
from broadcaster.reachability import check_public_url


class Reply:
    def __init__(self, status: int, body: Any = None, location: str = "") -> None:
        self.status_code, self._body = status, body
        self.headers = {"Location": location} if location else {}

    def json(self) -> Any:
        if self._body is None:
            raise ValueError("no JSON")
        return self._body


def resolves(*addresses: str) -> Any:
    return lambda host, port, type: [(socket.AF_INET, type, 6, "", (address, 0)) for address in addresses]


def answering(**by_scheme: Any) -> Any:
    def get(url: str, **_options: Any) -> Any:
        reply = by_scheme[url.split(":")[0]]
        if isinstance(reply, Exception):
            raise reply
        return reply

    return get


OURS = Reply(200, {"ok": True, "stations": 1})
TURNS = Reply(301, location="https://loa.vn/")


def test_a_good_address_is_all_green() -> None:
    found = check_public_url(
        "https://loa.vn", resolve=resolves("113.160.10.20"), get=answering(https=OURS, http=TURNS)
    )
    assert [one.ok for one in found] == [True, True]


@pytest.mark.parametrize(
    ("url", "address", "replies", "oks", "sentence"),
    [
        ("ftp://loa.vn", "113.160.10.20", {}, [False], "không phải địa chỉ web"),
        ("https://loa.vn", "127.0.0.1", {}, [False], "chỉ mở được trên chính máy này"),
        ("https://loa.vn", "113.160.10.20", {"https": Reply(200), "http": TURNS}, [False, True], "không phải đài này"),
        ("https://loa.vn", "113.160.10.20", {"https": Reply(200, {"ok": False}), "http": TURNS}, [False, True], "không phải"),
        ("https://loa.vn", "113.160.10.20", {"https": requests.ConnectionError(), "http": TURNS}, [None, True], "di động"),
        ("https://loa.vn", "113.160.10.20", {"https": requests.exceptions.SSLError("expired"), "http": TURNS}, [False, True],
         "chứng chỉ"),
        ("https://loa.vn", "113.160.10.20", {"https": Reply(302, location="https://www.loa.vn/"), "http": TURNS},
         [False, True], "www.loa.vn"),
        ("https://loa.vn", "113.160.10.20", {"https": OURS, "http": OURS}, [True, False], "không tự chuyển"),
        ("http://loa.vn", "113.160.10.20", {"http": OURS}, [True, False], "phải dùng https"),
        ("http://192.168.1.5:8000", "192.168.1.5", {"http": OURS}, [True], "chỉ trong mạng xã"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_to_do(
    url: str, address: str, replies: Any, oks: list[bool | None], sentence: str
) -> None:
    found = check_public_url(url, resolve=resolves(address), get=answering(**replies))
    assert [one.ok for one in found] == oks
    assert sentence in " ".join(one.sentence for one in found)


def test_a_name_that_is_nowhere_is_wrong() -> None:
    def nowhere(*_args: Any, **_more: Any) -> Any:
        raise socket.gaierror("unknown")

    (found,) = check_public_url("https://khong-co.vn", resolve=nowhere, get=answering())
    assert (found.ok, "không tìm thấy khong-co.vn" in found.sentence) == (False, True)


@pytest.fixture
def station() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            body = b'{"ok": true, "stations": 1}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def test_the_question_is_really_asked_over_http(station: int) -> None:
    (found,) = check_public_url(f"http://127.0.0.1:{station}", resolve=resolves("192.168.1.5"))
    assert (found.ok, "đúng là đài" in found.sentence) == (True, True)


def test_the_doctor_asks_it_and_leaves_a_loopback_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor,
        "check_public_url",
        lambda url: check_public_url(
            url, resolve=resolves("113.160.10.20"), get=answering(https=OURS, http=TURNS)
        ),
    )
    assert [one.ok for one in doctor.from_outside("https://loa.vn")] == [True, True]
    assert doctor.from_outside("http://127.0.0.1:8000") == []
    assert doctor.from_outside("") == []
