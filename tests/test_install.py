"""Installing the GIMP plug-in, looking at it, and taking it away."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import bgwatch
from bgwatch.errors import FolderError
from bgwatch.install import PLUGIN, POINTER, SCRIPT, install_plugin, plugin_status, uninstall_plugin


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "GIMP" / "3.0"


def home(profile: Path) -> Path:
    return profile / "plug-ins" / PLUGIN


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_install_puts_the_plug_in_where_gimp_looks(profile: Path) -> None:
    """The folder and the file have one name, the file may be run, and the pointer names this Python."""
    lines = install_plugin(profile)
    assert str(home(profile)) in lines[0]
    assert sys.executable in lines[0]
    assert set(tree(profile)) == {f"plug-ins/{PLUGIN}/{SCRIPT}", f"plug-ins/{PLUGIN}/{POINTER}"}
    assert os.access(home(profile) / SCRIPT, os.X_OK)
    assert stat.S_IMODE((home(profile) / SCRIPT).stat().st_mode) == 0o755
    pointer = json.loads((home(profile) / POINTER).read_text())
    assert pointer == {"python": sys.executable, "version": bgwatch.__version__}


def test_install_is_safe_to_repeat(profile: Path) -> None:
    """It mends what was changed, and leaves the same files."""
    install_plugin(profile)
    first = tree(profile)
    (home(profile) / SCRIPT).write_text("something else")
    install_plugin(profile)
    assert tree(profile) == first


def test_install_finds_all_profiles_of_gimp_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And none of GIMP 2."""
    monkeypatch.delenv("GIMP3_DIRECTORY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("2.10", "3.0", "3.2", "3.0-backup"):
        (tmp_path / "GIMP" / name).mkdir(parents=True)
    install_plugin(None)
    assert {Path(path).parts[1] for path in tree(tmp_path)} == {"3.0", "3.2"}


def test_install_obeys_the_folder_that_gimp_obeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIMP3_DIRECTORY", str(tmp_path / "mine"))
    install_plugin(None)
    assert (home(tmp_path / "mine") / SCRIPT).is_file()


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_no_profile_is_said_in_one_sentence(platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    monkeypatch.delenv("GIMP3_DIRECTORY", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(FolderError, match=r"no GIMP 3 profile .* start GIMP 3 once, or name its profile folder"):
        install_plugin(None)
    assert not tree(tmp_path)


def test_a_profile_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderError, match=r"file/.+: cannot be made \(.+\); .+ --profile$"):
        install_plugin(tmp_path / "file")


def test_a_failed_write_leaves_the_old_file_and_no_other(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in is replaced whole or not at all."""
    install_plugin(profile)
    before = tree(profile)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FolderError, match="No space left on device"):
        install_plugin(profile)
    assert tree(profile) == before


def test_a_link_to_a_checkout_is_left_alone(profile: Path, tmp_path: Path) -> None:
    """Whoever develops the plug-in links it; writing through the link would change the checkout."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    home(profile).parent.mkdir(parents=True)
    home(profile).symlink_to(checkout)
    for function in (install_plugin, plugin_status, uninstall_plugin):
        with pytest.raises(FolderError, match=r"is a link to .*checkout, which bgwatch leaves alone: remove the link"):
            function(profile)
    assert not tree(checkout)


def test_uninstall_removes_what_install_put_there(profile: Path) -> None:
    """The folder too; the rest of the profile stays."""
    other = profile / "plug-ins" / "other"
    other.mkdir(parents=True)
    install_plugin(profile)
    assert "removed" in uninstall_plugin(profile)[0]
    assert list(profile.rglob("*")) == [profile / "plug-ins", other]
    assert "nothing is installed" in uninstall_plugin(profile)[0]


def test_uninstall_leaves_what_it_does_not_know(profile: Path) -> None:
    install_plugin(profile)
    (home(profile) / "notes.txt").write_text("mine")
    assert "left notes.txt" in uninstall_plugin(profile)[0]
    assert set(tree(home(profile))) == {"notes.txt"}


def test_status_tells_missing_whole_old_and_broken_apart(profile: Path, tmp_path: Path) -> None:
    """Every answer but the good one names the command that mends it."""
    assert "not installed; run bgwatch gimp install" in plugin_status(profile)[0]
    install_plugin(profile)
    point(profile, pretended_python(tmp_path, "exit 0"))
    assert "its worker starts with" in plugin_status(profile)[0]
    (home(profile) / SCRIPT).write_text("older")
    assert f"installed by bgwatch {bgwatch.__version__}" in plugin_status(profile)[0]
    (home(profile) / POINTER).write_text("{")
    assert "does not name a Python; run bgwatch gimp install" in plugin_status(profile)[0]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "No such file or directory"),
        ("echo Traceback >&2; echo \"No module named 'bgwatch'\" >&2; exit 1", "No module named 'bgwatch'"),
        ("exit 3", "exit status 3"),
    ],
)
def test_status_starts_the_worker(profile: Path, tmp_path: Path, script: str | None, said: str) -> None:
    """A Python that is gone, or that lost bgwatch, is noticed."""
    install_plugin(profile)
    python = pretended_python(tmp_path, script) if script else "/nowhere/python"
    point(profile, python)
    [line] = plugin_status(profile)
    assert f"broken: {python} does not run bgwatch's worker ({said}); run bgwatch gimp install" in line


def pretended_python(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def point(profile: Path, python: str) -> None:
    (home(profile) / POINTER).write_text(json.dumps({"python": python, "version": bgwatch.__version__}))


def test_the_command_line_prints_the_lines(profile: Path) -> None:
    """``bgwatch gimp install`` is the door to all this."""
    environment = {**os.environ, "PYTHONPATH": str(Path(bgwatch.__file__).parents[1])}
    command = [sys.executable, "-m", "bgwatch", "gimp", "install", "--profile", str(profile)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert str(home(profile)) in done.stdout
    assert (home(profile) / SCRIPT).is_file()
