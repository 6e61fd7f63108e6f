"""What whoever watches is told of work that takes a while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done now, how far it is, of how much (0: unknown)."""

    title: str
    done: int
    total: int
