"""Posting against a server that behaves like Zalo's and Facebook's: success, expired token, too often, broken, silent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from broadcaster.delivery import social
from broadcaster.delivery.social import FacebookPage, Post, Posted, SocialError, ZaloAccount, post_once

WHAT = Post(
    "Phòng cháy rừng",
    "Bà con không đốt nương.\n#XaNhuThanh",
    "https://loa.vn/nghe/x/1",
    "https://loa.vn/nghe/x/1/anh.png",
)
Answer = tuple[int, Any]


class Server:
    """Keeps what was sent; answers what a test says."""

    def __init__(self) -> None:
        self.answer: Callable[[str], Answer] = lambda path: (200, {})
        self.seen: list[tuple[str, dict[str, str], bytes]] = []


@pytest.fixture
def server() -> Iterator[tuple[str, Server]]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            state.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            status, answer = state.answer(self.path)
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}", state
    httpd.shutdown()
    httpd.server_close()
    thread.join(timeout=10)


def test_facebook_gets_the_words_and_the_link_and_its_post_is_known(server: tuple[str, Server]) -> None:
    base, state = server
    state.answer = lambda path: (200, {"id": "77_123"})
    posted = FacebookPage(base, "77", "EAAB").post(WHAT)
    assert posted == Posted("77_123", "https://www.facebook.com/77_123")
    path, _headers, body = state.seen[0]
    sent = parse_qs(body.decode())
    assert path == "/77/feed"
    assert (sent["message"], sent["link"], sent["access_token"]) == ([WHAT.text], [WHAT.url], ["EAAB"])


def test_zalo_gets_an_article_with_the_card_and_the_token_in_its_header(server: tuple[str, Server]) -> None:
    base, state = server
    state.answer = lambda path: (200, {"error": 0, "message": "Success", "data": {"token": "tok-9"}})
    assert ZaloAccount(base, "zz").post(WHAT) == Posted("tok-9")
    path, headers, body = state.seen[0]
    article = json.loads(body)
    assert (path, headers["access_token"]) == ("/article/create", "zz")
    assert article["cover"]["photo_url"] == WHAT.image_url
    assert article["body"] == [{"type": "text", "content": WHAT.text}]


FACEBOOK_SAYS = [
    (400, {"error": {"code": 190, "message": "Error validating access token"}}, "hết hạn"),
    (400, {"error": {"code": 32, "message": "Page request limit reached"}}, "quá nhiều"),
    (429, {}, "quá nhiều"),
    (403, {"error": {"code": 200, "message": "no permission"}}, "mã 200"),
    (500, {}, r"đang lỗi \(500\)"),
    (503, b"<html>", r"đang lỗi \(503\)"),
    (200, b"<html>", "trả lời lạ"),
    (200, {}, "chưa rõ đã đăng chưa"),
]
ZALO_SAYS = [
    (200, {"error": -216, "message": "Access token is invalid"}, "hết hạn"),
    (200, {"error": -32, "message": "Request rate limit exceeded"}, "quá nhiều"),
    (200, {"error": -201, "message": "Params is invalid"}, "mã -201"),
    (502, b"", r"đang lỗi \(502\)"),
    (200, {"error": 0, "data": {}}, "chưa rõ đã đăng chưa"),
    (200, [], "trả lời lạ"),
]


@pytest.mark.parametrize(("status", "answer", "sentence"), FACEBOOK_SAYS)
def test_what_facebook_refuses_is_a_sentence(
    server: tuple[str, Server], status: int, answer: Any, sentence: str
) -> None:
    base, state = server
    state.answer = lambda path: (status, answer)
    with pytest.raises(SocialError, match=sentence):
        FacebookPage(base, "77", "EAAB").post(WHAT)
    assert len(state.seen) == 1


@pytest.mark.parametrize(("status", "answer", "sentence"), ZALO_SAYS)
def test_what_zalo_refuses_is_a_sentence(
    server: tuple[str, Server], status: int, answer: Any, sentence: str
) -> None:
    base, state = server
    state.answer = lambda path: (status, answer)
    with pytest.raises(SocialError, match=sentence):
        ZaloAccount(base, "zz").post(WHAT)
    assert len(state.seen) == 1


def test_a_server_that_is_not_there_and_one_that_is_silent_are_told_apart(
    server: tuple[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, state = server
    with pytest.raises(SocialError, match="Không nối được"):
        FacebookPage("http://127.0.0.1:1", "77", "EAAB").post(WHAT)
    release = threading.Event()
    state.answer = lambda path: (200, {"id": "x"}) if release.wait(5) else (200, {})
    monkeypatch.setattr(social, "TIMEOUT_S", (1.0, 0.2))
    with pytest.raises(SocialError, match="chưa rõ đã đăng chưa"):
        FacebookPage(base, "77", "EAAB").post(WHAT)
    release.set()


def test_a_post_that_was_begun_before_is_never_sent_again(server: tuple[str, Server]) -> None:
    base, state = server
    outcome = post_once(FacebookPage(base, "77", "EAAB"), "facebook", WHAT, fresh=False)
    assert isinstance(outcome, SocialError)
    assert "chưa rõ đã lên" in outcome.message
    assert state.seen == []
    assert isinstance(post_once(None, "zalo", WHAT, fresh=True), SocialError)


def test_a_token_never_stands_in_a_refusal(server: tuple[str, Server]) -> None:
    base, state = server
    state.answer = lambda path: (400, {"error": {"code": 1, "message": "bad"}})
    outcome = post_once(FacebookPage(base, "77", "SECRET-TOKEN"), "facebook", WHAT, fresh=True)
    assert isinstance(outcome, SocialError)
    assert "SECRET-TOKEN" not in outcome.message
