"""Many sources to as many results: what is to be done, under which names, and the doing of it."""

import os
import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bgwatch.errors import FolderError, SettingsError
from bgwatch.imagefile import SUFFIXES, looks_like_picture
from bgwatch.job import Job, Outcome, pool
from bgwatch.place import discard, fitting, make_folder, numbered, publish, temporary_in
from bgwatch.settings import RESULT_SUFFIXES, Output, PictureLimits, WorkerLimits

_SUFFIXES = "|".join(re.escape(suffix) for suffixes in RESULT_SUFFIXES.values() for suffix in suffixes)
OWN_RESULT = re.compile(rf"\.(cutout|mask)(-\d+)?({_SUFFIXES})$")

DEFAULT = Output()


@dataclass
class Plan:
    """What a call of ``remove`` is going to do.

    Attributes
    ----------
    targets : dict of Path to Path
        Each source with the file its result becomes, in the order of the inputs.
    skipped : int
        Files met in folders that are no pictures.
    own : int
        Files met in folders that are results of an earlier run.
    unreadable : list of str
        Folders that could not be read, as sentences.
    replace : bool
        Whether the one target was named by the user, and so replaces what is there.
    """

    targets: dict[Path, Path] = field(default_factory=dict)
    skipped: int = 0
    own: int = 0
    unreadable: list[str] = field(default_factory=list)
    replace: bool = False


def is_file(inputs: Sequence[Path], out: Path | None) -> bool:
    """Tell whether OUT names one file, and not a folder."""
    return out is not None and len(inputs) == 1 and out.suffix.lower() in SUFFIXES and not os.path.isdir(out)


def plan(inputs: Iterable[Path], out: Path | None, output: Output = DEFAULT) -> Plan:
    """Find the pictures and give each result its name, clashes numbered in the order of the inputs.

    Raises
    ------
    SettingsError
        When OUT lies inside an input folder, or is the input itself.
    """
    inputs = list(inputs)
    made = Plan()
    if out is not None and is_file(inputs, out):
        _refuse_as_file(inputs[0], out)
        made.targets[inputs[0]] = out
        made.replace = True
        return made
    taken: set[str] = set()
    seen: set[str] = set()
    for given in inputs:
        if out is not None:
            _refuse_inside(out, given)
        for source, folder in _found(given, out, made):
            real = os.path.join(os.path.realpath(source.parent), source.name)  # noqa: PTH118 - realpath gives text
            if real in seen:
                continue
            seen.add(real)
            target = numbered(folder, _name(source, out, output), taken)
            taken.add(str(target).casefold())
            made.targets[source] = target
    return made


def carry_out(
    made: Plan,
    options: dict[str, Any],
    allowed: PictureLimits,
    limits: WorkerLimits,
    output: Output,
    count: int,
    scheduler: str | None = None,
) -> Generator[tuple[Outcome, Path | None], None, None]:
    """Do what was planned, yielding each outcome with the file it became as soon as it is in place.

    Closing the iterator early ends the worker processes and takes their unfinished files away.
    """
    made_of = output.model_dump()
    workers = pool(max(1, min(count, len(made.targets))), limits, scheduler=scheduler)
    waiting = deque(made.targets.items())
    flying: dict[str, Path] = {}
    try:
        while waiting or workers.busy:
            while waiting and workers.room:
                source, target = waiting.popleft()
                job = Job(str(source), str(temporary_in(target.parent)), options, allowed.model_dump(), made_of)
                try:
                    make_folder(target.parent)
                except FolderError as error:
                    yield Outcome(job, "blocked", (str(error),)), None
                    continue
                flying[job.temporary] = target
                workers.submit(job)
            for outcome in workers.collect(None) if workers.busy else ():
                yield _placed(outcome, flying[outcome.job.temporary], made.replace)
                del flying[outcome.job.temporary]
    finally:
        workers.stop()
        for temporary in flying:
            discard(Path(temporary))


def _placed(outcome: Outcome, target: Path, replace: bool) -> tuple[Outcome, Path | None]:
    temporary = Path(outcome.job.temporary)
    if not outcome.written:
        discard(temporary)
        return outcome, None
    while True:
        try:
            publish(temporary, target, replace)
            return outcome, target
        except FileExistsError:  # someone put a file there since the plan was made
            target = numbered(target.parent, target.name)
        except FolderError as error:
            discard(temporary)
            return Outcome(outcome.job, "blocked", (str(error),)), None


def _found(given: Path, out: Path | None, made: Plan) -> Iterator[tuple[Path, Path]]:
    """Yield each picture of an input with the folder its result belongs in."""
    if not os.path.isdir(given):  # Path.is_dir raises for a name that is too long
        yield given, out or given.parent
        return

    def unreadable(error: OSError) -> None:
        made.unreadable.append(f"{error.filename}: the folder cannot be read ({error.strerror}); check its rights")

    for name, folders, files in os.walk(given, onerror=unreadable):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        folder = Path(name)
        for file in sorted(files):
            path = folder / file
            if file.startswith("."):
                continue
            if OWN_RESULT.search(file):
                made.own += 1
            elif not looks_like_picture(path):
                made.skipped += 1
            else:
                yield path, folder if out is None else out / folder.relative_to(given)


def _name(source: Path, out: Path | None, output: Output) -> str:
    kind = "" if out is not None else ".mask" if output.mask else ".cutout"
    return fitting(source.stem, kind + output.suffix)


def _refuse_as_file(source: Path, out: Path) -> None:
    if os.path.isdir(source):
        raise SettingsError(f"{out}: {source} is a folder, so OUT must be a folder too; take the suffix away")
    if os.path.exists(out) and os.path.exists(source) and out.samefile(source):
        raise SettingsError(f"{out}: OUT is the picture itself, which is never changed; name another file")


def _refuse_inside(out: Path, given: Path) -> None:
    if os.path.isdir(given) and out.resolve().is_relative_to(given.resolve()):
        raise SettingsError(f"{out}: OUT lies inside the input folder {given}; name a folder outside it")
