"""A renderer that is killed at any stage leaves no half file, and doing it again gives the same programme."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broadcaster.model import RenditionKind, Take
from broadcaster.production.produce import ProgrammeItem, produce, sweep_scratch
from broadcaster.production.template import Template
from broadcaster.speech.sound import silence
from broadcaster.store.blobs import Blobs

SCRIPT = """
import os, signal, sys
from datetime import date, time
from pathlib import Path
from broadcaster.model import RenditionKind, SpokenSentence, Take
from broadcaster.production.produce import ProgrammeItem, produce
from broadcaster.production.template import Template
from broadcaster.speech.sound import silence
from broadcaster.store.blobs import Blobs

folder, sha256, deadly = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def watch(stage, done, total):
    if stage == deadly and done:
        os.kill(os.getpid(), signal.SIGKILL)

take = Take(sha256, "test", 1.0, 5000, (SpokenSentence("", 0, 5 * 44100),))
produce(
    items=[ProgrammeItem("Một", take)], template=Template(greeting="", headlines="", closing=""),
    station_name="Đài", call_sign="Đài", local_date=date(2026, 11, 24), start_local=time(5, 30), jingles={},
    speak_words=lambda text: silence(500), blobs=Blobs(folder / "blobs"), kinds=(RenditionKind.AIR,),
    scratch=folder / "scratch", progress=watch,
)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
@pytest.mark.parametrize("stage", ["mix", "encode:air", "check:air", "publish"])
def test_a_killed_renderer_leaves_no_half_file_and_the_next_one_finishes(
    tmp_path: Path, take: Callable[..., Take], blobs: Blobs, order: Callable[..., dict[str, Any]], stage: str
) -> None:
    frozen = take(5)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), frozen.sha256, stage]
    root = str(Path(__file__).resolve().parents[2])
    ended = subprocess.run(command, timeout=60, env={**os.environ, "PYTHONPATH": root}, check=False)
    assert ended.returncode == -signal.SIGKILL
    for sha256, suffix, _ in blobs.names():
        blobs.get(sha256, suffix=suffix)  # whole, or it raises
    survived = {sha256 for sha256, suffix, _ in blobs.names() if suffix == "mp3"}
    assert len(survived) == (1 if stage == "publish" else 0)
    assert sweep_scratch(tmp_path / "scratch") == 1
    assert list((tmp_path / "scratch").iterdir()) == []
    again = produce(
        **order(
            items=[ProgrammeItem("Một", frozen)],
            template=Template(greeting="", headlines="", closing=""),
            station_name="Đài",
            call_sign="Đài",
            jingles={},
            speak_words=lambda _text: silence(500),
            kinds=(RenditionKind.AIR,),
        )
    )
    if survived:
        assert {again.renditions[0].sha256} == survived
