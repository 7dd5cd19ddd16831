"""Sources to the files that their results become: names by template, and clashes settled."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from bgwatch.errors import FolderError, SettingsError
from bgwatch.inputs.sources import Source, key_of
from bgwatch.naming import rendered
from bgwatch.numbering import fitting, numbered
from bgwatch.place import refuse_outside, replaceable
from bgwatch.series import standing_at
from bgwatch.settings import Naming, Output


def wished(
    found: Iterable[tuple[Source, Path]], out: Path | None, output: Output, naming: Naming
) -> Iterator[tuple[Source, Path]]:
    """Give each source the name that its result wants.

    Parameters
    ----------
    found : iterable of (Source, Path)
        Sources, each with the folder that its result belongs in.
    out : Path or None
        The folder of all results; without it they lie beside their sources.
    output, naming
        What results are, and how they are named.

    Raises
    ------
    SettingsError
        When the template leads out of the folder of results.
    """
    kind = "" if out is not None else ".mask" if output.mask else ".cutout"
    safe = set[Path]()
    for number, (source, folder) in enumerate(found, 1):
        if naming.name is None:
            yield source, folder / fitting(source.stem, kind + output.suffix)
            continue
        of = os.path.basename(os.path.abspath(source.parent))  # noqa: PTH100, PTH119 - `..` is taken out as in a shell
        target = folder / rendered(naming.name, output.suffix, source.stem, source.name, of, number)
        if target.parent not in safe:
            _refuse_outside(target, folder if out is None else out)
            safe.add(target.parent)
        yield source, target


def settled(
    wishes: Mapping[Source, Path],
    promised: Iterable[Path],
    on_conflict: Literal["number", "overwrite", "skip"],
    several: bool = False,
) -> Iterator[tuple[Source, Path, bool]]:
    """Settle which file each result becomes, clashes in the order of the sources.

    Parameters
    ----------
    wishes : mapping of Source to Path
        Sources with the files their results want.
    promised : iterable of Path
        Results of this run that exist already.
    on_conflict : {"number", "overwrite", "skip"}
        What happens where a file is there already. Two sources that want one name are numbered in any case.
    several : bool, optional
        Whether a source may become a series, so that one that is there counts as its result.

    Yields
    ------
    (Source, Path, bool)
        The source, the file, and whether it is skipped because of that file.
    """
    taken = {str(path).casefold() for path in promised}
    tried: dict[str, Iterator[str]] = {}
    overwrites = on_conflict == "overwrite"
    sources = {key_of(source) for source in wishes} if overwrites else set()
    identities = set(_identities(wishes if overwrites else ()))

    def ours(path: Path) -> bool:
        return overwrites and str(path).casefold() not in taken and _replaceable(path, sources, identities)

    for source, target in wishes.items():
        there = standing_at(target, several) if on_conflict == "skip" and str(target).casefold() not in taken else None
        if there:
            yield source, there, True
            continue
        free = numbered(target.parent, target.name, taken, ours=ours, tried=tried)
        taken.add(str(free).casefold())
        yield source, free, False


def _refuse_outside(target: Path, folder: Path) -> None:
    try:
        refuse_outside(target, folder)
    except FolderError as error:
        raise SettingsError(str(error)) from None


def _identities(sources: Iterable[Source]) -> Iterator[tuple[int, int]]:
    for source in (source for source in sources if isinstance(source, Path)):
        try:
            status = source.stat()
        except (OSError, ValueError):
            continue
        yield status.st_dev, status.st_ino


def _replaceable(path: Path, sources: Collection[str], identities: set[tuple[int, int]]) -> bool:
    """Tell whether what lies in a place may be replaced, and is no source of this run under whatever name."""
    return replaceable(path) and key_of(path) not in sources and identities.isdisjoint(_identities([path]))
