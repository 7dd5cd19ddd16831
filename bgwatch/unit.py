"""Runs the daemon as a systemd user service: puts its unit in place, looks at it, and takes it away."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

from bgwatch.config import default_path, load
from bgwatch.durable import sync_folder
from bgwatch.errors import FolderError, SettingsError
from bgwatch.place import replace_with
from bgwatch.settings import Settings

NAME = "bgwatch.service"
LOG = "journalctl --user -u bgwatch"
MARKER = "# Written by bgwatch service install"  # a unit that does not begin so is not ours
BOOTED = Path("/run/systemd/system")  # what sd_booted(3) looks at
PATIENCE = 150  # seconds; a start may take 90 and a stop 20

UNIT = f"""{MARKER}, which writes it anew; systemctl --user edit bgwatch adds to it.
[Unit]
Description=Take the background out of pictures dropped into folders

[Service]
Type=notify
NotifyAccess=main
ExecStart={{command}}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=300

# a folder that cannot be used may come back; wrong settings do not mend themselves
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2

# the daemon ends its workers itself, in 10 seconds; a worker killed for want of memory does not end the daemon
KillMode=mixed
TimeoutStartSec=600
TimeoutStopSec=20
OOMPolicy=continue
Nice=10

# What needs a mount namespace (ProtectSystem=, PrivateTmp=, ...) is left out: for a user's service it needs a user
# namespace too, which older versions do not make and some kernels forbid, and settings may name folders in /tmp.
# RestrictSUIDSGID= is left out: a picture with the setgid bit could not be moved to another disk.
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies={{families}}
RestrictNamespaces=yes
RestrictRealtime=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


def settings_of(config: Path | None) -> tuple[Path, Settings]:
    """Find and read the settings that a service is to run with.

    Parameters
    ----------
    config : Path or None
        The settings file; None takes this user's.

    Returns
    -------
    Path, Settings
        The file, absolute, and what it says.

    Raises
    ------
    SettingsError
        When there is none, when it is wrong, or when it names no folders.
    """
    path = (config or default_path()).absolute()
    if config is None and not os.path.exists(path):
        raise SettingsError(f"{path}: is not there, and a service needs settings; write them, or name a file with -c")
    settings = load(path)
    if not settings.folders:
        raise SettingsError(f"{path}: names no folders, and a service has no ./inbox; add folders: to it")
    return path, settings


def unit_path() -> Path:
    """Where this user's units lie, ours among them."""
    return platformdirs.user_config_path() / "systemd" / "user" / NAME


def unit_text(config: Path, state: Path, network: bool = False) -> str:
    """Write the unit down.

    Parameters
    ----------
    config, state : Path
        The settings file and the folder for the ledger, absolute.
    network : bool
        Whether the settings name a scheduler, which is reached through the network.

    Raises
    ------
    FolderError
        When systemd cannot run this Python for its name.
    """
    if re.search(r"[\x00-\x1f\x7f\"'\\]", sys.executable):
        said = "systemd runs no program with a quote, a backslash or a control character in its path"
        raise FolderError(f"{sys.executable}: {said}; install bgwatch in another folder")
    python, config_word, state_word = (_quoted(path) for path in (Path(sys.executable), config, state))
    # -P: what lies in the home folder is not to be imported
    command = f"{python} -P -m bgwatch watch -c {config_word} --state {state_word}"
    # a colon keeps systemd from putting variables in place of dollars; systemd 243 and older do not know it
    command = ":" + command if "$" in command else command
    return UNIT.format(command=command, families="AF_UNIX AF_INET AF_INET6" if network else "AF_UNIX")


def install(unit: str) -> list[str]:
    """Put the unit in place and start it, now and at every login; safe to repeat.

    Parameters
    ----------
    unit : str
        From `unit_text`.

    Returns
    -------
    list of str
        What was done.

    Raises
    ------
    FolderError
        When there is no systemd, when a unit is there that is not ours, or when the service does not start.
    """
    _installed()
    replace_with(unit.encode(), unit_path(), 0o644)
    _systemctl("daemon-reload")
    _systemctl("enable", NAME)
    _systemctl("restart", NAME)  # unlike enable --now also where an older unit runs
    return [f"installed and started {unit_path()}", *_hints()]


def status() -> tuple[list[str], bool]:
    """Say whether the service is installed, what it runs and whether it does.

    Returns
    -------
    list of str, bool
        Lines, and whether it is active.

    Raises
    ------
    FolderError
        When there is no systemd, or when the unit there is not ours.
    """
    unit = _installed()
    if unit is None:
        return [f"{unit_path()}: not installed; run bgwatch service install"], False
    asked = _run("systemctl", "--user", "is-active", NAME)
    command = re.search(r"^ExecStart=:?(.*)", unit, re.MULTILINE)
    lines = [f"{unit_path()}: installed, {asked.stdout.strip()}", f"it runs {command[1] if command else 'nothing'}"]
    return [*lines, *_hints()], asked.returncode == 0


def uninstall() -> list[str]:
    """Stop the service and take its unit away.

    Returns
    -------
    list of str
        What was done.

    Raises
    ------
    FolderError
        When there is no systemd, or when the unit there is not ours, or does not stop.
    """
    file = unit_path()
    if _installed() is None:
        return [f"{file}: nothing is installed there"]
    _systemctl("disable", "--now", NAME)
    file.unlink()
    sync_folder(file.parent)
    _systemctl("daemon-reload")
    return [f"stopped the service and removed {file}"]


def _quoted(path: Path) -> str:
    r"""Write a path as systemd.syntax(7) reads it, with % doubled and bytes that are no text as \xNN."""
    escaped = os.fsencode(path).replace(b"\\", rb"\\").replace(b'"', rb"\"").replace(b"%", b"%%")
    text = escaped.decode("utf-8", "backslashreplace")
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", text) + '"'


def _refuse_without_systemd() -> None:
    needed = {"systemctl is not on PATH": shutil.which("systemctl"), f"{BOOTED} is not there": BOOTED.is_dir()}
    for missing in (words for words, there in needed.items() if not there):
        said = "keep bgwatch watch running by what this system has instead"
        raise FolderError(f"a service needs systemd, and {missing}; {said}")
    answer = _run("systemctl", "--user", "show", "--property=Version")
    if answer.returncode:
        said = "log in as this user, not through su or sudo"
        raise FolderError(f"systemd does not answer for this user ({_last_line(answer)}); {said}")


def _installed() -> str | None:
    """Read the unit that is there, None where there is none; refuse one that is not ours, or a lack of systemd."""
    _refuse_without_systemd()
    file = unit_path()
    if not os.path.lexists(file):
        return None
    text = "" if file.is_symlink() else file.read_text(encoding="utf-8", errors="replace")
    if not text.startswith(MARKER):
        raise FolderError(f"{file}: was not written by bgwatch, which leaves it alone; move it away")
    return text


def _hints() -> list[str]:
    lingers = _run("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value").stdout.strip() == "yes"
    log = f"see its log with {LOG}"
    return [log] if lingers else [log, "it runs while you are logged in; loginctl enable-linger lets it run always"]


def _systemctl(*words: str) -> None:
    done = _run("systemctl", "--user", *words)
    if done.returncode:
        said = f"systemctl --user {' '.join(words)} failed ({_last_line(done)})"
        raise FolderError(f"{unit_path()}: {said}; look for the reason with {LOG}")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command; one that is not there, or does not end, has failed."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=PATIENCE
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error.strerror))
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer in {PATIENCE} seconds")


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
