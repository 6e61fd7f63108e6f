"""Does `web.public_url` lead here?  Asked as a phone outside would ask, one finding a question.

From inside the office a router may not lead back to itself: a silence here is "not known", never "wrong".
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests

TIMEOUT_S: Final = 6.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`ok` is None when it could not be known."""

    ok: bool | None
    title: str
    sentence: str


def check_public_url(
    url: str,
    *,
    resolve: Callable[..., Any] = socket.getaddrinfo,
    get: Callable[..., Any] = requests.get,
) -> list[Answer]:
    """What a phone would meet at that address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        return [
            Answer(
                False,
                "Địa chỉ cho điện thoại",
                f"{url} không phải địa chỉ web; hãy viết như https://loa.example.vn",
            )
        ]
    found = _resolved(host, resolve)
    if found is None:
        return [
            Answer(
                False,
                "Tên miền",
                f"không tìm thấy {host}; hãy kiểm tra tên miền hoặc viết địa chỉ IP của máy này",
            )
        ]
    if any(address.is_loopback or address.is_unspecified for address in found):
        return [
            Answer(
                False, "Địa chỉ cho điện thoại",
                f"{host} chỉ mở được trên chính máy này, mã QR sẽ mở điện thoại; hãy đặt địa chỉ mạng",
            )
        ]  # fmt: skip
    inside = all(address.is_private for address in found)
    answers = [_asked(url, inside, get)]
    if parts.scheme == "http" and not inside:
        answers.append(
            Answer(
                False,
                "HTTPS",
                "địa chỉ ngoài mạng xã phải dùng https; xem mục reverse proxy trong docs/operations.md",
            )
        )
    elif parts.scheme == "https":
        answers.append(_turned(host, get))
    return answers


def _resolved(
    host: str, resolve: Callable[..., Any]
) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address] | None:
    try:
        rows = resolve(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return None
    return [ipaddress.ip_address(str(row[4][0]).split("%")[0]) for row in rows]


def _asked(url: str, inside: bool, get: Callable[..., Any]) -> Answer:
    title = "Mở từ ngoài"
    try:
        answer = get(f"{url.rstrip('/')}/healthz", timeout=TIMEOUT_S, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        return Answer(
            False,
            title,
            f"chứng chỉ HTTPS của {url} không dùng được ({_short(error)}); hãy cấp lại chứng chỉ",
        )
    except requests.RequestException:
        where = "trong mạng xã" if inside else "từ máy này (có router không dẫn ngược vào trong)"
        return Answer(None, title, f"{url} không trả lời {where}; hãy thử bằng điện thoại dùng mạng di động")
    if 300 <= answer.status_code < 400:
        return Answer(
            False,
            title,
            f"{url} chuyển sang {answer.headers.get('Location', '?')}; hãy đặt web.public_url thành địa chỉ đó",
        )
    try:
        told = answer.json()
    except ValueError:
        told = None
    if isinstance(told, dict) and told.get("ok") is True:
        return Answer(
            True, title, f"{url} trả lời và đúng là đài" + (" (chỉ trong mạng xã)" if inside else "")
        )
    return Answer(
        False,
        title,
        f"{url} trả lời ({answer.status_code}) nhưng không phải đài này; hãy kiểm tra máy chủ trung gian",
    )


def _turned(host: str, get: Callable[..., Any]) -> Answer:
    """Whether plain HTTP leads to HTTPS: people type addresses without it."""
    try:
        answer = get(f"http://{host}/", timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException:
        return Answer(
            None, "HTTP sang HTTPS", f"http://{host} không trả lời; người gõ thiếu https sẽ không vào được"
        )
    if 300 <= answer.status_code < 400 and str(answer.headers.get("Location", "")).startswith("https://"):
        return Answer(True, "HTTP sang HTTPS", "tự chuyển")
    return Answer(
        False,
        "HTTP sang HTTPS",
        f"http://{host} không tự chuyển sang https; xem mẫu cho Caddy và nginx trong tài liệu",
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[-120:]
