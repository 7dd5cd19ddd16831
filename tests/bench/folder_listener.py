"""Count the files that a plain watchdog observer hears of; a process of its own, so that it is as quick as it can be.

    python tests/bench/folder_listener.py INBOX

It says "ready", listens until its standard input ends and all that had happened by then has reached it, and prints how
many different files it was told about.
"""

import logging
import sys
import threading
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

AGAIN = 0.1  # seconds until the end is marked once more: the mark too may be lost


class Heard(FileSystemEventHandler):
    """Remembers the names of new files, and tells when it has heard of the one that marks the end."""

    def __init__(self, mark: Path) -> None:
        self.paths: set[str | bytes] = set()
        self.all = threading.Event()
        self._mark = str(mark)

    def on_created(self, event: FileSystemEvent) -> None:
        if event.src_path == self._mark:
            self.all.set()
        elif not event.is_directory:
            self.paths.add(event.src_path)


def listen(inbox: Path) -> None:
    """Listen until standard input ends."""
    logging.disable()  # what it loses is what is counted
    mark = inbox / ".end"  # the daemon leaves dotfiles alone
    heard, observer = Heard(mark), Observer()
    observer.schedule(heard, str(inbox), recursive=True)
    observer.start()
    print("ready", flush=True)
    sys.stdin.read()
    while not heard.all.is_set():  # events come in the order of what happened
        mark.touch()
        mark.unlink()
        heard.all.wait(AGAIN)
    observer.stop()
    observer.join()
    print(len(heard.paths))


if __name__ == "__main__":
    listen(Path(sys.argv[1]))
