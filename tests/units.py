"""What tests of the systemd unit share."""

import os
import re
from pathlib import Path


class Systemd:
    """A ``systemctl`` and a ``loginctl`` on PATH, and no others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers("systemctl", "")
        self.answers("loginctl", "echo no")

    def answers(self, name: str, script: str) -> None:
        """Let a command write down how it was called, and then do this; ``$2`` is systemctl's verb."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.folder}/calls\n{script}\n')
        path.chmod(0o755)

    def calls(self) -> list[str]:
        """Take the calls that changed something."""
        calls = self.folder / "calls"
        said = calls.read_text().splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return [call.removeprefix("systemctl --user ") for call in said if not re.search(" show|is-active", call)]


def home() -> set[str]:
    """Every file and folder of this user."""
    return {str(path) for path in Path(os.environ["HOME"]).rglob("*")}


def lines(text: str) -> dict[str, str]:
    """The assignments of a unit."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
