"""The commands around the daemon: watch, check, status, retry and service."""

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgwatch.options import SettingsCommand, as_path, folder_settings, with_places
from bgwatch.terminal import echo, say

if TYPE_CHECKING:
    from bgwatch.settings import Settings
    from bgwatch.watch.signals import Signals


@click.command(cls=SettingsCommand, models=("Settings",))
@click.argument("folders", metavar="[INBOX OUTBOX]", nargs=-1, type=as_path)
@click.option("-c", "config", type=as_path, help="Settings file.")
@click.option("--once", is_flag=True, help="Do what is there, then end; a file that keeps changing is waited for.")
@click.option("--state", type=as_path, help="Folder for the ledger.")
@click.option("--log-json", is_flag=True, help="Write the log as one JSON object a line.")
@with_places
@click.pass_obj
def watch(
    signals: "Signals",
    /,
    folders: tuple[Path, ...],
    config: Path | None,
    once: bool,
    state: Path | None,
    log_json: bool,
    workers: int | None,
    **given: Any,
) -> None:
    """Cut out whatever is dropped into a folder, until told to stop.

    Without folders and without a settings file it watches ./inbox and writes to ./outbox.
    """
    from bgwatch.config import from_here
    from bgwatch.watch.footing import Footing
    from bgwatch.watch.logs import log_to_stderr
    from bgwatch.watch.service import Service, state_folder

    footing = Footing()

    def read() -> "Settings":
        with footing.regained():
            return folder_settings(folders, config, {**given, "workers": workers})

    state = Path(from_here(str(state or state_folder())))
    settings = read()
    log_to_stderr(log_json)
    sys.exit(Service(settings, state, read, signals).run(once))


@click.command()
@click.option("-c", "config", type=as_path, help="Settings file.")
@click.option("--state", type=as_path, help="Folder for the ledger.")
def check(config: Path | None, state: Path | None) -> None:
    """Validate the settings and folders and print what is in force."""
    import yaml

    from bgwatch.config import default_path
    from bgwatch.watch.service import state_folder

    settings = folder_settings((), config, {})
    found = config or (default_path() if os.path.exists(default_path()) else None)
    say(f"settings: {found}" if found else f"settings: defaults, there is no {default_path()}")
    say(f"state: {state or state_folder()}")
    _check_folders(settings, state or state_folder())
    click.echo(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), nl=False)


@click.command()
@click.option("-c", "config", type=as_path, help="Settings file: tell only of daemons that watch its folders.")
@click.option("--state", type=as_path, help="Folder for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(config: Path | None, state: Path | None, as_json: bool) -> None:
    """Tell whether a daemon runs and how it stands (exit code 3: none runs)."""
    import json

    from bgwatch.watch import report
    from bgwatch.watch.service import state_folder

    inboxes = [folder.inbox for folder in folder_settings((), config, {}).folders] if config else []
    daemons = report.daemons(state or state_folder(), inboxes)
    if as_json:
        click.echo(json.dumps(report.as_json(daemons)))
    else:
        echo(report.lines(daemons))
    sys.exit(0 if any(report.runs(daemon) for daemon in daemons) else 3)


@click.command()
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--accept", is_flag=True, help="Take reviewed results as they are.")
@click.option("-c", "config", type=as_path, help="Settings file.")
@click.option("--state", type=as_path, help="Folder for the ledger.")
def retry(names: tuple[str, ...], accept: bool, config: Path | None, state: Path | None) -> None:
    """Have pictures that failed or are under review done again, all or those named, or accept results.

    A NAME is that of a picture, of its result, or a path of either; a picture that stays in the inbox is done again
    when it is named.
    """
    from bgwatch.watch.ledger import Ledger
    from bgwatch.watch.retry import Retry
    from bgwatch.watch.service import state_folder

    settings = folder_settings((), config, {})
    with closing(Ledger((state or state_folder()) / "ledger.sqlite")) as ledger:
        orders = Retry(ledger, settings.folders)
        told = orders.accept(names) if accept else orders.again(names)
    echo(told.done)
    for sentence in told.refused:
        say(sentence)
    if not told.done and not told.refused:
        say(f"nothing to do: nothing {'is' if accept else 'has failed or is'} under review")
    sys.exit(1 if told.refused or not told.done else 0)


@click.group()
def service() -> None:
    """Run watch as a systemd user service: put it in place, look at it, or take it away."""


@service.command("install")
@click.option("-c", "config", type=as_path, help="Settings file.")
@click.option("--state", type=as_path, help="Folder for the ledger.")
@click.option("--print", "show", is_flag=True, help="Print the unit and touch nothing.")
def service_install(config: Path | None, state: Path | None, show: bool) -> None:
    """Write the unit, and start it now and at every login."""
    from bgwatch import unit
    from bgwatch.watch.service import state_folder

    path, settings = unit.settings_of(config)
    state = (state or state_folder()).absolute()
    _check_folders(settings, state)
    text = unit.unit_text(path, state, network=settings.scheduler is not None)
    if show:
        click.echo(text, nl=False)
    else:
        echo(unit.install(text))


@service.command("status")
def service_status() -> None:
    """Tell what is installed and whether it runs (3: it does not)."""
    from bgwatch import unit

    lines, active = unit.status()
    echo(lines)
    sys.exit(0 if active else 3)


@service.command("uninstall")
def service_uninstall() -> None:
    """Stop it and take away what install put there."""
    from bgwatch import unit

    echo(unit.uninstall())


def _check_folders(settings: "Settings", state: Path) -> None:
    """Refuse folders that watch would refuse, and name those that it would make."""
    from bgwatch.watch.filing import Filing
    from bgwatch.watch.places import places, refuse_loops

    everywhere = [places(folder) for folder in settings.folders]
    refuse_loops(everywhere, state)
    for where in everywhere:
        for place in Filing(where).missing():
            say(f"{place}: is not there yet; watch makes it")
        Filing(where).refuse_unusable()


COMMANDS = (watch, check, status, retry, service)
