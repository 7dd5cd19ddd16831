"""A process whose words can be waited for."""

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Sequence

PATIENCE = 60.0


class Running:
    """A Python module that runs as a process of its own, in a group of its own.

    Parameters
    ----------
    module : str
        What ``python -m`` is to run.
    *arguments : object
        Its arguments.
    python, under : sequence of str
        Options of Python, and the words that start it with other rights or folders than this process has.
    **environment : str
        Variables that differ from this process's.
    """

    def __init__(
        self,
        module: str,
        *arguments: object,
        python: Sequence[str] = (),
        under: Sequence[str] = (),
        **environment: str,
    ) -> None:
        self.process = subprocess.Popen(
            [*under, sys.executable, *python, "-m", module, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, **environment},
        )
        self.pid = self.process.pid
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def says(self, pattern: str) -> re.Match[str]:
        """Wait for a line that matches."""
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it ended without saying {pattern!r}:\n{''.join(self.said)}")

    def ends(self, number: int | None = None, within: float = PATIENCE) -> int:
        """Wait for its end, after a signal if one is given, and for its last words."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(within)
        self._reader.join(PATIENCE)
        return code

    def words(self) -> str:
        """All it has said, once it has ended."""
        self._reader.join(PATIENCE)
        return "".join(self.said)

    def close(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        assert self.process.stdout
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line)
            self._lines.put(line)
        self._lines.put(None)
