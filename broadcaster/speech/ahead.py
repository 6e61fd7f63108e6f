"""Work done in a thread of its own, a little before it is asked for."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

Block = TypeVar("Block")


def ahead(blocks: Iterable[Block], *, count: int = 4) -> Generator[Block]:
    """The same blocks, made in a thread of their own, up to `count` before they are asked for.

    What the maker raises is raised here; leaving early ends it.
    """
    made: queue.Queue[Block | BaseException | None] = queue.Queue(count)
    left = threading.Event()

    def make() -> None:
        last: BaseException | None = None
        try:
            for block in blocks:
                while not left.is_set():
                    try:
                        made.put(block, timeout=0.1)
                        break
                    except queue.Full:
                        continue
                if left.is_set():
                    return
        except BaseException as error:  # it belongs to whoever asked for the blocks
            last = error
        finally:
            if isinstance(blocks, Generator):
                blocks.close()  # what it holds open is let go of before `ahead` is left
        while not left.is_set():
            with contextlib.suppress(queue.Full):
                made.put(last, timeout=0.1)
                return

    maker = threading.Thread(target=make, name="mixing", daemon=True)
    maker.start()
    try:
        while (block := made.get()) is not None:
            if isinstance(block, BaseException):
                raise block
            yield block
    finally:
        left.set()
        maker.join()
