import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bgwatch.errors import FolderError
from bgwatch.watch.lock import InboxLock


def test_the_second_is_told_who_holds_the_inbox(tmp_path: Path) -> None:
    lock = InboxLock(tmp_path)
    with pytest.raises(FolderError, match=f"{re.escape(str(tmp_path))}: is watched already by process {os.getpid()};"):
        InboxLock(tmp_path)
    lock.close()
    InboxLock(tmp_path).close()


def test_a_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = InboxLock(tmp_path)
    wait = [sys.executable, "-c", "print(flush=True), input()"]
    with subprocess.Popen(wait, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False) as child:
        child.stdout.readline()  # it runs, so the kernel has closed what is not inherited
        lock.close()
        InboxLock(tmp_path).close()
        child.communicate(b"\n")
