"""Words from other threads to the loop: paths that may have changed, and that there is something to do."""

import queue
from collections.abc import Iterator
from pathlib import Path

AT_ONCE = 1000  # busy writers must not keep the loop from its other work
AT_MOST = 20_000  # more are not kept: a rescan finds what they would have told


class Hints:
    """A letter box for the loop, of a size that no burst of events exceeds."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._lost = False

    def put(self, path: Path) -> None:
        """Hand in a path; from any thread."""
        if self._queue.qsize() < AT_MOST:
            self._queue.put(path)
        else:
            self._lost = True

    def wake(self) -> None:
        """End the wait of `take`; from any thread, and from a signal handler."""
        self._queue.put(None)

    def take(self, seconds: float) -> Iterator[Path]:
        """Wait for paths, so long at most, and give some of them."""
        for number in range(AT_ONCE):
            try:
                hint = self._queue.get_nowait() if number else self._queue.get(timeout=max(0.0, seconds))
            except queue.Empty:
                return
            if hint is not None:
                yield hint

    def some_lost(self) -> bool:
        """Tell whether there were too many since this was last asked."""
        lost, self._lost = self._lost, False
        return lost
