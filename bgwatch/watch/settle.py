"""Has a file stopped changing? Pure: files are looked at elsewhere, and the clock is an argument."""

from collections.abc import Hashable
from pathlib import Path


class Settling:
    """Follows files until they have been the same for a while.

    Change is found by comparing what a file is with what it was, never its age with the clock on the wall: copy
    tools set old times, and clocks jump.

    Parameters
    ----------
    quiet : float
        Seconds without a change after which a file is settled.
    """

    def __init__(self, quiet: float) -> None:
        self._quiet = quiet
        self._since: dict[Path, tuple[Hashable, float]] = {}  # in the order of the last change

    def __len__(self) -> int:
        return len(self._since)

    def __contains__(self, path: Path) -> bool:
        return path in self._since

    def look(self, path: Path, identity: Hashable, now: float) -> bool:
        """Note what a file is now; True once it has been the same for long enough, and then it is forgotten."""
        known, since = self._since.get(path, (None, now))
        if known != identity:
            self._since.pop(path, None)
            self._since[path] = (identity, now)
            return False
        if now < since + self._quiet:
            return False
        del self._since[path]
        return True

    def forget(self, path: Path) -> None:
        """Stop following a file that has gone."""
        self._since.pop(path, None)

    def due(self, now: float) -> list[Path]:
        """Name the files that are to be looked at again now."""
        due = []
        for path, (_, since) in self._since.items():
            if now < since + self._quiet:
                break
            due.append(path)
        return due

    def next_due(self) -> float | None:
        """Tell when the next file is due; None when none is followed."""
        return next((since + self._quiet for _, since in self._since.values()), None)
