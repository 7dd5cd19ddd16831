"""Tells the service manager how the daemon is, as sd_notify(3) does; nobody where there is none."""

import contextlib
import os
import socket
import time

from bgwatch.errors import printable

PATIENCE = 1.0  # seconds for a manager that is slow to read


class Notifier:
    """Speaks to the manager that started this process, if it asked for that.

    Takes its variables out of the environment, so that workers do not speak in the daemon's name: make it before them.
    """

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        microseconds = os.environ.pop("WATCHDOG_USEC", "")
        ours = os.environ.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self._watched = bool(self._address and ours and microseconds.isdecimal() and int(microseconds))

    def ready(self, status: str) -> None:
        """Tell that the start, or a reload, has ended well, and what is done now."""
        self._send("READY=1", f"STATUS={printable(status)}")  # a line break would begin another assignment

    def reloading(self) -> None:
        """Tell that the settings are read again; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Tell that the end has begun."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Tell that the loop still turns, if the manager waits for that."""
        if self._watched:
            self._send("WATCHDOG=1")

    def _send(self, *assignments: str) -> None:
        if not self._address:
            return
        abstract = self._address.startswith("@")
        # a manager that has gone, or refuses, is no reason to stop cutting out pictures
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(PATIENCE)
            manager.connect("\0" + self._address[1:] if abstract else self._address)
            manager.send("\n".join(assignments).encode())
