"""Where jobs are run: in processes of this machine, or by the workers of a Dask cluster that sees the same files."""

import contextlib
import itertools
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bgwatch.durable import discard, take_away, write_durably
from bgwatch.job import Job, Outcome, died, run, unstarted
from bgwatch.settings import WorkerLimits
from bgwatch.workers import Workers

if TYPE_CHECKING:
    from bgwatch.cluster import Cluster

    Pool = Workers[Job, Outcome] | Cluster[Job, Outcome]


def pool(
    count: int, limits: WorkerLimits, notify: Callable[[], None] = lambda: None, scheduler: str | None = None
) -> "Pool":
    """Make a pool for jobs: processes of this machine, or the workers of a Dask scheduler.

    Raises
    ------
    FolderError
        When the scheduler cannot be used.
    """
    seconds, memory_mb = limits.worker_seconds, limits.worker_memory_mb
    if scheduler is None:
        return Workers(run, died, unstarted, count, seconds, memory_mb, notify)
    from bgwatch.cluster import Cluster

    here = str(Path.cwd())
    elsewhere = partial(run_elsewhere, here), died, unstarted, claimed, partial(is_claimed, here)
    return Cluster(*elsewhere, scheduler, seconds, memory_mb, notify)


@contextlib.contextmanager
def claimed(job: Job) -> Iterator[None]:
    """Hold a claim, a file beside the temporary: while it is there the result is wanted.

    Raises
    ------
    FolderError
        When the folder cannot be written.
    """
    claim = _claim(job)
    try:
        write_durably(b"", claim)
        yield
    finally:
        discard(claim)
        with contextlib.suppress(OSError):
            for attempt in _attempts(job.temporary):  # of workers that were killed
                take_away(attempt)


def is_claimed(base: str, job: Job) -> bool:
    """Tell on another machine whether the result of a job is still wanted."""
    return os.path.lexists(Path(base, _claim(job)))


def run_elsewhere(base: str, job: Job) -> Outcome:
    """Cut out one picture on another machine, which may be taken for dead while it works, or work in vain.

    Only a whole result gets the temporary's name, and only while it is claimed; so a second run of the same job does
    no harm. The source's identity is not told, since machines number the devices of a shared file system differently.

    Parameters
    ----------
    base : str
        The folder that the job's paths start from.
    job : Job
        The job, as it was made on the machine that claims it.
    """
    source, temporary, claim = (Path(base, name) for name in (job.source, job.temporary, _claim(job)))
    needed = [(claim.parent, claim)] if job.fetch else [(source.parent, source.parent), (claim.parent, claim)]
    for folder, seen in needed:
        if not os.path.lexists(seen):
            said = f"{platform.node()}: does not see {folder}; every worker must see the folders under the same names"
            return Outcome(job, "blocked", (said,))
    try:
        own = _reserved(temporary)
        outcome = run(replace(job, source=job.source if job.fetch else str(source), temporary=str(own)))
        if outcome.written and is_claimed(base, job) and not temporary.is_dir():  # a series of another run is as good
            own.replace(temporary)
        discard(own)
    except OSError as error:
        said = f"{temporary.parent}: cannot be written ({error.strerror}); check its rights and its disk"
        return Outcome(job, "blocked", (said,))
    return replace(outcome, job=job, identity=None)


def _claim(job: Job) -> Path:
    return Path(job.temporary).with_suffix(".claim.tmp")


def _attempts(temporary: str | Path) -> Iterator[Path]:
    """Name the files that the runs of one job write to."""
    return (Path(temporary).with_suffix(f".{number}.tmp") for number in itertools.count(1))


def _reserved(temporary: Path) -> Path:
    """Take the first of these names that is free, from the start of a run: no two ever write to one file."""
    for attempt in _attempts(temporary):
        with contextlib.suppress(FileExistsError):
            attempt.touch(exist_ok=False)
            return attempt
    raise AssertionError("counting never ends")
