"""One pinned file from the network: its length and SHA-256 are known before, a broken download goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from broadcaster.errors import VoiceError

Progress = Callable[[int, int], None]


def fetch(
    url: str,
    half: Path,
    *,
    size_bytes: int,
    sha256: str,
    timeout_s: float,
    so_far: int = 0,
    total: int | None = None,
    say: Progress = lambda done, total: None,
) -> None:
    """Bring the file to `half`, going on from what is there.

    `say` gets bytes done (`so_far` counts what came before this file) and in all.  VoiceError when the network
    fails (what came stays, for the next try) or the file is not the pinned one (it is removed).
    """
    import requests

    have = half.stat().st_size if half.is_file() else 0
    if have >= size_bytes:
        half.unlink()
        have = 0
    try:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with requests.get(url, headers=headers, stream=True, timeout=(10, timeout_s)) as answer:
            if answer.status_code not in (200, 206):
                raise VoiceError(
                    f"Không tải được giọng: máy chủ trả lời mã {answer.status_code}; hãy thử lại sau."
                )
            go_on = answer.status_code == 206
            got = have if go_on else 0
            with half.open("ab" if go_on else "wb") as out:
                for block in answer.iter_content(1 << 16):
                    got += len(block)
                    if got > size_bytes:
                        break
                    out.write(block)
                    say(so_far + got, total or size_bytes)
    except requests.RequestException as error:
        raise VoiceError(
            "Mạng đứt khi đang tải giọng; hãy chạy lại lệnh này, phần đã tải được giữ, hoặc dùng voices add với USB."
        ) from error
    if got < size_bytes:
        raise VoiceError("Tệp giọng tải về bị thiếu; hãy chạy lại lệnh này, phần đã tải được giữ.")
    if got > size_bytes or hash_of(half) != sha256:
        half.unlink(missing_ok=True)
        raise VoiceError(
            "Tệp giọng tải về không đúng mã kiểm tra nên đã bị bỏ; hãy thử lại hoặc dùng voices add."
        )


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
