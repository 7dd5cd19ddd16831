"""The doing of what was planned: results put in place as they come, and noted for the next time."""

import os
from collections import deque
from collections.abc import Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from bgwatch.durable import discard, make_folder, temporary_in
from bgwatch.errors import FolderError
from bgwatch.inputs.sources import Source, Stdin, Url
from bgwatch.job import Job, Outcome
from bgwatch.journal import Journal, Stamp, stamp_of
from bgwatch.numbering import numbered
from bgwatch.place import publish, replaceable
from bgwatch.planning import Plan
from bgwatch.pool import pool
from bgwatch.series import series_of, standing_at
from bgwatch.settings import FetchLimits, Output, PictureLimits, WorkerLimits

DONE_BEFORE = "it was done before with the same settings"
NO_PRIVATE_HOSTS = FetchLimits()


def carry_out(
    made: Plan,
    options: dict[str, Any],
    allowed: PictureLimits,
    limits: WorkerLimits,
    output: Output,
    count: int,
    scheduler: str | None = None,
    fetching: FetchLimits = NO_PRIVATE_HOSTS,
    keep: bool = False,
    journal: Journal | None = None,
    one: bool = False,
) -> Generator[tuple[Outcome, Path | None], None, None]:
    """Do what was planned, yielding each outcome with the file it became as soon as it is in place.

    Closing the iterator early ends the worker processes and takes their unfinished files away. With ``keep`` what is
    fetched stays beside its result, in the file that the job names. What is put in place is noted in the journal.
    With ``one`` a picture that would become a series of results is refused.
    """
    made_of = output.model_dump()
    workers = pool(max(1, min(count, len(made.targets))), limits, scheduler=scheduler)
    waiting = deque(made.targets.items())
    flying: dict[str, Flight] = {}
    spared = Spared(made)
    if journal:
        journal.sweep({target.parent for target in made.targets.values()})
    try:
        while waiting or workers.busy:
            while waiting and workers.room:
                source, target = waiting.popleft()
                job = Job(
                    str(source),
                    str(temporary_in(target.parent, journal.owner if journal else "")),
                    options,
                    allowed.model_dump(),
                    made_of,
                    fetch=fetching.model_dump() if isinstance(source, Url) else None,
                    held=_held(source, target, keep),
                    stem="" if one else target.stem,
                )
                if made.on_conflict == "skip" and (there := standing_at(target, allowed.several)):
                    yield skipped(job, there), None
                    continue
                try:
                    make_folder(target.parent)
                except FolderError as error:
                    yield Outcome(job, "blocked", (str(error),)), None
                    continue
                flying[job.temporary] = Flight(source, target, stamp_of(source) if journal else None)
                workers.submit(job)
            for outcome in workers.collect(None) if workers.busy else ():
                yield _placed(outcome, flying[outcome.job.temporary], made, journal, spared)
                del flying[outcome.job.temporary]
    finally:
        workers.stop()
        for temporary in flying:
            discard(Path(temporary))


def _held(source: Source, target: Path, keep: bool) -> str:
    if isinstance(source, Stdin):
        return source.held
    return str(target.with_suffix(".fetched")) if keep and isinstance(source, Url) else ""


def known(made: Plan) -> Iterator[tuple[Outcome, Path | None]]:
    """Give the outcomes of what is not to be done: done before, with its result, or skipped."""
    for source, before in made.before.items():
        yield Outcome(Job(str(source), "", {}, {}), "skipped", (DONE_BEFORE,), before.confidence), before.path
    for source, standing in made.standing.items():
        yield skipped(Job(str(source), "", {}, {}), standing), None


class Flight(NamedTuple):
    """A source that is being cut out, the file it is to become, and its state before; None where none is noted."""

    source: Source
    target: Path
    read: Stamp | None


def skipped(job: Job, standing: Path) -> Outcome:
    """Make the outcome of a job whose result is there already."""
    return Outcome(job, "skipped", (f"{standing} is there already, and on_conflict is skip",))


class Spared:
    """What is not replaced, though overwriting was asked for: a picture, or another result of the same run."""

    def __init__(self, made: Plan) -> None:
        self._made = made
        self._placed = set[Path]()

    def add(self, result: Path) -> None:
        """Note a result of this run."""
        self._placed.add(result)

    def __contains__(self, place: Path) -> bool:
        """Tell whether a place is, is in, or has in it what is not replaced."""
        return not self._placed.isdisjoint((place, place.parent)) or os.path.realpath(place) in self._folders

    @cached_property
    def _folders(self) -> set[str]:
        """Name the folders of pictures and of what they become, made or not."""
        made = self._made
        sources = (source for source in (*made.targets, *made.before, *made.standing) if isinstance(source, Path))
        results = (*made.targets.values(), *(result.path for result in made.before.values()))
        return {os.path.realpath(folder) for folder in {path.parent for path in (*sources, *results)}}


def _placed(
    outcome: Outcome, flight: Flight, made: Plan, journal: Journal | None, spared: Spared
) -> tuple[Outcome, Path | None]:
    source, planned, read = flight
    temporary = Path(outcome.job.temporary)
    if not outcome.written:
        discard(temporary)
        return outcome, None
    target = series_of(planned) if outcome.series else planned

    def ours(place: Path) -> bool:
        meant = bool(outcome.series) or place == planned
        return made.on_conflict == "overwrite" and meant and replaceable(place) and place not in spared

    while True:
        if os.path.lexists(target) and not ours(target):  # someone put a file there since the plan was made
            others = journal.found(source, target.parent) if journal and read and not made.redo else None
            if others:  # another run of the same call was faster
                discard(temporary)
                return outcome, others.path
            if made.on_conflict == "skip":
                discard(temporary)
                return skipped(outcome.job, target), None
            target = numbered(target.parent, target.name, ours=ours)
        if journal and read:
            journal.note(source, read, target, temporary, outcome.state == "unsure", outcome.confidence)
        try:
            publish(temporary, target, ours(target))
        except FileExistsError:
            continue
        except FolderError as error:
            discard(temporary)
            return Outcome(outcome.job, "blocked", (str(error),)), None
        spared.add(target)
        return outcome, target
