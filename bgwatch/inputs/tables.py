"""A CSV file to the cells of the column that names pictures.

It has tabs, semicolons or commas: `csv.Sniffer` takes what addresses consist of for delimiters. Where there is but one
column there is no delimiter, since addresses may have commas in them. Its first line has the names of its columns,
unless it names a picture itself; then the columns are called 1, 2 and so on.
"""

import csv
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from bgwatch.errors import PictureError
from bgwatch.imagefile import SUFFIXES
from bgwatch.inputs.sources import is_url, shown

DELIMITERS = "\t;,"
NO_DELIMITER = "\x1f"
QUOTED = re.compile(r'"[^"]*"')
DECLARED = re.compile(rf"sep=([{DELIMITERS}])[\r\n]*", re.IGNORECASE)  # the first line of what is made for Excel
LOOKED_AT = 100  # rows, to find the column that names pictures


def cells(
    path: Path, column: str | None, tell: Callable[[str], None], note: Callable[[str], None]
) -> Iterator[tuple[int, str]]:
    """Yield the cells of the column that names pictures, each with the line it is on.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.
    column : str or None
        The name of the column. None takes the only one, or the only one that looks as if it named pictures.
    tell : callable
        Gets a sentence for each row that has more cells than there are columns, and no name that ends like a
        picture's in this one.
    note : callable
        Gets a sentence on rows that name nothing.

    Raises
    ------
    PictureError
        When it is empty, or the column is missing or not clear.
    OSError, UnicodeDecodeError, csv.Error
        When it cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        layout = _layout(file)
        head, rows = _headed(_rows(file, layout), layout, column is not None, path)
        sample = list(itertools.islice(rows, LOOKED_AT))
        place = _place_of(column, head, [row for _, row in sample], path)
        empty = 0
        for number, row in itertools.chain(sample, rows):
            if any(row[len(head) :]) and not _ends_like_picture(_at(row, place)):
                said = f"has {len(row)} cells for {len(head)} columns"
                tell(f"{path}: line {number} {said}; put what has a {layout.delimiter!r} in it into quotes")
            elif cell := _at(row, place):
                yield number, cell
            else:
                empty += 1
    if empty:
        note(f"{path}: {empty} row{'s have' if empty > 1 else ' has'} nothing in the column {head[place]!r}; skipped")


class _Layout(NamedTuple):
    first: str  # the first line with anything in it
    delimiter: str
    declared: bool  # whether that line is there to tell the delimiter


def _layout(file: TextIO) -> _Layout:
    lines = iter(lambda: file.readline(csv.field_size_limit()), "")
    first = next((line for line in lines if line.strip(DELIMITERS + " \r\n")), "")
    file.seek(0)
    if declared := DECLARED.fullmatch(first):
        return _Layout(first, declared[1], True)
    unquoted = QUOTED.sub("", first)
    delimiter = "\t" if "\t" in unquoted else max(DELIMITERS, key=unquoted.count)
    return _Layout(first, delimiter if delimiter in unquoted else NO_DELIMITER, False)


def _headed(
    rows: Iterator[tuple[int, list[str]]], layout: _Layout, certain: bool, path: Path
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Give the names of the columns and the rows below; `certain` says that there are columns."""
    number, head = next(rows, (0, []))
    if not head:
        raise PictureError(f"{path}: the list is empty; name a list of pictures")
    if not any(map(_looks_like_picture, head)):
        return head, rows
    if not certain and not layout.declared and layout.delimiter != "\t":
        _refuse_cut(head, layout.first, path)
    return [str(place) for place, _ in enumerate(head, 1)], itertools.chain([(number, head)], rows)


def _rows(file: TextIO, layout: _Layout) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that have anything in them, each with its line."""
    reader = csv.reader(file, delimiter=layout.delimiter)
    stripped = ([cell.strip() for cell in row] for row in reader)
    filled = ((reader.line_num, row) for row in stripped if any(row))
    return itertools.islice(filled, 1 if layout.declared else 0, None)


def _refuse_cut(row: list[str], line: str, path: Path) -> None:
    """Raise PictureError where a delimiter may be part of an address, as in ``https://example.org/a?crop=1,2``."""
    for cell, following in itertools.pairwise(row):
        whole = _ends_like_picture(cell) or f'"{cell}"' in line
        if is_url(cell) and not whole and following and not is_url(following) and " " not in following:
            raise PictureError(
                f"{path}: whether its first address ends with {shown(cell)} is not clear, since no line above names the"
                " columns; add such a line, or put the addresses into quotes"
            )


def _place_of(column: str | None, head: list[str], rows: list[list[str]], path: Path) -> int:
    names = ", ".join(map(repr, head))
    if column is not None:
        if column.strip() not in head:
            raise PictureError(f"{path}: has no column {column!r}; name one of {names} with --column")
        if (same := head.count(column.strip())) > 1:
            raise PictureError(f"{path}: has {same} columns {column!r}; give each a name of its own")
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
    return is_url(cell) or _ends_like_picture(cell)


def _ends_like_picture(cell: str) -> bool:
    return Path(cell).suffix.lower() in SUFFIXES


def _at(row: list[str], place: int) -> str:
    return row[place] if place < len(row) else ""
