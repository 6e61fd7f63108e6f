"""What a person watches while sound is made: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from broadcaster.step import Step

SCREEN = Console(stderr=True, highlight=False)
_LINE_EVERY_S = 10.0


@contextmanager
def shown() -> Iterator[Callable[[Step], None]]:
    """A progress bar on stderr; where it is not a terminal a line for each new step, and one every 10 s of it."""
    if not SCREEN.is_terminal:
        yield _lines()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=SCREEN, transient=True) as bar:
        task = bar.add_task("Chuẩn bị", total=None)
        yield lambda step: bar.update(
            task, description=step.title, completed=step.done, total=step.total or None
        )


def _lines() -> Callable[[Step], None]:
    last, at = "", 0.0

    def line(step: Step) -> None:
        nonlocal last, at
        if step.title == last and time.monotonic() - at < _LINE_EVERY_S:
            return
        last, at = step.title, time.monotonic()
        click.echo(f"{step.title} {step.done}/{step.total}" if step.total else step.title, err=True)

    return line
