"""One source to one result and an Outcome."""

import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from bgwatch.errors import BgwatchError, FolderError, UnfinishedError
from bgwatch.imagefile import Identity, decode, encode_png
from bgwatch.place import discard, write_durably
from bgwatch.segment.laps import Lap, Laps
from bgwatch.settings import PictureLimits, Segmentation, WorkerLimits
from bgwatch.workers import Workers

State = Literal["done", "unsure", "failed", "blocked"]


@dataclass(frozen=True)
class Job:
    """One picture to cut out; plain values only, since it travels between processes.

    Attributes
    ----------
    source : str
        The picture.
    temporary : str
        The file to write the result to, of a name that is no other job's. Whoever made the job puts it in place.
    options : dict
        The fields of `bgwatch.settings.Segmentation`.
    limits : dict
        The fields of `bgwatch.settings.PictureLimits`.
    mask : bool
        Write the alpha alone.
    follow_symlinks : bool
        False refuses a source that is a symbolic link.
    """

    source: str
    temporary: str
    options: dict[str, Any]
    limits: dict[str, Any]
    mask: bool = False
    follow_symlinks: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : Job
        The job.
    state : {"done", "unsure", "failed", "blocked"}
        ``unsure``: written, but below ``min_confidence``. ``failed``: the picture is at fault.
        ``blocked``: the place for the result is at fault, and the picture may be tried again.
    reasons : tuple of str
        Why it is unsure, failed or blocked; notes where it is done.
    confidence : float or None
        In [0, 1]; None where there is no result.
    identity : Identity or None
        Of the source as it was read.
    seconds : float
        Time it took.
    evidence : dict or None
        The fields of `bgwatch.segment.result.Report`; None where there is no result.
    steps : tuple of Lap
        Where the time went: ``start`` (loading libraries, for a process's first picture), ``decode``,
        ``segmentation`` and ``encode``, which writes too; empty where there is no result.
    again : bool
        Whether a failure may pass by itself: the picture may not have been whole yet.
    """

    job: Job
    state: State
    reasons: tuple[str, ...] = ()
    confidence: float | None = None
    identity: Identity | None = None
    seconds: float = 0.0
    evidence: dict[str, Any] | None = None
    steps: tuple[Lap, ...] = ()
    again: bool = False

    @property
    def written(self) -> bool:
        """Whether there is a result in the temporary file."""
        return self.state in ("done", "unsure")


def run(job: Job) -> Outcome:
    """Cut out one picture; whatever goes wrong with it becomes an outcome."""
    start = time.monotonic()
    try:
        return _cut(job, start)
    except FolderError as error:
        return Outcome(job, "blocked", (str(error),), seconds=time.monotonic() - start)
    except BgwatchError as error:
        again = isinstance(error, UnfinishedError)
        return Outcome(job, "failed", (str(error),), seconds=time.monotonic() - start, again=again)
    except MemoryError:
        reason = f"{job.source}: needs more memory than worker_memory_mb allows; raise it or scale the picture"
        return Outcome(job, "failed", (reason,), seconds=time.monotonic() - start)
    except Exception as error:  # noqa: BLE001 - one picture must never end a batch; the place is named for a report
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = (
            f"{job.source}: unexpected {type(error).__name__} in {Path(place.filename).name}:{place.lineno} "
            f"({' '.join(str(error).split())}); please report it"
        )
        return Outcome(job, "failed", (reason,), seconds=time.monotonic() - start)


def died(job: Job, reason: str) -> Outcome:
    """Make the outcome of a job whose worker process died on it."""
    return Outcome(job, "failed", (f"{job.source}: {reason}",))


def unstarted(job: Job, reason: str) -> Outcome:
    """Make the outcome of a job for which no worker process could be started."""
    return Outcome(job, "blocked", (reason,))


def pool(count: int, limits: WorkerLimits, notify: Callable[[], None] = lambda: None) -> Workers[Job, Outcome]:
    """Make a pool of worker processes for jobs."""
    return Workers(run, died, unstarted, count, limits.worker_seconds, limits.worker_memory_mb, notify)


def _cut(job: Job, start: float) -> Outcome:
    laps = Laps()
    from bgwatch.segment.pipeline import remove_background

    laps("start")
    picture = decode(Path(job.source), PictureLimits(**job.limits), job.follow_symlinks)
    laps("decode")
    cutout = remove_background(picture.image, **job.options)
    laps("segmentation")
    grey = picture.image.mode in ("L", "LA")
    discard(Path(job.temporary))  # a worker that was killed while it wrote this very job
    write_durably(encode_png(cutout.rgba, picture.kept, grey, job.mask), Path(job.temporary))
    laps("encode")
    unsure = cutout.confidence < Segmentation(**job.options).min_confidence
    reasons = (*cutout.report.reasons, *picture.notes) if unsure else picture.notes
    return Outcome(
        job,
        "unsure" if unsure else "done",
        reasons,
        cutout.confidence,
        picture.identity,
        time.monotonic() - start,
        asdict(cutout.report),
        laps.taken,
    )
