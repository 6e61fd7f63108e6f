"""waitress before the app: the one server there is, for a station, a rehearsal and the tests alike."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import waitress
from waitress import wasyncore

from broadcaster.config import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

MIB = 1024 * 1024


class WebServer:
    """Listens from the moment it is made, answers from `start` until `close`."""

    def __init__(self, app: WSGIApplication, settings: Settings, *, host: str, port: int) -> None:
        """Listen at that address; port 0 = any that is free, told by `port`.  OSError when it cannot be had."""
        self._open: dict[int, Any] = {}  # every socket of this server, by its descriptor
        self._server: Any = waitress.create_server(
            app,
            map=self._open,
            host=host,
            port=port,
            threads=settings.integer("web.threads"),
            ident=None,
            # Above the app's own limit: up to here the app answers with its Vietnamese sentence, beyond it waitress does.
            max_request_body_size=MIB
            * max(settings.integer("web.max_upload_mb") * 4, settings.integer("web.max_recording_mb") + 20),
        )
        self._runner = threading.Thread(target=self._server.run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self._server.effective_port)

    def start(self) -> None:
        """Answer, in a thread of its own."""
        self._runner.start()

    def close(self) -> None:
        """Answer no more: every connection is cut, and what was being answered gets five seconds to end."""
        # Its own thread closes its sockets; closed from here, one would be gone from under the loop that waits for it.
        self._server.trigger.pull_trigger(self._close_all)
        self._runner.join()
        self._server.task_dispatcher.shutdown()

    def _close_all(self) -> None:
        # waitress closes the sockets only; the files that wait behind them to be sent are closed by its hang-up.
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        wasyncore.close_all(self._open, ignore_all=True)


@contextmanager
def serving(app: WSGIApplication, settings: Settings, *, port: int = 0) -> Iterator[str]:
    """That app on this machine alone; yields its address."""
    server = WebServer(app, settings, host="127.0.0.1", port=port)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.close()
