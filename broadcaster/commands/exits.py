"""How a command ends: 0 done, 1 refused with one clear sentence, 2 wrong use; no station code here."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

import click

from broadcaster.errors import BroadcasterError

_OF_THE_MACHINE = {
    errno.ENOENT: "không có tệp hoặc thư mục này; hãy kiểm tra lại đường dẫn",
    errno.ENOTDIR: "một phần của đường dẫn không phải thư mục; hãy kiểm tra lại đường dẫn",
    errno.EISDIR: "đây là thư mục, không phải tệp; hãy kiểm tra lại đường dẫn",
    errno.EACCES: "không có quyền đọc hoặc ghi; hãy kiểm tra quyền của tệp và thư mục",
    errno.EPERM: "không có quyền đọc hoặc ghi; hãy kiểm tra quyền của tệp và thư mục",
    errno.EROFS: "ổ đĩa chỉ cho đọc; hãy chọn nơi khác",
    errno.ENOSPC: "ổ đĩa đã đầy; hãy xóa bớt tệp rồi chạy lại",
}


def guarded(run: Callable[[], object]) -> int:
    """Run a command and return its exit code; a person's mistake never shows a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    try:
        run()
    except BroadcasterError as error:
        click.echo(str(error), err=True)
        for remedy in getattr(error, "remedies", ()):
            click.echo(f"  - {remedy}", err=True)
        return 1
    except OSError as error:
        sentence = _of_the_machine(error)
        if sentence is None:
            raise
        click.echo(sentence, err=True)
        return 1
    return 0


def _of_the_machine(error: OSError) -> str | None:
    """The sentence for a path or a disk that a person can mend; None for what is our own mistake."""
    said = _OF_THE_MACHINE.get(error.errno or 0)
    if said is None or (error.filename is None and error.errno != errno.ENOSPC):
        return None
    return f"{error.filename or 'Ổ đĩa'}: {said}."
