"""Names of files that fit into a folder: not too long, and numbered where one is taken."""

import itertools
import os
from collections.abc import Callable, Container, Iterator
from pathlib import Path

LONGEST_NAME = 255
LONGEST_NUMBERED = 240  # leaves room for ``.reason.txt``: cut off, two numbers would want the same file beside them
LONGEST_SUFFIX = 32


def fitting(stem: str, tail: str, longest: int = LONGEST_NAME) -> str:
    """Shorten a stem, by whole characters, so that stem and tail together are a name of at most so many bytes."""
    while stem and len(os.fsencode(stem + tail)) > longest:
        stem = stem[:-1]
    return stem + tail


def names(wished: str) -> Iterator[str]:
    """Give a name, and then ``name-2``, ``name-3`` and so on, the number before the suffix."""
    yield wished
    path = Path(wished)
    stem, suffix = (path.stem, path.suffix) if len(os.fsencode(path.suffix)) <= LONGEST_SUFFIX else (wished, "")
    for number in itertools.count(2):
        yield fitting(stem, f"-{number}{suffix}", LONGEST_NUMBERED)


def numbered(
    folder: Path,
    name: str,
    taken: Container[str] = (),
    beside: Callable[[Path], Path] | None = None,
    ours: Callable[[Path], bool] = lambda path: False,
    tried: dict[str, Iterator[str]] | None = None,
) -> Path:
    """Find the first of ``name``, ``name-2``, ``name-3`` that is neither on the disk nor taken.

    Parameters
    ----------
    folder : Path
        Where it is to lie.
    name : str
        The wished file name; the number goes before its suffix.
    taken : container of str
        Whole paths, casefolded, that are promised to others.
    beside : callable, optional
        Gives the file that is to lie beside it, which must be free as well.
    ours : callable, optional
        Tells of a file on the disk whether it may be replaced; then its name is as good as free.
    tried : dict, optional
        Remembers between calls which names were given or not free, for a hundred thousand of one name.
    """
    untried = names(name) if tried is None else tried.setdefault(f"{folder}/{name}", names(name))
    for path in (folder / one for one in untried):
        if os.path.lexists(path) and ours(path):
            return path
        pair = (path, beside(path)) if beside else (path,)
        if len(set(pair)) < len(pair):  # a name so long that the two would be one
            continue
        if not any(str(one).casefold() in taken or os.path.lexists(one) for one in pair):
            return path
    raise AssertionError("counting never ends")
