"""A worker process for tests: `python killed_worker.py HOME WHERE` works until it reaches WHERE, says so, waits.

WHERE is `half-way` (between two sentences), `writing` (inside the transaction that closes the job), a stage of
a programme with something of it done (`nén air`, `ghi tệp`) or `never`; with `never` its clock runs LATE seconds ahead, so that the lease of a killed one is over.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from broadcaster.config import load
from broadcaster.speech.silent import SilentVoice
from broadcaster.worker import JOBS, run_worker

LATE_S = 90


def reached() -> None:
    """Say so, and wait for the end."""
    print("HERE", flush=True)
    time.sleep(600)


def main() -> None:
    home, where = Path(sys.argv[1]), sys.argv[2]
    speak, spoken = SilentVoice.speak, []

    def counted(self: SilentVoice, sentence: str, *, speed: float = 1.0) -> Any:
        spoken.append(sentence)
        if where == "half-way" and len(spoken) == 2:
            reached()
        return speak(self, sentence, speed=speed)

    real = JOBS["take"]

    def take(tools: Any, job: Any, progress: Any) -> Any:
        made = real(tools, job, progress)

        def write(session: Any, now: datetime) -> None:
            made.write(session, now)
            session.flush()
            if where == "writing":
                reached()

        return replace(made, write=write)

    render = JOBS["programme"]

    def programme(tools: Any, job: Any, progress: Any) -> Any:
        def watched(stage: str, done: int, total: int) -> None:
            progress(stage, done, total)
            if stage == where and done:
                reached()

        return render(tools, job, watched)

    JOBS["programme"] = programme  # type: ignore[index]
    SilentVoice.speak = counted  # type: ignore[method-assign]
    JOBS["take"] = take  # type: ignore[index]
    ahead = timedelta(seconds=LATE_S if where == "never" else 0)
    run_worker(
        load(home=home),
        stop=threading.Event(),
        once=True,
        polite=False,
        now=lambda: datetime.now(UTC) + ahead,
    )


if __name__ == "__main__":
    main()
