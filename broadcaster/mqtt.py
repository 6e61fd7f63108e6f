"""The second doorbell: one retained message a station on an MQTT broker that somebody runs.

It says what the doorbell over HTTP says, epoch and plan version, and nothing else: whoever hears it asks the
station, and believes only what is signed.  The package is optional (`requirements-mqtt.txt`).
"""

from __future__ import annotations

import importlib.util
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from broadcaster.errors import ConfigError

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
LONGEST_BYTES: Final = 200
QOS: Final = 1
KEEP_ALIVE_S: Final = 30
NOT_INSTALLED: Final = "Cài đặt mqtt.url cần gói paho-mqtt. Hãy chạy: pip install -r requirements-mqtt.txt, hoặc xóa cài đặt này."


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is and how to sign in; `user` empty = anybody may."""

    host: str
    port: int
    encrypted: bool
    user: str = ""
    password: str = ""


def broker_of(url: str) -> Broker:
    """`mqtt://[user:password@]host[:1883]` or `mqtts://…[:8883]`.  ConfigError when it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
        raise ConfigError("Cài đặt mqtt.url phải có dạng mqtt://máy:1883 hoặc mqtts://máy:8883. Hãy sửa lại.")
    return Broker(
        parts.hostname,
        port or PORTS[parts.scheme],
        parts.scheme == "mqtts",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def topic_of(station: str) -> str:
    """Where the station of that slug rings."""
    return f"broadcaster/{station}/plan"


def message_of(epoch: int, version: int) -> bytes:
    """What is said there."""
    return json.dumps({"epoch": epoch, "version": version}).encode()


def read_message(payload: bytes) -> tuple[int, int] | None:
    """(epoch, version), or None for anything else that somebody put there."""
    try:
        data = json.loads(payload) if len(payload) <= LONGEST_BYTES else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    epoch, version = data.get("epoch"), data.get("version")
    return (epoch, version) if type(epoch) is int and type(version) is int else None


def installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec("paho") is not None


class Line:
    """A connection that is made again whenever it breaks, in a thread of its own.  Close it.

    `connected` is called in that thread each time it stands.  ConfigError when the package is missing or the
    address is none; a broker that does not answer is only a `problem`.
    """

    def __init__(
        self,
        url: str,
        *,
        connected: Callable[[Line], None],
        heard: Callable[[bytes], None] | None = None,
        name: str,
    ) -> None:
        broker = broker_of(url)
        if not installed():
            raise ConfigError(NOT_INSTALLED)
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self._where = f"{broker.host}:{broker.port}"
        self._connected = connected
        self.problem = f"Chưa nối được máy chủ MQTT {self._where}."
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"{name}-{secrets.token_hex(8)}", clean_session=True
        )
        if broker.user:
            client.username_pw_set(broker.user, broker.password)
        if broker.encrypted:
            client.tls_set()
        client.reconnect_delay_set(min_delay=1, max_delay=60)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        if heard is not None:
            client.on_message = lambda _client, _data, message: heard(bytes(message.payload))
        self._client = client
        client.connect_async(broker.host, broker.port, keepalive=KEEP_ALIVE_S)
        client.loop_start()

    def subscribe(self, topic: str) -> None:
        """Hear what is said there; to be asked for again at each connection."""
        self._client.subscribe(topic, qos=QOS)

    def say(self, topic: str, payload: bytes) -> bool:
        """Leave a message there for whoever listens now and later; False when it could not be handed over."""
        told: Any = self._client.publish(topic, payload, qos=QOS, retain=True)
        return bool(told.rc == 0)

    def close(self) -> None:
        """End the connection and its thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.problem = f"Máy chủ MQTT {self._where} từ chối kết nối ({reason}). Hãy xem lại mqtt.url."
            return
        self.problem = ""
        self._connected(self)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.problem = f"Mất kết nối với máy chủ MQTT {self._where} ({reason}); đang nối lại."
