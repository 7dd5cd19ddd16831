"""The working directory of a daemon, which may go."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bgwatch.errors import FolderError


class Footing:
    """Holds the working directory of the start: relative paths in orders are meant from there, however late."""

    def __init__(self) -> None:
        self._start = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))

    @contextlib.contextmanager
    def regained(self) -> Iterator[None]:
        """Stand there for a while, even when it has gone, so that nothing is taken from elsewhere in its stead.

        Raises
        ------
        FolderError
            When this user has no right to it any more.
        """
        try:
            os.fchdir(self._start)
        except OSError as error:
            said = f"the working directory cannot be used ({error.strerror}); start from another one"
            raise FolderError(said) from None
        try:
            yield
        finally:
            leave_what_has_gone()


def leave_what_has_gone() -> None:
    """Stand in the root folder where the working directory has gone: no process can be started in such a one."""
    try:
        Path.cwd()
    except FileNotFoundError:
        os.chdir("/")
