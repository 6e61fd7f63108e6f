"""Local servers that behave like the services of the online voices, well and badly."""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import re
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from broadcaster.speech.ffmpeg import find_ffmpeg

if TYPE_CHECKING:
    import aiohttp.web


@functools.cache
def mp3(seconds: float) -> bytes:
    """A tone, as the services send it: 24 kHz mono."""
    tone = ["-f", "lavfi", "-i", f"sine=frequency=300:duration={seconds}:sample_rate=24000"]
    command = [find_ffmpeg(), "-v", "error", *tone, "-b:a", "48k", "-f", "mp3", "-"]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


class Endpoint:
    """A server whose `manner` says how it answers; it remembers what it was asked, and when."""

    def __init__(self) -> None:
        self.manners: list[str] = ["good"]
        self.asked: list[str] = []
        self.at: list[float] = []
        self.released = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.answer(self)

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/batchexecute"

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        form = urllib.parse.parse_qs(request.rfile.read(int(request.headers["Content-Length"])).decode())
        text = json.loads(json.loads(form["f.req"][0])[0][0][1])[0]
        self.at.append(time.monotonic())
        self.asked.append(text)
        manner = self.manners[min(len(self.asked), len(self.manners)) - 1]
        if manner == "hang":
            self.released.wait(20)
            return
        if manner == "drop":
            request.connection.close()
            return
        status, body = 200, b""
        if manner == "good":
            sound = base64.b64encode(mp3(0.25 * len(text.split()))).decode()
            body = f')]}}\'\n\n[["wrb.fr","jQ1olc","[\\"{sound}\\"]",null,null,null,"generic"]]\n'.encode()
        elif manner == "silent answer":
            body = b'[["wrb.fr","jQ1olc","[\\"\\"]",null]]'
        elif manner == "no sound":
            body = b'[["wrb.fr","jQ1olc",null,null]]'
        elif manner == "broken sound":
            sound = base64.b64encode(b"this is not an mp3 " * 40).decode()
            body = f'[["wrb.fr","jQ1olc","[\\"{sound}\\"]"]]'.encode()
        elif manner == "html":
            body = b"<!doctype html><html><body>Unusual traffic</body></html>"
        elif manner == "drip":
            body = b"x"
        elif manner == "endless":
            body = b"x" * 5_000_000
        else:
            status, body = int(manner), b"sorry"
        request.send_response(status)
        request.send_header("Content-Length", "100000" if manner == "drip" else str(len(body)))
        request.end_headers()
        try:
            request.wfile.write(body)
            while manner == "drip" and not self.released.wait(0.1):
                request.wfile.write(b"x")
        except (BrokenPipeError, ConnectionResetError):
            pass


class Service:
    """What the endpoint does: `mode` says how; `asked` holds the SSML it was sent."""

    def __init__(self) -> None:
        self.mode = "good"
        self.asked: list[str] = []

    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        import aiohttp.web

        if self.mode == "refuse":
            return aiohttp.web.Response(status=403)
        if self.mode == "hang":
            await asyncio.sleep(30)
        line = aiohttp.web.WebSocketResponse()
        await line.prepare(request)
        await line.receive()
        self.asked.append((await line.receive()).data)
        await line.send_str("X-RequestId:1\r\nPath:turn.start\r\n\r\n{}")
        if self.mode == "strange":
            await line.send_str("X-RequestId:1\r\nPath:weather\r\n\r\n{}")
        if self.mode in ("good", "broken"):
            data = self._spoken() if self.mode == "good" else b"khong phai am thanh" * 50
            head = b"X-RequestId:1\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n"
            for start in range(0, len(data), 4_000):
                await line.send_bytes(len(head).to_bytes(2, "big") + head + data[start : start + 4_000])
        if self.mode == "drip":
            await asyncio.sleep(30)
        await line.send_str("X-RequestId:1\r\nPath:turn.end\r\n\r\n{}")
        await line.close()
        return line

    def _spoken(self) -> bytes:
        """As long as the last words at the rate they were asked for: 0.27 s each."""
        words = re.sub(r"<[^>]+>", "", self.asked[-1].partition("\r\n\r\n")[2]).split()
        rate = re.search(r"rate='([+-]\d+)%'", self.asked[-1])
        return mp3(round(0.267 * len(words) / (1 + int(rate[1] if rate else 0) / 100), 2))


@contextmanager
def edge_service() -> Iterator[tuple[Service, str]]:
    """The websocket service on a free port, and its address."""
    import aiohttp.web

    made, loop, ready = Service(), asyncio.new_event_loop(), threading.Event()
    where: list[int] = []

    async def start() -> aiohttp.web.AppRunner:
        app = aiohttp.web.Application()
        app.router.add_get("/edge", made.answer)
        runner = aiohttp.web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        where.append(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(20)
    yield made, f"ws://127.0.0.1:{where[0]}/edge?TrustedClientToken=x"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
