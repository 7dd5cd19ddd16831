"""One source to one result and an Outcome."""

import contextlib
import itertools
import shutil
import time
import traceback
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bgwatch.durable import discard, write_durably, write_series
from bgwatch.errors import BgwatchError, FolderError, PictureError, UnfinishedError
from bgwatch.imagefile import Identity, Opened, Picture, decode, frames
from bgwatch.inputs.sources import shown
from bgwatch.segment.laps import Lap, Laps, summed
from bgwatch.series import numbers
from bgwatch.settings import FetchLimits, Output, PictureLimits, Segmentation
from bgwatch.writing.animate import Frame, animated, holds
from bgwatch.writing.encode import encode
from bgwatch.writing.finish import finish

if TYPE_CHECKING:
    from bgwatch.segment.result import Report

State = Literal["done", "unsure", "failed", "blocked", "skipped"]


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
    output : dict
        The fields of `bgwatch.settings.Output`.
    follow_symlinks : bool
        False refuses a source that is a symbolic link.
    fetch : dict or None
        The fields of `bgwatch.settings.FetchLimits`: the source is an address to fetch. None fetches nothing.
    held : str
        The file that holds what came from standard input, where that is the source; with ``fetch`` the file that keeps
        what was fetched, if whoever made the job is to see it.
    stem : str
        What the numbered results of several frames or pages are called, in a folder that takes the temporary's name.
        Empty where there must be one file.
    """

    source: str
    temporary: str
    options: dict[str, Any]
    limits: dict[str, Any]
    output: dict[str, Any] = field(default_factory=dict)
    follow_symlinks: bool = True
    fetch: dict[str, Any] | None = None
    held: str = ""
    stem: str = ""

    @property
    def called(self) -> str:
        """What sentences call the source."""
        if self.fetch is not None:
            return shown(self.source)
        return "standard input" if self.held else self.source


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : Job
        The job.
    state : {"done", "unsure", "failed", "blocked", "skipped"}
        ``unsure``: written, but below ``min_confidence``. ``failed``: the picture is at fault.
        ``blocked``: the place for the result is at fault, and the picture may be tried again.
        ``skipped``: there is a result already.
    reasons : tuple of str
        Why it is unsure, failed or blocked; notes where it is done.
    confidence : float or None
        In [0, 1], of several frames the least sure one's; None where there is no result.
    identity : Identity or None
        Of the source as it was read.
    seconds : float
        Time it took.
    evidence : dict or None
        The fields of `bgwatch.segment.result.Report`; None where there is no result.
    steps : tuple of Lap
        Where the time went: ``start`` (loading libraries, for a process's first picture), ``decode``,
        ``segmentation`` and ``encode``, which finishes and writes too; empty where there is no result.
    again : bool
        Whether a failure may pass by itself: the picture may not have been whole yet.
    series : int
        How many numbered results there are in a folder; 0 where the result is one file.
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
    series: int = 0

    @property
    def written(self) -> bool:
        """Whether there is a result in the temporary file or folder."""
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
        reason = f"{job.called}: needs more memory than worker_memory_mb allows; raise it or scale the picture"
        return Outcome(job, "failed", (reason,), seconds=time.monotonic() - start)
    except Exception as error:  # noqa: BLE001 - one picture must never end a batch; the place is named for a report
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = (
            f"{job.called}: unexpected {type(error).__name__} in {Path(place.filename).name}:{place.lineno} "
            f"({' '.join(str(error).split())}); please report it"
        )
        return Outcome(job, "failed", (reason,), seconds=time.monotonic() - start)


def died(job: Job, reason: str) -> Outcome:
    """Make the outcome of a job whose worker process died on it."""
    return Outcome(job, "failed", (f"{job.called}: {reason}",))


def unstarted(job: Job, reason: str) -> Outcome:
    """Make the outcome of a job for which no worker process could be started."""
    return Outcome(job, "blocked", (reason,))


def _cut(job: Job, start: float) -> Outcome:
    laps = Laps()
    import bgwatch.segment.pipeline  # noqa: F401 - loading it is a step of its own

    laps("start")
    limits, output = PictureLimits(**job.limits), Output(**job.output)
    cuts: list[Cut] = []
    with _source(job, limits.max_bytes, laps) as source, contextlib.closing(_pictures(source, job, limits)) as pictures:
        try:
            series = _write(_each_cut(pictures, job, output, limits, cuts, laps), job, output, limits)
        except PictureError as error:
            if str(error).startswith(f"{job.called}: "):
                raise
            raise PictureError(f"{job.called}: {error}") from None
    laps("encode")
    worst = min(cuts, key=lambda cut: cut.confidence)
    unsure = worst.confidence < Segmentation(**job.options).min_confidence
    notes = dict.fromkeys(note for cut in cuts for note in cut.notes)
    return Outcome(
        job,
        "unsure" if unsure else "done",
        (*(f"{worst.name}{reason}" for reason in worst.report.reasons if unsure), *notes),
        worst.confidence,
        worst.identity,
        time.monotonic() - start,
        asdict(worst.report),
        summed(laps.taken),
        series=series,
    )


@dataclass(frozen=True)
class Cut:
    """What is remembered of a frame or page once it is written."""

    name: str
    confidence: float
    report: "Report"
    notes: tuple[str, ...]
    identity: Identity


def _pictures(source: Path | Opened, job: Job, limits: PictureLimits) -> Generator[Picture, None, None]:
    if limits.several:
        yield from frames(source, limits, job.follow_symlinks)
    else:
        yield replace(decode(source, limits, job.follow_symlinks), frames=1)


def _each_cut(
    pictures: Iterable[Picture], job: Job, output: Output, limits: PictureLimits, cuts: list[Cut], laps: Laps
) -> Iterator[Frame]:
    """Cut out and finish one picture after another, each when it is asked for."""
    from bgwatch.segment.pipeline import remove_background

    for picture in pictures:
        laps("decode")
        cutout = remove_background(picture.pixels, **job.options)
        laps("segmentation")
        made = finish(cutout.rgba, picture.kept, picture.grey, output, limits)
        notes = (*picture.notes, *made.notes)
        name = f"frame {picture.frame + 1} of {picture.frames}: " if picture.frames > 1 else ""
        cuts.append(Cut(name, cutout.confidence, cutout.report, notes, picture.identity))
        yield Frame(made.pixels, made.kept, picture.duration, picture.frames, picture.loop)
        laps("encode")


def _write(frames: Iterator[Frame], job: Job, output: Output, limits: PictureLimits) -> int:
    """Write what was cut out, one at a time: as one file, or as a series; tell how long the series is."""

    def encoded(frame: Frame) -> bytes:
        return encode(frame.pixels, frame.kept, output.format, output.quality)

    first, place = next(frames), Path(job.temporary)
    discard(place)  # of a worker that was killed while it wrote this very job; until now the name is taken
    if first.count == 1:
        write_durably(encoded(first), place)
    elif limits.frames == "all" and holds(output.format, first.duration is not None):
        write_durably(animated(first, frames, output.format, output.quality), place)
    elif job.stem:
        files = map(encoded, itertools.chain([first], frames))
        return write_series(zip(numbers(job.stem, first.count, output.suffix), files, strict=True), place)
    else:
        said = f"its {first.count} frames or pages become as many {output.format} files"
        raise PictureError(f"{said}; name a folder with -o, or say frames: first")
    return 0


@contextlib.contextmanager
def _source(job: Job, max_bytes: int, laps: Laps) -> Iterator[Path | Opened]:
    if job.fetch is not None:
        from bgwatch.inputs.fetch import fetch  # and TLS, which pictures on the disk need not wait for

        with fetch(job.source, Path(job.temporary).parent, max_bytes, FetchLimits(**job.fetch)) as file:
            if job.held:
                with Path(job.held).open("wb") as held:
                    shutil.copyfileobj(file, held)
                file.seek(0)
            laps("fetch")
            yield Opened(job.called, file)
    elif job.held:
        with Path(job.held).open("rb") as file:
            if not file.peek(1):
                raise PictureError(f"{job.called}: nothing came from it; pipe a picture into it")
            file.seek(0)
            yield Opened(job.called, file)
    else:
        yield Path(job.source)
