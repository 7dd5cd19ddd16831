"""Puts the GIMP plug-in into a GIMP profile, and takes it away again."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from bgwatch import __version__
from bgwatch.errors import FolderError
from bgwatch.place import replace_with

PLUGIN = "bgwatch-remove-background"
SCRIPT = f"{PLUGIN}.py"
POINTER = "bgwatch.json"  # names the Python that the plug-in starts
WORKER_SECONDS = 60


def install_plugin(profile: Path | None) -> list[str]:
    """Put the plug-in into a GIMP 3 profile, or into all of this user's; safe to repeat.

    Parameters
    ----------
    profile : Path or None
        A GIMP profile folder, made if it is missing; None finds the profiles of this user.

    Returns
    -------
    list of str
        What was done, a line for each profile.

    Raises
    ------
    FolderError
        When there is no profile, or it cannot be written.
    """
    shipped = _shipped()
    pointer = json.dumps({"python": sys.executable, "version": __version__}, indent=2) + "\n"
    lines = []
    for folder in _homes(profile):
        try:
            for name, content in shipped.items():
                replace_with(content, folder / name, 0o755 if name == SCRIPT else 0o644)
            replace_with(pointer.encode(), folder / POINTER, 0o644)
        except FolderError as error:
            raise FolderError(f"{error}, or install the plug-in elsewhere with --profile") from None
        lines.append(f"installed the GIMP plug-in in {folder}, to run bgwatch {__version__} with {sys.executable}")
    return [*lines, "start GIMP again to find it under Layer > Transparency > Remove Background by Color..."]


def plugin_status(profile: Path | None) -> tuple[list[str], bool]:
    """Say for each profile whether the plug-in is there, is this version's, and finds its worker.

    Parameters
    ----------
    profile : Path or None
        A GIMP profile folder; None finds the profiles of this user.

    Returns
    -------
    list of str
        A line for each profile.
    bool
        Whether it works in all of them.

    Raises
    ------
    FolderError
        When there is no profile.
    """
    states = {folder: _state(folder) for folder in _homes(profile)}
    return [f"{folder}: {said}" for folder, (said, _) in states.items()], all(works for _, works in states.values())


def uninstall_plugin(profile: Path | None) -> list[str]:
    """Take away what `install_plugin` put there, and nothing else.

    Parameters
    ----------
    profile : Path or None
        A GIMP profile folder; None finds the profiles of this user.

    Returns
    -------
    list of str
        What was done, a line for each profile.

    Raises
    ------
    FolderError
        When there is no profile, or it cannot be written.
    """
    return [_uninstall(folder) for folder in _homes(profile)]


def _homes(profile: Path | None) -> list[Path]:
    """Return the plug-in's folder in each profile; never one that leads elsewhere."""
    folders = [found / "plug-ins" / PLUGIN for found in ([profile.absolute()] if profile else _profiles())]
    for folder in folders:
        if folder.is_symlink():
            raise FolderError(
                f"{folder}: is a link to {folder.readlink()}, which bgwatch leaves alone: remove the link"
            )
    return folders


def _profiles() -> list[Path]:
    """Find the GIMP 3 profiles of this user."""
    if named := os.environ.get("GIMP3_DIRECTORY"):  # GIMP itself obeys it
        return [Path(named).absolute()]
    folders = [folder / "GIMP" for folder in (_config_folder(), *_sandboxes())]
    found = [path for folder in folders for path in _versions(folder)]
    if not found:
        raise FolderError(
            f"{folders[0]}: no GIMP 3 profile (3.0, 3.2, ...) is there: start GIMP 3 once, or name its profile folder "
            "with --profile"
        )
    return found


def _versions(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("3.*")) if re.fullmatch(r"3\.\d+", path.name) and path.is_dir()]


def _sandboxes() -> list[Path]:
    """Name the settings folders of GIMP as a Flatpak and as a Snap."""
    if sys.platform in ("win32", "darwin"):
        return []
    return [Path.home() / ".var/app/org.gimp.GIMP/config", Path.home() / "snap/gimp/current/.config"]


def _config_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _shipped() -> dict[str, bytes]:
    """Read the plug-in's files in an installed package, or beside the package in a checkout; the script comes last."""
    package = Path(__file__).parent
    for plugins in (package / "gimp_plugin", package.parent / "gimp_plugin"):
        if (plugins / PLUGIN / SCRIPT).is_file():
            files = sorted((plugins / PLUGIN).glob("*.py"), key=lambda file: file.name == SCRIPT)
            return {file.name: file.read_bytes() for file in files}
    raise FolderError(f"{package}: this copy of bgwatch carries no GIMP plug-in: install bgwatch again with pip")


def _state(folder: Path) -> tuple[str, bool]:
    """Say how a plug-in folder stands, and whether the plug-in works."""
    if not (folder / SCRIPT).is_file():
        return "not installed; run bgwatch gimp install", False
    try:
        pointer = json.loads((folder / POINTER).read_text(encoding="utf-8"))
        python, version = str(pointer["python"]), str(pointer["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"broken: {POINTER} does not name a Python; run bgwatch gimp install", False
    if version != __version__:
        return f"installed by bgwatch {version}, and this is {__version__}; run bgwatch gimp install", False
    if problem := _worker_problem(python, version):
        return f"broken: {python} does not run bgwatch's worker ({problem}); run bgwatch gimp install", False
    if changed := [name for name, content in _shipped().items() if _content(folder / name) != content]:
        return f"{', '.join(sorted(changed))}: not as bgwatch {version} has it; run bgwatch gimp install", False
    return f"installed, bgwatch {version}, and its worker starts with {python}", True


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _worker_problem(python: str, version: str) -> str | None:
    """Ask the worker for its version, as the plug-in does."""
    try:
        done = subprocess.run(
            [python, "-I", "-m", "bgwatch.gimp_worker"],
            input=json.dumps({"ask": "hello"}) + "\n",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=WORKER_SECONDS,
        )
        found = json.loads(done.stdout)["result"]["version"]
    except OSError as error:
        return error.strerror
    except subprocess.TimeoutExpired:
        return f"no answer in {WORKER_SECONDS} seconds"
    except (ValueError, KeyError, TypeError):
        return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return None if found == version else f"it is bgwatch {found}, and the plug-in was installed by {version}"


def _uninstall(folder: Path) -> str:
    ours = [path for path in (*(folder / name for name in _shipped()), folder / POINTER) if path.is_file()]
    if not ours:
        return f"{folder}: nothing is installed there"
    try:
        for path in ours:
            path.unlink()
        others = sorted(path.name for path in folder.iterdir())
        if not others:
            folder.rmdir()
    except OSError as error:
        raise FolderError(
            f"{folder}: the plug-in cannot be removed ({error.strerror}): mend that, or remove the folder by hand"
        ) from None
    return f"{folder}: removed the GIMP plug-in" + (f", and left {', '.join(others)}" if others else "")
