"""Several numbered results of one picture, a file for each frame or page, in a folder that appears as one."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from bgwatch.numbering import fitting

SUFFIX = ".frames"
LONGEST_STEM = 200  # bytes of the files' names, so that they begin as the folder's, however it is numbered
OF_FILE_MANAGERS = (".ds_store", "thumbs.db", "desktop.ini")  # which they leave in every folder that they show
NUMBERED = re.compile(r"(.*)-\d+\.\w+", re.DOTALL)


def series_of(result: Path) -> Path:
    """Name the folder for the frames of a picture whose one result would have this name."""
    return result.with_name(fitting(result.stem, SUFFIX))


def standing_at(result: Path, several: bool) -> Path | None:
    """Give what is there under the name of a result or, where it may be of ``several`` frames, of its series."""
    wanted = (result, series_of(result)) if several else (result,)
    return next((place for place in wanted if os.path.lexists(place)), None)


def numbers(stem: str, count: int, suffix: str) -> Iterator[str]:
    """Name the files of a series, which sort in their order: ``scan-01.png`` and so on."""
    stem = fitting(stem, "", LONGEST_STEM)
    for number in range(1, count + 1):
        yield f"{stem}-{number:0{len(str(count))}d}{suffix}"


def is_series(folder: Path) -> bool:
    """Tell whether something is the folder of a series, with nothing else in it than files numbered after it."""
    if folder.suffix != SUFFIX or folder.is_symlink():
        return False
    try:
        return all(one.is_file(follow_symlinks=False) and _is_numbered(one.name, folder.stem) for one in files(folder))
    except OSError:
        return False


def files(folder: Path) -> list["os.DirEntry[str]"]:
    """List what is in the folder of a series, but for what file managers leave there."""
    with os.scandir(folder) as found:
        return [one for one in found if one.name.lower() not in OF_FILE_MANAGERS]


def _is_numbered(name: str, stem: str) -> bool:
    found = NUMBERED.fullmatch(name)
    return found is not None and stem.startswith(found[1])  # and not equal: the folder may have a number too
