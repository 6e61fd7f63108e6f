"""The process that holds the model.  `python -m broadcaster.speech.kokoro.worker HOME`

Requests on stdin, one JSON object a line; answers on stdout: one JSON line, then as many bytes of float32
samples as it says.  When stdin ends, the parent is gone or done, and so is this process: no orphans.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from broadcaster.errors import VoiceError
from broadcaster.system import die_with_parent, lower_priority


def peak_rss_mb() -> float:
    """The most memory this process has held, in MB; 0 where the system does not tell."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def serve(home: Path, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until there are no more.  A sentence that cannot be spoken is an answer too."""

    def answer(head: dict[str, Any], body: bytes = b"") -> None:
        answers.write(json.dumps({**head, "bytes": len(body)}).encode() + b"\n" + body)
        answers.flush()

    from broadcaster.speech.kokoro.engine import Engine, Speaker

    try:
        engine = Engine(home)
    except VoiceError as error:
        answer({"error": error.message})
        return
    answer({"ready": True})
    for line in requests:
        request = json.loads(line)
        try:
            speaker = Speaker(**{**request["speaker"], "style": tuple(request["speaker"]["style"])})
            samples = engine.speak(request["sentence"], speaker, speed=request["speed"])
        except VoiceError as error:
            answer({"error": error.message})
        except Exception as error:  # the parent decides; a worker never dies of one sentence
            answer({"error": f"Giọng nhúng không đọc được câu này ({type(error).__name__}: {error})."})
        else:
            answer({"peak_mb": peak_rss_mb()}, samples.astype("<f4").tobytes())


def main() -> None:
    """Entry of the worker process."""
    lower_priority()
    die_with_parent()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    serve(Path(sys.argv[1]), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
