"""watchdog's events to paths worth a look: hints only, the rescan is the truth."""

import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    EVENT_TYPE_CLOSED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_MODIFIED,
    EVENT_TYPE_MOVED,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

# "opened" and "closed_no_write" would be answers to our own reading, without end
WORTH_A_LOOK = frozenset({EVENT_TYPE_CREATED, EVENT_TYPE_MODIFIED, EVENT_TYPE_MOVED, EVENT_TYPE_CLOSED})


class Events:
    """Calls back with every path that may have changed.

    Parameters
    ----------
    changed : callable
        Called with a path, from watchdog's thread; it must be quick and must not raise.
    """

    def __init__(self, changed: Callable[[Path], None]) -> None:
        self._handler = _Handler(changed)
        self._observer = Observer()
        self._observer.start()

    def watch(self, inbox: Path) -> None:
        """Begin to hear of a folder and all below it.

        Raises
        ------
        OSError
            When the system refuses, for example for want of inotify watches.
        """
        self._observer.schedule(self._handler, str(inbox), recursive=True)

    def stop(self) -> None:
        """Hear no more."""
        self._observer.stop()
        self._observer.join()


class _Handler(FileSystemEventHandler):
    def __init__(self, changed: Callable[[Path], None]) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory and event.event_type == EVENT_TYPE_MODIFIED:
            return  # every file that appears modifies its folder; the file has an event of its own
        if event.event_type in WORTH_A_LOOK:
            # a rename into place names the file only as its destination
            path = event.dest_path if event.event_type == EVENT_TYPE_MOVED else event.src_path
            self._changed(Path(os.fsdecode(path)))
