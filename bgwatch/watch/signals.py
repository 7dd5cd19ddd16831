"""SIGTERM, SIGINT and SIGHUP as flags, from the very start of the process: an import can swallow an exception."""

import signal
from collections.abc import Callable
from types import FrameType


class Signals:
    """What this process was asked for.

    Attributes
    ----------
    stop : bool
        To end: SIGTERM or SIGINT came. A second one raises KeyboardInterrupt, and is not waited for.
    reload : bool
        To read the settings again: SIGHUP came. Whoever has done so takes it back.
    wake : callable
        Called after each signal; it must be safe in a signal handler.
    """

    def __init__(self) -> None:
        self.stop = False
        self.reload = False
        self.wake: Callable[[], None] = lambda: None

    def obey(self) -> Callable[[], None]:
        """Take the signals from now on; give the way back."""
        names = [signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
        before = [(name, signal.signal(name, self._handle)) for name in names]

        def restore() -> None:
            for name, handler in before:
                signal.signal(name, handler)

        return restore

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == getattr(signal, "SIGHUP", None):
            self.reload = True
        elif self.stop:
            raise KeyboardInterrupt
        else:
            self.stop = True
        self.wake()
