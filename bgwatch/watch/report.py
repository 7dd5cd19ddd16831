"""How the daemons of a state folder stand, in words and as plain values."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bgwatch.watch.heartbeat import Pulse, pulses

SILENT = 120.0  # seconds without a beat after which a daemon is said to hang


def daemons(state: Path, inboxes: Sequence[str] = ()) -> list[Pulse]:
    """Find the daemons of a state folder; of those that have ended, the last one if no other runs.

    Parameters
    ----------
    state : Path
        The state folder.
    inboxes : sequence of str
        When it is not empty, only daemons that watch one of them are meant.
    """
    wanted = {os.path.realpath(inbox) for inbox in inboxes}
    found = [
        pulse
        for pulse in pulses(state)
        if pulse.told and (not wanted or wanted & {folder["inbox"] for folder in pulse.told["folders"]})
    ]
    alive = [pulse for pulse in found if pulse.alive]
    return alive or sorted(found, key=lambda pulse: pulse.age)[:1]


def runs(pulse: Pulse) -> bool:
    """Tell whether a daemon lives and its loop turns."""
    return pulse.alive and pulse.age < SILENT


def as_json(found: Sequence[Pulse]) -> dict[str, Any]:
    """Give all that is known, for programs."""
    told = [{**pulse.told, "running": runs(pulse), "silent_seconds": round(pulse.age, 1)} for pulse in found]
    return {"running": any(map(runs, found)), "daemons": told}


def lines(found: Sequence[Pulse]) -> list[str]:
    """Say it in words."""
    return [line for pulse in found for line in _lines(pulse)] or ["not running; start it with bgwatch watch"]


def _lines(pulse: Pulse) -> list[str]:
    told = pulse.told
    since = datetime.fromisoformat(told["since"]).astimezone()
    if not pulse.alive:
        head = f"not running; the last one, of {since:%Y-%m-%d %H:%M}, ended {_span(pulse.age)} ago"
    elif not runs(pulse):
        head = f"process {told['pid']} has not answered for {_span(pulse.age)}; look at its log, or start it again"
    else:
        speed = f"{told['pictures_a_minute']:g} pictures a minute"
        head = f"running as process {told['pid']} since {since:%Y-%m-%d %H:%M:%S}, {speed}"
    return [head, *(line for folder in told["folders"] for line in _folder_lines(folder, pulse.alive))]


def _folder_lines(folder: dict[str, Any], alive: bool) -> list[str]:
    more = "at least " if folder["more"] else ""
    counts = (
        f"{more}{folder['queued']} queued, {len(folder['working_on'])} being worked on, {folder['done']} done, "
        f"{folder['review']} to be reviewed, {folder['failed']} failed"
    )
    scanned = folder["last_rescan"]
    state = f"{folder['state']}, by {folder['events']}" if alive else "not watched"
    when = f", last read {datetime.fromisoformat(scanned).astimezone():%H:%M:%S}" if scanned else ""
    said = [
        f"{folder['inbox']} -> {folder['outbox']}: {state}{when}",
        f"  {counts}" + (f", {folder['skipped']} skipped" if folder["skipped"] else ""),
    ]
    if folder["last_error"]:
        at = datetime.fromisoformat(folder["last_error_at"]).astimezone()
        said.append(f"  last error, {at:%Y-%m-%d %H:%M:%S}: {folder['last_error']}")
    return said


def _span(seconds: float) -> str:
    for name, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} second{'' if round(seconds) == 1 else 's'}"
