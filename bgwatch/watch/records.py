"""What the ledger tells of pictures."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bgwatch.imagefile import Identity

State = Literal["placing", "done", "review", "failed", "skipped", "again", "dropped"]
Kind = Literal["done", "review", "failed", "skipped", "again"]
COLUMNS = (
    "inbox, path, device, original_inode, size, mtime_ns, kind, place, inode, confidence, reason, seconds, attempts"
)


@dataclass(frozen=True)
class Attempt:
    """What one attempt at a picture came to, or is about to.

    Attributes
    ----------
    inbox : Path
        The watched folder.
    original : Path
        The picture, relative to the inbox.
    identity : Identity
        The original as it was read.
    kind : {"done", "review", "failed", "skipped", "again"}
        What is to be noted once all is in place.
    place : Path
        Where the result is to appear, or the original that failed.
    inode : int
        Of what is to appear, which has it before and after.
    confidence : float or None
        Of the result.
    reason : str
        Why it is under review, has failed, was skipped or is tried again.
    seconds : float
        Time the work on the picture took.
    attempts : int
        How many there were, this one included.
    """

    inbox: Path
    original: Path
    identity: Identity
    kind: Kind
    place: Path
    inode: int
    confidence: float | None = None
    reason: str = ""
    seconds: float = 0.0
    attempts: int = 1


class Finished(NamedTuple):
    """What is remembered of an original that stays in the inbox and is not to be done again.

    Attributes
    ----------
    size : int
        In bytes.
    mtime_ns : int
        Time of its last change.
    digest : bytes or None
        Of its content, which decides where the time alone has changed, as it does over a network mount.
    """

    size: int
    mtime_ns: int
    digest: bytes | None


def attempt_of(values: list[Any]) -> Attempt:
    """Give the attempt whose `COLUMNS` a row of the ledger holds."""
    inbox, path, device, inode, size, mtime_ns, kind, place, *rest = values
    identity = Identity(device, inode, size, mtime_ns)
    return Attempt(_path(inbox), _path(path), identity, kind, _path(place), *rest)


def _path(name: bytes) -> Path:
    return Path(os.fsdecode(name))
