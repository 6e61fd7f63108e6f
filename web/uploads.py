"""Sound that comes in over a form: how large it may be, and where it lies while it is looked at."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, current_app, request
from werkzeug.datastructures import FileStorage

from broadcaster.errors import InputError, StoreError
from web.deps import deps

View = TypeVar("View", bound=Callable[..., Any])


def takes_sound(view: View) -> View:
    """Mark a view whose form may carry as much as `web.max_recording_mb`."""
    view.takes_sound = True  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Raise the limit for marked views; before anything reads the form."""
    app.before_request(_roomier)


def limit_mb() -> int:
    """How many MB this request may bring."""
    name = "web.max_recording_mb" if _is_sound() else "web.max_upload_mb"
    return deps().settings.integer(name)


@contextmanager
def uploaded(field: str = "file", *, missing: str) -> Iterator[tuple[Path, str]]:
    """The file of a form on disk, and the name it came with.  InputError (`missing`) when there is none."""
    file = request.files.get(field)
    if file is None or not file.filename:
        raise InputError(missing)
    with tempfile.TemporaryDirectory(prefix="broadcaster-upload-") as folder:
        # ffmpeg tells formats apart by content; the name is for people, in what is said about the file
        name = Path(file.filename.replace("\\", "/")).name[-80:] or "upload"
        yield _saved(file, Path(folder) / name.lstrip(".")), name


def _saved(file: FileStorage, path: Path) -> Path:
    try:
        file.save(path)
    except OSError as error:
        raise StoreError(
            f"Không ghi được tệp vừa gửi ({error.strerror or error}); đĩa có thể đã đầy. Hãy báo kỹ thuật."
        ) from error
    return path


def _is_sound() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "takes_sound", False)) and request.method == "POST"


def _roomier() -> None:
    if _is_sound():
        request.max_content_length = limit_mb() * 1024 * 1024
