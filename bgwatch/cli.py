"""The command line: arguments in, exit codes out."""

import itertools
import os
import signal
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgwatch import __version__
from bgwatch.cli_watch import COMMANDS
from bgwatch.errors import BgwatchError
from bgwatch.options import (
    SettingsCommand,
    as_out,
    as_path,
    as_source,
    fetch_limits,
    journal_of,
    naming_settings,
    output_settings,
    picture_settings,
    with_choice,
    with_places,
)
from bgwatch.terminal import Plain, echo, progress, say

if TYPE_CHECKING:
    from bgwatch.inputs.sources import Source, Stdout
    from bgwatch.job import Outcome
    from bgwatch.planning import Plan
    from bgwatch.report import Summary
    from bgwatch.watch.signals import Signals

INTERRUPTED = 130
PICTURE_MODELS = ("Segmentation", "PictureLimits", "WorkerLimits")


def main() -> None:
    """Run the command ``bgwatch``; no traceback of an expected error reaches the user."""
    try:
        _open_standard_streams()
        signals = _signals()
        from bgwatch.process import one_thread

        one_thread()
        sys.exit(bgwatch.main(prog_name="bgwatch", standalone_mode=False, obj=signals))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        exec("")  # forgets an interrupt inside an exec(), as of an imported dataclass: CPython would die of it at exit
        if sys.argv[1:2] == ["watch"]:  # the way a daemon ends, also before it has begun
            sys.exit(0)
        say("interrupted" + ("; the same call goes on from here" if sys.argv[1:2] == ["remove"] else ""))
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has gone; that is no error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except BgwatchError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    except OSError as error:  # a working directory that has gone, a full disk behind standard output, ...
        say(f"error: {error.filename or 'the output'}: {error.strerror}; check that it is there and can be used")
        sys.exit(3)


def _open_standard_streams() -> None:
    """Put nothing in the place of one that is closed: it would be a picture's, with the words of a library in it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free, which is this one


def _signals() -> "Signals | None":
    """Take the signals: a daemon notes them from its first moment, other commands end what they have begun."""
    if sys.argv[1:2] == ["watch"]:
        from bgwatch.watch.signals import Signals

        signals = Signals()
        signals.obey()
        return signals
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return None


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="bgwatch")
def bgwatch() -> None:
    """Take the background out of pictures by clustering their colours."""


for command in COMMANDS:
    bgwatch.add_command(command)


@bgwatch.command(cls=SettingsCommand, models=(*PICTURE_MODELS, "Output", "Naming", "FetchLimits"))
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=as_source)
@click.option("-o", "out", metavar="OUT", type=as_out, help="A folder; a file like a.png for one INPUT; - for stdout.")
@click.option("--dry-run", is_flag=True, help="Print what would become of each picture, and write nothing.")
@click.option("--redo", is_flag=True, help="Do again what an earlier run has done with the same settings.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a result is unsure.")
@click.option("--explain", is_flag=True, help="Tell what was found on the way to each result.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each picture.")
@with_choice
@with_places
def remove(
    inputs: tuple["Source", ...],
    out: "Path | Stdout | None",
    dry_run: bool,
    redo: bool,
    strict: bool,
    explain: bool,
    as_json: bool,
    column: str | None,
    sample: int | None,
    sample_seed: int,
    workers: int | None,
    **given: Any,
) -> None:
    """Cut out pictures: files, whole folders, URLs, lists of files and URLs (.csv, .tsv, .txt), or - for stdin.

    Without -o the result of photo.jpg is photo.cutout.png beside it, that of a URL is in the current folder, and that
    of stdin goes to stdout.
    """
    from bgwatch import batch, planning, report
    from bgwatch.inputs.streams import ends, refuse_streams
    from bgwatch.workers import cpus

    start = time.monotonic()
    options, allowed, limits = picture_settings(given)
    if dry_run:
        refuse_streams(inputs, out)
    with ends(inputs, out, allowed.max_bytes, not limits.scheduler, as_json) as at:
        file = at.out if planning.is_file(at.inputs, at.out) else None
        output, naming = output_settings(given, file), naming_settings(given, file)
        made_with = {**options, "name": naming.name, "beside": at.out is None, "frames": allowed.frames}
        journal = None if file or at.streamed else journal_of(made_with, output, not dry_run)
        how = naming, journal, redo, allowed.several
        planned = planning.plan(at.inputs, at.out, output, column, sample, sample_seed, *how)
        for sentence in planned.remarks:
            say(sentence)
        if dry_run:
            sys.exit(_told(planned, as_json))
        for sentence in report.resumed(planned):
            say(sentence)
        summary = report.Summary()
        where = workers or cpus(), limits.scheduler, fetch_limits(given)
        one = file is not None or at.streamed
        doing = batch.carry_out(planned, options, allowed, limits, output, *where, journal=journal, one=one)
        with progress(len(planned.targets)) as shown, closing(doing):
            for outcome, target in itertools.chain(batch.known(planned), doing):
                news = summary.add(outcome, at.named(target)) and not (as_json and outcome.state == "done")
                at.hand_over(target, report.as_json(outcome, target) if as_json else str(target or ""), shown.result)
                _remark(shown, outcome, at.named(target), news, explain)
    if journal and journal.trouble:
        say(journal.trouble)
    if planned.targets:
        for line in summary.lines(time.monotonic() - start, planned.skipped, planned.own):
            say(line)
    _exit(summary, bool(planned.unreadable or (strict and (summary.unsure or planned.unsure_before))))


def _remark(shown: Plain, outcome: "Outcome", target: Path | str | None, news: bool, explain: bool) -> None:
    """Say what there is to say of an outcome, and count it unless it was known before."""
    from bgwatch import report

    if outcome.reasons and news:
        shown.say(report.as_line(outcome, target))
    if explain and outcome.written:
        shown.say("\n".join(report.explanation(outcome)))
    if outcome.job.temporary:
        shown.advance(outcome.state in ("failed", "blocked"))


def _told(planned: "Plan", as_json: bool) -> int:
    """Print a plan; give the exit code."""
    from bgwatch import report

    for line in report.plan_lines(planned, as_json):
        Plain().result(line)
    say(report.plan_summary(planned))
    return 1 if planned.unreadable or not planned.found else 0


def _exit(summary: "Summary", unsatisfied: bool) -> None:
    if not summary.count:
        say("nothing to do: no picture was found in what was given")
    if summary.blocked:
        sys.exit(3)
    if summary.failed or not summary.count or unsatisfied:
        sys.exit(1)


@bgwatch.command(cls=SettingsCommand, models=(*PICTURE_MODELS, "FetchLimits"))
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=as_source)
@click.option("-o", "out", metavar="SHEET", required=True, type=as_path, help="The .png or .html; it is replaced.")
@click.option("--on", "background", default="checkerboard", help="checkerboard, or a colour like '#ff00ff'.")
@click.option("--workers", metavar="N", type=click.IntRange(1, 256), help="Processes.", show_default="one for each CPU")
@with_choice
def sheet(
    inputs: tuple["Source", ...],
    out: Path,
    background: str,
    column: str | None,
    sample: int | None,
    sample_seed: int,
    workers: int | None,
    **given: Any,
) -> None:
    """Lay pictures out before and after: on one picture, or on a page with sliders for a browser."""
    from bgwatch import planning, report
    from bgwatch.inputs.streams import ends
    from bgwatch.place import replace_with
    from bgwatch.sheet import PAGES, PICTURE, check_sheet, columns_of, leave_out_sheet
    from bgwatch.sheet_html import PAGE
    from bgwatch.workers import cpus

    check_sheet(out, background)
    kind = PAGE if out.suffix.lower() in PAGES else PICTURE
    start = time.monotonic()
    options, allowed, limits = picture_settings(given)
    summary, columns = report.Summary(), {}
    with ends(inputs, out, allowed.max_bytes) as at:
        planned = planning.plan(at.inputs, None, column=column, sample=sample, seed=sample_seed)
        leave_out_sheet(planned, out)
        for sentence in planned.remarks:
            say(sentence)
        doing = columns_of(planned, options, allowed, limits, workers or cpus(), kind.side, fetch_limits(given))
        with progress(len(planned.targets)) as shown:
            for outcome, entry in doing:
                columns[outcome.job.source] = kind.keep(entry)
                summary.add(outcome, outcome.job.called)
                if not outcome.written:
                    shown.say(report.as_line(outcome, None))
                shown.advance(not outcome.written)
    if not columns:
        say("nothing to do: no picture was found in what was given")
        sys.exit(1)
    replace_with(kind.encode([columns[str(source)] for source in planned.targets], background), out)
    Plain().result(str(out))
    for line in summary.lines(time.monotonic() - start, planned.skipped, planned.own):
        say(line)
    sys.exit(1 if planned.unreadable or summary.failed or summary.blocked else 0)


@bgwatch.group()
def gimp() -> None:
    """Put the GIMP 3 plug-in in place, look at it, or take it away."""


def _gimp_command(name: str, function: str, help_text: str) -> None:
    @gimp.command(name, help=help_text)
    @click.option("--profile", type=as_path, help="GIMP's profile folder, when it is not found.")
    def command(profile: Path | None) -> None:
        from bgwatch import install

        echo(getattr(install, function)(profile))


@gimp.command("status")
@click.option("--profile", type=as_path, help="GIMP's profile folder, when it is not found.")
def gimp_status(profile: Path | None) -> None:
    """Tell where the plug-in is and whether it works (3: it does not)."""
    from bgwatch import install

    lines, works = install.plugin_status(profile)
    echo(lines)
    sys.exit(0 if works else 3)


_gimp_command("install", "install_plugin", "Copy the plug-in into GIMP's profile.")
_gimp_command("uninstall", "uninstall_plugin", "Take away what install put there.")
