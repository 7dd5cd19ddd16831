"""Many sources to as many results: what is to be done, under which names."""

import os
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bgwatch.errors import PictureError, SettingsError, printable
from bgwatch.imagefile import SUFFIXES, looks_like_picture
from bgwatch.inputs.lists import TABLES, is_list, listed
from bgwatch.inputs.sources import Source, is_folder, key_of
from bgwatch.journal import Journal, Made
from bgwatch.settings import RESULT_SUFFIXES, Naming, Output
from bgwatch.wishes import settled, wished

_SUFFIXES = "|".join(re.escape(suffix) for suffixes in RESULT_SUFFIXES.values() for suffix in suffixes)
OWN_RESULT = re.compile(rf"\.(cutout|mask)(-\d+)?({_SUFFIXES})$")

DEFAULT = Output()
BY_STEM = Naming()


@dataclass
class Plan:
    """What a call of ``remove`` is going to do.

    Attributes
    ----------
    targets : dict of Source to Path
        Each source that is to be cut out with the file its result becomes, in the order of the inputs.
    before : dict of Source to Made
        Sources that an earlier run has done with the same settings, and their results.
    standing : dict of Source to Path
        Sources that are skipped because of a file that is there already.
    skipped : int
        Files met in folders that are no pictures.
    own : int
        Files met in folders that are results of an earlier run.
    unreadable : list of str
        Folders and lists, or rows of lists, that could not be read, as sentences.
    notes : list of str
        What was left out and is no failure, as sentences.
    on_conflict : {"number", "overwrite", "skip"}
        What happens to a file that is there when a result is put in place.
    redo : bool
        Whether what was done before, or by another run meanwhile, is done again.
    """

    targets: dict[Source, Path] = field(default_factory=dict)
    before: dict[Source, Made] = field(default_factory=dict)
    standing: dict[Source, Path] = field(default_factory=dict)
    skipped: int = 0
    own: int = 0
    unreadable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    on_conflict: Literal["number", "overwrite", "skip"] = "number"
    redo: bool = False

    @property
    def remarks(self) -> list[str]:
        """What was left out or could not be read, in one line each: no name can begin a line of its own."""
        return [printable(sentence) for sentence in (*self.notes, *self.unreadable)]

    @property
    def found(self) -> int:
        """How many pictures were found."""
        return len(self.targets) + len(self.before) + len(self.standing)

    @property
    def unsure_before(self) -> int:
        """How many results of an earlier run are below ``min_confidence``."""
        return sum(result.unsure for result in self.before.values())


def is_file(inputs: Sequence[Source], out: Path | None) -> bool:
    """Tell whether OUT names one file, and not a folder."""
    return out is not None and len(inputs) == 1 and _is_named_as_file(out)


def _is_named_as_file(out: Path) -> bool:
    return out.suffix.lower() in SUFFIXES and not os.path.isdir(out)


def plan(
    inputs: Iterable[Source],
    out: Path | None,
    output: Output = DEFAULT,
    column: str | None = None,
    sample: int | None = None,
    seed: int = 0,
    naming: Naming = BY_STEM,
    journal: Journal | None = None,
    redo: bool = False,
    several: bool = False,
) -> Plan:
    """Find the pictures and give each result its name, clashes settled in the order of the inputs.

    Parameters
    ----------
    inputs : iterable of Source
        Pictures, folders, lists, addresses.
    out : Path or None
        The folder of the results, or the one result.
    output : Output, optional
        What results are to be.
    column : str, optional
        The column of CSV files that names pictures.
    sample : int, optional
        How many of the pictures that were found are taken, at random and in their order.
    seed : int, optional
        Of the random choice.
    naming : Naming, optional
        How results are named.
    journal : Journal, optional
        What was done before.
    redo : bool, optional
        Whether what was done before is to be done again.
    several : bool, optional
        Whether a picture may become a series of numbered results.

    Raises
    ------
    SettingsError
        When OUT lies inside an input folder, or is the input itself, or names one picture for many, or a template
        leads out of it, or a column is named and there is no CSV file.
    """
    inputs = list(inputs)
    if column is not None and not any(isinstance(one, Path) and one.suffix.lower() in TABLES for one in inputs):
        raise SettingsError(f"--column {column}: no INPUT is a CSV file; name one, or leave --column out")
    made = Plan(on_conflict=naming.on_conflict, redo=redo)
    wishes: dict[Source, Path]
    if out is not None and is_file(inputs, out):
        _refuse_as_file(inputs[0], out)
        wishes = {inputs[0]: out}
    else:
        _refuse_one_for_many(inputs, out)
        found = _chosen(_all_found(inputs, out, made, column, journal), sample, seed)
        wishes = dict(wished(found, out, output, naming))
        if journal and not redo:
            before = ((source, journal.found(source, wish.parent)) for source, wish in wishes.items())
            made.before = {source: result for source, result in before if result}
    todo = {source: wish for source, wish in wishes.items() if source not in made.before}
    promised = (result.path for result in made.before.values())
    for source, target, skipped in settled(todo, promised, made.on_conflict, several):
        (made.standing if skipped else made.targets)[source] = target
    return made


def _all_found(
    inputs: Iterable[Source], out: Path | None, made: Plan, column: str | None, journal: Journal | None
) -> Iterator[tuple[Source, Path]]:
    """Yield each picture once, with the folder its result belongs in."""
    seen: set[str] = set()
    for given in inputs:
        if out is not None:
            _refuse_inside(out, given)
        for source, folder in _found(given, out, made, column, journal):
            key = key_of(source)
            if key not in seen:
                seen.add(key)
                yield source, folder


def _chosen(found: Iterable[tuple[Source, Path]], sample: int | None, seed: int) -> Iterable[tuple[Source, Path]]:
    if sample is None:
        return found
    found = list(found)
    return [found[place] for place in sorted(random.Random(seed).sample(range(len(found)), min(sample, len(found))))]


def _found(
    given: Source, out: Path | None, made: Plan, column: str | None, journal: Journal | None
) -> Iterator[tuple[Source, Path]]:
    if isinstance(given, Path) and os.path.isdir(given):  # Path.is_dir raises for a name that is too long
        yield from _found_in_folder(given, out, made, journal)
    elif isinstance(given, Path) and is_list(given):
        try:
            for source in listed(given, column, made.unreadable.append, made.notes.append):
                yield source, out or source.parent
        except PictureError as error:
            made.unreadable.append(str(error))
    else:
        yield given, out or given.parent


def _found_in_folder(
    given: Path, out: Path | None, made: Plan, journal: Journal | None
) -> Iterator[tuple[Source, Path]]:
    def unreadable(error: OSError) -> None:
        made.unreadable.append(f"{error.filename}: the folder cannot be read ({error.strerror}); check its rights")

    for name, folders, files in os.walk(given, onerror=unreadable):
        folder = Path(name)
        seen = sorted(one for one in folders if not one.startswith("."))
        folders[:] = [one for one in seen if not _is_result(folder / one, out, journal)]
        made.own += len(seen) - len(folders)
        for file in sorted(files):
            path = folder / file
            if file.startswith("."):
                continue
            if OWN_RESULT.search(file) or _is_result(path, out, journal):
                made.own += 1
            elif not looks_like_picture(path):
                made.skipped += 1
            else:
                yield path, folder if out is None else out / folder.relative_to(given)


def _is_result(path: Path, out: Path | None, journal: Journal | None) -> bool:
    return out is None and journal is not None and journal.is_result(path)


def _refuse_as_file(source: Source, out: Path) -> None:
    if is_folder(source) or is_list(source):
        kind = "folder" if is_folder(source) else "list"
        raise SettingsError(f"{out}: {source} is a {kind}, so OUT must be a folder; take the suffix away")
    if isinstance(source, Path) and os.path.exists(out) and os.path.exists(source) and out.samefile(source):
        raise SettingsError(f"{out}: OUT is the picture itself, which is never changed; name another file")


def _refuse_one_for_many(inputs: Sequence[Source], out: Path | None) -> None:
    if out is not None and _is_named_as_file(out):
        raise SettingsError(
            f"{out}: OUT is named like one picture, and {len(inputs)} INPUTs are given; name a folder without a suffix"
        )


def _refuse_inside(out: Path, given: Source) -> None:
    if isinstance(given, Path) and os.path.isdir(given) and out.resolve().is_relative_to(given.resolve()):
        raise SettingsError(f"{out}: OUT lies inside the input folder {given}; name a folder outside it")
