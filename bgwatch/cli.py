"""The command line: arguments in, exit codes out."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgwatch import __version__
from bgwatch.errors import BgwatchError, printable

if TYPE_CHECKING:
    from rich.progress import Progress

    from bgwatch.settings import Model, Settings, WorkerLimits

INTERRUPTED = 130


def main() -> None:
    """Run the command ``bgwatch``; no traceback of an expected error reaches the user."""
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was begun as Ctrl-C does
        from bgwatch.workers import one_thread

        one_thread()
        sys.exit(bgwatch.main(standalone_mode=False))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        exec("")  # forgets an interrupt inside an exec(), as of an imported dataclass: CPython would die of it at exit
        if sys.argv[1:2] == ["watch"]:  # the way a daemon ends, also before it has begun
            sys.exit(0)
        _say("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has gone; that is no error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except BgwatchError as error:
        _say(f"error: {error}")
        sys.exit(error.exit_code)
    except OSError as error:  # a working directory that has gone, a full disk behind standard output, ...
        _say(f"error: {error.filename or 'the output'}: {error.strerror}; check that it is there and can be used")
        sys.exit(3)


def _path(text: str) -> Path:
    """Take a path of the command line; an empty one is a variable that was not set, not the current folder."""
    if not text:
        raise click.BadParameter("is empty; name a file or a folder")
    return Path(text)


class SettingsCommand(click.Command):
    """A command whose options are fields of settings models, read only when the command itself is asked for.

    Reading the models costs a tenth of a second, which ``bgwatch --help`` need not pay.
    """

    def __init__(self, *args: Any, models: Callable[[], list["type[Model]"]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._models: Callable[[], list[type[Model]]] | None = models

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give the declared parameters and one for each field."""
        if self._models:
            self.params.extend(_options(self._models()))
            self._models = None
        return super().get_params(ctx)


def _picture_models() -> list["type[Model]"]:
    from bgwatch.settings import PictureLimits, Segmentation, WorkerLimits

    return [Segmentation, PictureLimits, WorkerLimits]


def _watch_models() -> list["type[Model]"]:
    from bgwatch.settings import Settings

    return [Settings]


def _options(models: list["type[Model]"]) -> Iterator[click.Parameter]:
    for model in models:
        for name, given in model.model_json_schema()["properties"].items():
            if name not in ("folders", "workers"):
                yield _option(name, given)


def _option(name: str, given: dict[str, Any]) -> click.Option:
    kind: click.ParamType[Any]
    if "enum" in given:
        kind = click.Choice(given["enum"])
    elif given["type"] == "integer":
        kind = click.IntRange(given.get("minimum"), given.get("maximum"))
    elif given["type"] == "number":
        kind = click.FloatRange(given.get("minimum"), given.get("maximum"))
    else:
        kind = click.STRING
    flag = "--" + name.replace("_", "-")
    return click.Option([flag], type=kind, help=f"{given['description']}  [default: {given['default']}]")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="bgwatch")
def bgwatch() -> None:
    """Take the background out of pictures by clustering their colours."""


@bgwatch.command(cls=SettingsCommand, models=_picture_models)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=_path)
@click.option("-o", "out", metavar="OUT", type=_path, help="A folder, or a .png for one INPUT.")
@click.option("--mask", is_flag=True, help="Write the alpha alone, as a grey picture.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a result is unsure.")
@click.option("--explain", is_flag=True, help="Tell what was found on the way to each result.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each picture.")
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes.", show_default="one for each CPU")
def remove(
    inputs: tuple[Path, ...],
    out: Path | None,
    mask: bool,
    strict: bool,
    explain: bool,
    as_json: bool,
    workers: int | None,
    **given: Any,
) -> None:
    """Cut out pictures: files, or folders with all in them.

    Without -o the result of photo.jpg is photo.cutout.png beside it.
    """
    from bgwatch import batch, report

    start = time.monotonic()
    options, max_pixels, limits = _picture_settings(given)
    planned = batch.plan(inputs, out, mask)
    for sentence in planned.unreadable:
        _say(sentence)
    summary = report.Summary()
    doing = batch.carry_out(planned, options, max_pixels, limits, mask, workers or _cpus())
    with _progress(len(planned.targets)) as progress, closing(doing):
        for outcome, target in doing:
            summary.add(outcome)
            if as_json or target:
                progress.result(report.as_json(outcome, target) if as_json else str(target))
            if outcome.reasons and not (as_json and outcome.state == "done"):
                progress.say(report.as_line(outcome, target))
            if explain and outcome.written:
                progress.say("\n".join(report.explanation(outcome)))
            progress.advance()
    for line in summary.lines(time.monotonic() - start, planned.skipped, planned.own):
        _say(line)
    if not summary.count:
        _say("nothing to do: no picture was found in what was given")
    if summary.blocked:
        sys.exit(3)
    if summary.failed or not summary.count or planned.unreadable or (strict and summary.unsure):
        sys.exit(1)


@bgwatch.command(cls=SettingsCommand, models=_picture_models)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=_path)
@click.option("-o", "out", metavar="SHEET", required=True, type=_path, help="The .png to write; it is replaced.")
@click.option("--on", "background", default="checkerboard", help="checkerboard, or a colour like '#ff00ff'.")
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes.", show_default="one for each CPU")
def sheet(inputs: tuple[Path, ...], out: Path, background: str, workers: int | None, **given: Any) -> None:
    """Lay pictures out before and after on one sheet."""
    from bgwatch import batch, report
    from bgwatch.place import replace_with
    from bgwatch.sheet import check_sheet, columns_of, draw_sheet, encode_sheet

    check_sheet(out, background)
    options, max_pixels, limits = _picture_settings(given)
    planned = batch.plan(inputs, None, mask=False)
    planned.targets.pop(out, None)  # an earlier sheet among the pictures
    columns = {}
    with _progress(len(planned.targets)) as progress:
        for outcome, column in columns_of(planned, options, max_pixels, limits, workers or _cpus()):
            columns[outcome.job.source] = column
            if not outcome.written:
                progress.say(report.as_line(outcome, None))
            progress.advance()
    if not columns:
        _say("nothing to do: no picture was found in what was given")
        sys.exit(1)
    replace_with(encode_sheet(draw_sheet([columns[str(source)] for source in planned.targets], background)), out)
    _Plain().result(str(out))
    sys.exit(1 if planned.unreadable or not all(column.after for column in columns.values()) else 0)


@bgwatch.command(cls=SettingsCommand, models=_watch_models)
@click.argument("folders", metavar="[INBOX OUTBOX]", nargs=-1, type=_path)
@click.option("-c", "config", type=_path, help="Settings file.")
@click.option("--once", is_flag=True, help="Do what is there, then end.")
@click.option("--state", type=_path, help="Folder for the ledger.")
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes.", show_default="one for each CPU")
def watch(
    folders: tuple[Path, ...], config: Path | None, once: bool, state: Path | None, workers: int | None, **given: Any
) -> None:
    """Cut out whatever is dropped into a folder, until told to stop.

    Without folders and without a settings file it watches ./inbox and writes to ./outbox.
    """
    from bgwatch.watch.service import Service, state_folder

    settings = _settings(folders, config, {**given, "workers": workers})
    _log_to_stderr()
    sys.exit(Service(settings, state or state_folder(), settings.workers or _cpus()).run(once))


@bgwatch.command()
@click.option("-c", "config", type=_path, help="Settings file.")
@click.option("--state", type=_path, help="Folder for the ledger.")
def check(config: Path | None, state: Path | None) -> None:
    """Validate the settings and folders and print what is in force."""
    import yaml

    from bgwatch.config import default_path
    from bgwatch.watch.service import state_folder

    settings = _settings((), config, {})
    found = config or (default_path() if os.path.exists(default_path()) else None)
    _say(f"settings: {found}" if found else f"settings: defaults, there is no {default_path()}")
    _say(f"state: {state or state_folder()}")
    _check_folders(settings, state or state_folder())
    click.echo(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), nl=False)


@bgwatch.group()
def gimp() -> None:
    """Put the GIMP 3 plug-in in place, look at it, or take it away."""


def _gimp_command(name: str, function: str, help_text: str) -> None:
    @gimp.command(name, help=help_text)
    @click.option("--profile", type=_path, help="GIMP's profile folder, when it is not found.")
    def command(profile: Path | None) -> None:
        from bgwatch import install

        _echo(getattr(install, function)(profile))


_gimp_command("install", "install_plugin", "Copy the plug-in into GIMP's profile.")
_gimp_command("status", "plugin_status", "Tell where the plug-in is and whether it works.")
_gimp_command("uninstall", "uninstall_plugin", "Take away what install put there.")


@bgwatch.group()
def service() -> None:
    """Run watch as a systemd user service: put it in place, look at it, or take it away."""


@service.command("install")
@click.option("-c", "config", type=_path, help="Settings file.")
@click.option("--state", type=_path, help="Folder for the ledger.")
@click.option("--print", "show", is_flag=True, help="Print the unit and touch nothing.")
def service_install(config: Path | None, state: Path | None, show: bool) -> None:
    """Write the unit, and start it now and at every login."""
    from bgwatch import unit
    from bgwatch.watch.service import state_folder

    path, settings = unit.settings_of(config)
    state = (state or state_folder()).absolute()
    _check_folders(settings, state)
    text = unit.unit_text(path, state)
    if show:
        click.echo(text, nl=False)
    else:
        _echo(unit.install(text))


@service.command("status")
def service_status() -> None:
    """Tell what is installed and whether it runs (3: it does not)."""
    from bgwatch import unit

    lines, active = unit.status()
    _echo(lines)
    sys.exit(0 if active else 3)


@service.command("uninstall")
def service_uninstall() -> None:
    """Stop it and take away what install put there."""
    from bgwatch import unit

    _echo(unit.uninstall())


def _check_folders(settings: "Settings", state: Path) -> None:
    """Refuse folders that watch would refuse, and name those that it would make."""
    from bgwatch.watch.filing import Filing, places, refuse_loops

    everywhere = [places(folder) for folder in settings.folders]
    refuse_loops(everywhere, state)
    for where in everywhere:
        for place in Filing(where).missing():
            _say(f"{place}: is not there yet; watch makes it")
        Filing(where).refuse_unusable()


def _echo(lines: list[str]) -> None:
    for line in lines:
        click.echo(printable(line))


def _settings(folders: tuple[Path, ...], config: Path | None, given: dict[str, Any]) -> Any:
    from bgwatch.config import default_path, in_force

    if len(folders) not in (0, 2):
        raise click.UsageError("give both INBOX and OUTBOX, or neither")
    if config is None and not folders and os.path.exists(default_path()):
        config = default_path()
    return in_force(config, tuple(map(str, folders)), {key: value for key, value in given.items() if value is not None})


def _picture_settings(given: dict[str, Any]) -> tuple[dict[str, Any], int, "WorkerLimits"]:
    """Split the options of a command into those of the segmentation, the pixel limit and the worker limits."""
    from bgwatch.settings import PictureLimits, Segmentation, WorkerLimits, segmentation

    def of(model: "type[Model]") -> dict[str, Any]:
        return {name: given[name] for name in model.model_fields if given.get(name) is not None}

    return (
        segmentation(of(Segmentation)).model_dump(),
        PictureLimits(**of(PictureLimits)).max_pixels,
        WorkerLimits(**of(WorkerLimits)),
    )


class _Plain:
    """Prints results and words, and shows no bar."""

    def result(self, text: str) -> None:
        """Print a result: exactly as it is for a program, made harmless for a terminal."""
        click.echo(printable(text) if sys.stdout.isatty() else os.fsencode(text))

    def say(self, text: str) -> None:
        """Print words, a line or more."""
        _say(text)

    def advance(self) -> None:
        """Count one picture."""


class _Bar(_Plain):
    """Prints above a bar that counts the pictures."""

    def __init__(self, progress: "Progress", total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total)

    def result(self, text: str) -> None:
        if sys.stdout.isatty():
            self.say(text)
        else:
            super().result(text)

    def say(self, text: str) -> None:
        for line in text.split("\n"):
            self._progress.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    def advance(self) -> None:
        self._progress.advance(self._task)


@contextmanager
def _progress(total: int) -> Iterator[_Plain]:
    """Show a bar where a person looks at a terminal, and nothing elsewhere."""
    if total < 2 or not sys.stderr.isatty():
        yield _Plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False) as progress:
        yield _Bar(progress, total)


def _log_to_stderr() -> None:
    import logging

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("watchdog").setLevel(logging.CRITICAL)  # what it loses, the rescan finds


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _say(text: str) -> None:
    for line in text.split("\n"):
        click.echo(printable(line), err=True)
