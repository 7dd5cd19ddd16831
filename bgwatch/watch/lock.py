"""One daemon an inbox: an flock on the inbox folder itself, so that state folders do not matter."""

import os
from pathlib import Path

from bgwatch.errors import FolderError


class InboxLock:
    """Holds an inbox until closed, or until this process ends in whatever way.

    Raises
    ------
    FolderError
        When another process holds it, naming that process, or when it cannot be opened.
    """

    def __init__(self, inbox: Path) -> None:
        import fcntl

        self._inbox = inbox
        try:
            self._descriptor = os.open(inbox, os.O_RDONLY)  # not inherited by spawned workers
        except OSError as error:
            said = f"{inbox}: cannot be opened ({error.strerror}); check that it is there, and its rights"
            raise FolderError(said) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _holder(os.fstat(self._descriptor))
            os.close(self._descriptor)
            said = f"{inbox}: is watched already by {holder}; stop that one or watch another folder"
            raise FolderError(said) from None

    @property
    def holds(self) -> bool:
        """Whether the folder of that name is still the one that was locked."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._inbox.stat())
        except OSError:
            return False

    def close(self) -> None:
        """Let the inbox go."""
        os.close(self._descriptor)


def _holder(status: os.stat_result) -> str:
    """Find the process that holds an flock, where the kernel tells."""
    inode = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return "another process"
    for line in lines:
        fields = line.split()
        if "FLOCK" in fields and inode in fields:
            return f"process {fields[fields.index(inode) - 1]}"
    return "another process"
