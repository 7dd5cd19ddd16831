"""Many sources to as many results: what is to be done, under which names, and the doing of it."""

import os
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bgwatch.errors import FolderError, SettingsError
from bgwatch.imagefile import SUFFIXES, looks_like_picture
from bgwatch.job import Job, Outcome, fitting, numbered, pool, publish, run, temporary_in
from bgwatch.settings import WorkerLimits

OWN_SUFFIXES = (".cutout.png", ".mask.png")


@dataclass
class Plan:
    """What a call of ``remove`` is going to do.

    Attributes
    ----------
    targets : dict of Path to Path
        Each source with the file its result becomes, in the order of the inputs.
    skipped : int
        Files met in folders that are no pictures.
    unreadable : list of str
        Folders that could not be read, as sentences.
    replace : bool
        Whether the one target was named by the user, and so replaces what is there.
    """

    targets: dict[Path, Path] = field(default_factory=dict)
    skipped: int = 0
    unreadable: list[str] = field(default_factory=list)
    replace: bool = False


def plan(inputs: Iterable[Path], out: Path | None, mask: bool) -> Plan:
    """Find the pictures and give each result its name, clashes numbered in the order of the inputs.

    Raises
    ------
    SettingsError
        When OUT lies inside an input folder, is the input itself, or asks for a format that cannot be written.
    """
    inputs = list(inputs)
    made = Plan()
    if out is not None and len(inputs) == 1 and out.suffix.lower() in SUFFIXES and not os.path.isdir(out):
        _refuse_as_file(inputs[0], out)
        made.targets[inputs[0]] = out
        made.replace = True
        return made
    taken: set[str] = set()
    for given in inputs:
        if out is not None:
            _refuse_inside(out, given)
        for source, folder in _found(given, out, made):
            if source in made.targets:
                continue
            target = numbered(folder, _name(source, out, mask), taken)
            taken.add(str(target).casefold())
            made.targets[source] = target
    return made


def carry_out(
    made: Plan, options: dict[str, Any], max_pixels: int, limits: WorkerLimits, mask: bool, count: int
) -> Generator[tuple[Outcome, Path | None], None, None]:
    """Do what was planned, yielding each outcome with the file it became as soon as it is in place.

    One picture is done in this process, more of them by ``count`` worker processes. Closing the iterator early
    ends the workers and takes their unfinished files away.
    """
    jobs = _jobs(made, options, max_pixels, mask)
    if len(made.targets) == 1 or not made.targets:
        for job, target in jobs:
            yield _placed(run(job), target, made.replace)
        return
    workers = pool(min(count, len(made.targets)), limits)
    flying: dict[str, Path] = {}
    try:
        while True:
            while workers.room and (following := next(jobs, None)):
                job, target = following
                flying[job.temporary] = target
                workers.submit(job)
            if not workers.busy:
                return
            for outcome in workers.collect(None):
                yield _placed(outcome, flying.pop(outcome.job.temporary), made.replace)
    finally:
        workers.stop()
        for temporary in flying:
            Path(temporary).unlink(missing_ok=True)


def _jobs(made: Plan, options: dict[str, Any], max_pixels: int, mask: bool) -> Iterator[tuple[Job, Path]]:
    for source, target in made.targets.items():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(f"{target.parent}: cannot be made ({error.strerror}); name another OUT") from None
        yield Job(str(source), str(temporary_in(target.parent)), options, max_pixels, mask), target


def _placed(outcome: Outcome, target: Path, replace: bool) -> tuple[Outcome, Path | None]:
    temporary = Path(outcome.job.temporary)
    if not outcome.written:
        temporary.unlink(missing_ok=True)
        return outcome, None
    while True:
        try:
            publish(temporary, target, replace)
            return outcome, target
        except FileExistsError:  # someone put a file there since the plan was made
            target = numbered(target.parent, target.name)
        except FolderError as error:
            temporary.unlink(missing_ok=True)
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
            if file.endswith(OWN_SUFFIXES) or not looks_like_picture(path):
                made.skipped += 1
            else:
                yield path, folder if out is None else out / folder.relative_to(given)


def _name(source: Path, out: Path | None, mask: bool) -> str:
    if out is not None:
        return fitting(source.stem, ".png")
    return fitting(source.stem, ".mask.png" if mask else ".cutout.png")


def _refuse_as_file(source: Path, out: Path) -> None:
    if os.path.isdir(source):
        raise SettingsError(f"{out}: {source} is a folder, so OUT must be a folder too; take the suffix away")
    if out.suffix.lower() != ".png":
        raise SettingsError(f"{out}: results are written as PNG; let OUT end in .png")
    if os.path.exists(out) and os.path.exists(source) and out.samefile(source):
        raise SettingsError(f"{out}: OUT is the picture itself, which is never changed; name another file")


def _refuse_inside(out: Path, given: Path) -> None:
    if os.path.isdir(given) and out.resolve().is_relative_to(given.resolve()):
        raise SettingsError(f"{out}: OUT lies inside the input folder {given}; name a folder outside it")
