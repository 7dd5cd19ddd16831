"""watchdog's events to paths worth a look: hints only, the rescan is the truth."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import watchdog.events
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

# Also what the kernel is asked for. "Opened" and "closed without a change" would be answers to our own reading, without
# end; a scan that opens 10,000 folders overflows the kernel's queue, which watchdog answers by opening them again.
WORTH_A_LOOK: list[type[FileSystemEvent]] = [
    watchdog.events.FileCreatedEvent,
    watchdog.events.FileModifiedEvent,
    watchdog.events.FileMovedEvent,
    watchdog.events.FileClosedEvent,
    watchdog.events.DirCreatedEvent,
    watchdog.events.DirMovedEvent,
]
if hasattr(watchdog.events, "FileAttribEvent"):  # older versions call a new time of change a modification
    WORTH_A_LOOK.append(watchdog.events.FileAttribEvent)
# of changes made by other machines the kernel says nothing here
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "vboxsf", "drvfs"})
REMOTE_FUSE = ("fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.gvfsd-fuse", "fuse.davfs")
WATCHDOG = logging.getLogger("watchdog")


def is_remote(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Tell whether a folder lies on a network file system, where events are not to be relied upon."""
    try:
        device = folder.stat().st_dev
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    kinds = {line.partition(" - ")[2].split(" ")[0] for line in lines if line.split(" ")[2:3] == [number]}
    return any(kind in REMOTE or kind.startswith(REMOTE_FUSE) for kind in kinds)


class Events:
    """Calls back with every path in a folder, or below it, that may have changed.

    Parameters
    ----------
    inbox : Path
        The folder.
    changed : callable
        Called with a path, from watchdog's thread; it must be quick and must not raise.

    Raises
    ------
    OSError
        When the system refuses, for example for want of inotify watches.
    """

    def __init__(self, inbox: Path, changed: Callable[[Path], None]) -> None:
        self._complaints = _Complaints()
        WATCHDOG.addHandler(self._complaints)
        WATCHDOG.propagate = False  # what it loses the rescan finds; its words are not for users
        self._observer = Observer()
        try:
            self._observer.start()
            self._observer.schedule(_Handler(changed), str(inbox), recursive=True, event_filter=WORTH_A_LOOK)
        except BaseException:
            self.stop()
            raise

    @property
    def sound(self) -> bool:
        """Whether all threads live and nothing was lost; if not, stop it, make another and read the folder."""
        threads = [self._observer, *self._observer.emitters]
        return len(threads) > 1 and all(thread.is_alive() for thread in threads) and not self._complaints.heard

    def stop(self) -> None:
        """Hear no more."""
        WATCHDOG.removeHandler(self._complaints)
        self._observer.stop()
        if self._observer.is_alive():
            self._observer.join()


class _Complaints(logging.Handler):
    """Notes that watchdog warned of something: a queue that overflowed, a folder that could not be watched."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard = False

    def emit(self, record: logging.LogRecord) -> None:
        self.heard = True


class _Handler(FileSystemEventHandler):
    def __init__(self, changed: Callable[[Path], None]) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, tuple(WORTH_A_LOOK)):
            # a rename into place names the file only as its destination
            self._changed(Path(os.fsdecode(event.dest_path or event.src_path)))
