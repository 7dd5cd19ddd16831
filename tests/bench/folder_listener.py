"""Count the files that a plain watchdog observer hears of; a process of its own, so that it is as quick as it can be.

    python tests/bench/folder_listener.py INBOX

It says "ready", listens until its standard input ends, and prints how many different files it was told about.
"""

import logging
import sys
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Heard(FileSystemEventHandler):
    """Remembers the names of new files."""

    def __init__(self) -> None:
        self.paths: set[str | bytes] = set()

    def on_created(self, event: FileSystemEvent) -> None:
        if not event.is_directory:
            self.paths.add(event.src_path)


def listen(inbox: Path) -> None:
    """Listen until standard input ends."""
    logging.disable()  # what it loses is what is counted
    heard, observer = Heard(), Observer()
    observer.schedule(heard, str(inbox), recursive=True)
    observer.start()
    print("ready", flush=True)
    sys.stdin.read()
    observer.stop()
    observer.join()
    print(len(heard.paths))


if __name__ == "__main__":
    listen(Path(sys.argv[1]))
