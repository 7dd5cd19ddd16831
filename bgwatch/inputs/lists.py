"""A CSV file or a text file to the pictures that it names."""

import csv
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from bgwatch.errors import PictureError
from bgwatch.imagefile import looks_like_picture
from bgwatch.inputs.sources import Source, Url, is_folder, is_url
from bgwatch.inputs.tables import cells

TABLES = frozenset({".csv", ".tsv"})
LISTS = TABLES | {".txt"}
MAX_BYTES = 200_000_000
LONGEST_PATH = 4096  # Linux's PATH_MAX
HOME = re.compile(r"~[^/]*/")


def is_list(source: Source) -> bool:
    """Tell whether an input is named like a list, and is neither a folder nor a picture that has the wrong name."""
    if not isinstance(source, Path) or source.suffix.lower() not in LISTS or os.path.isdir(source):
        return False
    return not looks_like_picture(source)


def listed(
    path: Path, column: str | None, tell: Callable[[str], None], note: Callable[[str], None]
) -> Iterator[Source]:
    """Read a list, row by row.

    A text file has an address or a path on each line; what begins with ``#`` is a comment. Of a CSV file see
    `bgwatch.inputs.tables`.

    Parameters
    ----------
    path : Path
        The list, in UTF-8. Relative paths in it start from its folder, and ``~/`` is the user's home.
    column : str or None
        The column that names the pictures. None takes the only one, or the only one that looks as if it did.
    tell : callable
        Gets a sentence for each row that names what cannot be a picture, or has more cells than there are columns.
    note : callable
        Gets a sentence on rows that name nothing.

    Raises
    ------
    PictureError
        When it cannot be read, is no UTF-8 or no CSV, or the column is missing or not clear.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(f"{path}: not a regular file; give a list that is one")
        if status.st_size > MAX_BYTES:
            raise PictureError(f"{path}: lists of more than {MAX_BYTES // 10**6} MB are not read; split it")
        rows = cells(path, column, tell, note) if path.suffix.lower() in TABLES else _lines(path)
        for number, cell in rows:
            source = _named(cell, path)
            if isinstance(source, str):
                tell(f"{path}: line {number} {source}")
            else:
                yield source
    except OSError as error:
        raise PictureError(f"{path}: the list cannot be read ({error.strerror}); check its name and rights") from None
    except UnicodeDecodeError as error:
        found = f"it has the byte 0x{error.object[error.start]:02x}"
        raise PictureError(f"{path}: a list must be UTF-8 text, and {found}; save it as UTF-8") from None
    except csv.Error as error:
        raise PictureError(f"{path}: not readable as CSV ({error}); check its quotes") from None


def _named(cell: str, path: Path) -> Source | str:
    """Give what a row names, or say what is wrong with it."""
    if is_url(cell):
        return Url(cell)
    if fault := _fault(cell):
        return fault
    try:
        named = path.parent / (Path(cell).expanduser() if HOME.match(cell) else cell)
    except RuntimeError:
        home = cell.partition("/")[0]
        return f"names {home}, and no such home is known; give the whole path, or ./{home} for a folder of that name"
    if is_folder(named):
        return f"names a folder ({cell}), which is not followed; give that one as an INPUT"
    return named


def _fault(cell: str) -> str | None:
    """Say why a text is no path of a picture."""
    if "\0" in cell:
        return "has a NUL character in it; take it out"
    if cell[:5].lower() == "data:":
        return f"has a picture in it ({cell[:25]}...), which is not read; save that to a file"
    if len(cell) > LONGEST_PATH:
        return f"has {len(cell)} characters, and a path has no more than {LONGEST_PATH}; check it"
    if Path(cell).suffix.lower() in LISTS:
        return f"names another list ({cell}), which is not followed; give that one as an INPUT"
    return None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if (text := line.strip()) and not text.startswith("#"):
                yield number, text
