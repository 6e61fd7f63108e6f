"""What dies is started again, with back-off, and nothing is left behind."""

import os
import sys
import threading
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.supervise import FIRST_WAIT_S, HEALTHY_S, LONGEST_WAIT_S, Supervisor, next_wait


@given(previous=st.floats(FIRST_WAIT_S, LONGEST_WAIT_S), lived=st.floats(0, 1e6))
def test_the_wait_grows_to_a_limit_and_a_healthy_life_makes_it_short_again(
    previous: float, lived: float
) -> None:
    wait = next_wait(previous, lived)
    assert FIRST_WAIT_S <= wait <= LONGEST_WAIT_S
    if lived >= HEALTHY_S:
        assert wait == FIRST_WAIT_S
    else:
        assert wait >= previous or wait == LONGEST_WAIT_S


def test_a_killed_process_is_started_again_and_all_are_ended_at_the_stop(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"import os,time; open({str(pids)!r},'a').write(f'{{os.getpid()}}\\n'); time.sleep(60)"
    said: list[str] = []
    supervisor = Supervisor(
        {"web": [sys.executable, "-c", script]}, logs=tmp_path / "logs", cwd=tmp_path,
        environment=os.environ, say=said.append,
    )  # fmt: skip
    stop = threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        first = _wait_for(pids, 1)
        os.kill(first, 9)
        second = _wait_for(pids, 2)
        assert second != first
        assert "web" in said[0]
    finally:
        stop.set()
        thread.join(timeout=20)
    assert supervisor.parts[0].process is not None
    assert supervisor.parts[0].process.returncode is not None


def _wait_for(pids: Path, count: int) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        lines = pids.read_text().split() if pids.exists() else []
        if len(lines) >= count:
            return int(lines[count - 1])
        time.sleep(0.05)
    raise AssertionError("the process did not come back")
