"""A CSV file or a text file to the pictures that it names."""

import csv
import itertools
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from bgwatch.errors import PictureError
from bgwatch.imagefile import SUFFIXES, looks_like_picture
from bgwatch.inputs.sources import Source, Url, is_url

TABLES = frozenset({".csv", ".tsv"})
LISTS = TABLES | {".txt"}
DELIMITERS = ",;\t"
NO_DELIMITER = "\x1f"
MAX_BYTES = 200_000_000
LOOKED_AT = 100  # rows, to find the column that names pictures


def is_list(source: Source) -> bool:
    """Tell whether an input is named like a list, and is neither a folder nor a picture that has the wrong name."""
    if not isinstance(source, Path) or source.suffix.lower() not in LISTS or os.path.isdir(source):
        return False
    return not looks_like_picture(source)


def listed(
    path: Path, column: str | None, tell: Callable[[str], None], note: Callable[[str], None]
) -> Iterator[Source]:
    """Read a list, row by row.

    A text file has an address or a path on each line; what begins with ``#`` is a comment. A CSV file has commas,
    semicolons or tabs, whichever its first line has most of: `csv.Sniffer` takes what addresses consist of for
    delimiters. Its first line has the names of its columns, unless it names a picture itself; then the columns are
    called 1, 2 and so on.

    Parameters
    ----------
    path : Path
        The list, in UTF-8. Relative paths in it start from its folder.
    column : str or None
        The column that names the pictures. None takes the only one, or the only one that looks as if it did.
    tell : callable
        Gets a sentence for each row that names what cannot be a picture.
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
        cells = _cells(path, column, note) if path.suffix.lower() in TABLES else _lines(path)
        for number, cell in cells:
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
    if "\0" in cell:
        return "has a NUL character in it; take it out"
    if Path(cell).suffix.lower() in LISTS:
        return f"names another list ({cell}), which is not followed; give that one as an INPUT"
    return path.parent / cell


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if (text := line.strip()) and not text.startswith("#"):
                yield number, text


def _cells(path: Path, column: str | None, note: Callable[[str], None]) -> Iterator[tuple[int, str]]:
    """Yield the cells of the column that names pictures, each with the line it is on."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline(csv.field_size_limit())
        file.seek(0)
        delimiter = max(DELIMITERS, key=first.count)
        # where there is but one column, its addresses may have commas in them
        reader = csv.reader(file, delimiter=delimiter if delimiter in first else NO_DELIMITER)
        rows: Iterator[tuple[int, list[str]]] = (
            (reader.line_num, [cell.strip() for cell in row]) for row in reader if row
        )
        number, head = next(rows, (0, []))
        if not head:
            raise PictureError(f"{path}: the list is empty; name a list of pictures")
        if any(map(_looks_like_picture, head)):
            rows = itertools.chain([(number, head)], rows)
            head = [str(place) for place, _ in enumerate(head, 1)]
        sample = list(itertools.islice(rows, LOOKED_AT))
        place = _place_of(column, head, [row for _, row in sample], path)
        empty = 0
        for number, row in itertools.chain(sample, rows):
            if cell := _at(row, place):
                yield number, cell
            else:
                empty += 1
        if empty:
            note(
                f"{path}: {empty} row{'s have' if empty > 1 else ' has'} nothing in the column {head[place]!r}; skipped"
            )


def _place_of(column: str | None, head: list[str], rows: list[list[str]], path: Path) -> int:
    names = ", ".join(map(repr, head))
    if column is not None:
        if column.strip() not in head:
            raise PictureError(f"{path}: has no column {column!r}; name one of {names} with --column")
        return head.index(column.strip())
    if len(head) == 1:
        return 0
    fitting = [place for place, _ in enumerate(head) if _names_pictures([_at(row, place) for row in rows])]
    if len(fitting) == 1:
        return fitting[0]
    found = f"{len(fitting)} of its columns name" if fitting else "none of its columns seems to name"
    raise PictureError(f"{path}: {found} pictures; name one of {names} with --column")


def _names_pictures(cells: list[str]) -> bool:
    """Tell whether most cells of a column that are not empty name pictures."""
    filled = [cell for cell in cells if cell]
    return 2 * sum(map(_looks_like_picture, filled)) > len(filled)


def _looks_like_picture(cell: str) -> bool:
    return is_url(cell) or Path(cell).suffix.lower() in SUFFIXES


def _at(row: list[str], place: int) -> str:
    return row[place] if place < len(row) else ""
