"""Installing the GIMP plug-in, looking at it, and taking it away."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import Ended

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
    shipped = {path.name for path in (Path(bgwatch.__file__).parents[1] / "gimp_plugin" / PLUGIN).glob("*.py")}
    assert SCRIPT in shipped
    assert set(tree(home(profile))) == {*shipped, POINTER}
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


def test_install_finds_the_profiles_of_a_flatpak_and_of_a_snap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside GIMP's own."""
    monkeypatch.delenv("GIMP3_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = (".config", ".var/app/org.gimp.GIMP/config", "snap/gimp/current/.config")
    profiles = [tmp_path / folder / "GIMP" / "3.2" for folder in settings]
    for profile in profiles:
        profile.mkdir(parents=True)
    assert len(install_plugin(None)) == len(profiles) + 1
    assert all((home(profile) / SCRIPT).is_file() for profile in profiles)
    uninstall_plugin(None)
    assert not tree(tmp_path)


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
    assert "not installed; run bgwatch gimp install" in faulty(profile)
    install_plugin(profile)
    python = pretended_python(tmp_path, says_version(bgwatch.__version__))
    point(profile, python)
    told = f"{home(profile)}: installed, bgwatch {bgwatch.__version__}, and its worker starts with {python}"
    assert plugin_status(profile) == ([told], True)
    (home(profile) / SCRIPT).write_text("changed")
    (home(profile) / "worker.py").unlink()
    said = f"{SCRIPT}, worker.py: not as bgwatch {bgwatch.__version__} has it; run bgwatch gimp install"
    assert said in faulty(profile)
    point(profile, python, version="0.0.9")
    said = f"installed by bgwatch 0.0.9, and this is {bgwatch.__version__}; run bgwatch gimp install"
    assert said in faulty(profile)
    (home(profile) / POINTER).write_text("{")
    assert "does not name a Python; run bgwatch gimp install" in faulty(profile)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "No such file or directory"),
        ("echo Traceback >&2; echo \"No module named 'bgwatch'\" >&2; exit 1", "No module named 'bgwatch'"),
        ("exit 3", "exit status 3"),
        (
            """echo '{"result": {"version": "9.9"}}'""",
            f"it is bgwatch 9.9, and the plug-in was installed by {bgwatch.__version__}",
        ),
    ],
)
def test_status_starts_the_worker(profile: Path, tmp_path: Path, script: str | None, said: str) -> None:
    """A Python that is gone, or that lost bgwatch, is noticed."""
    install_plugin(profile)
    python = pretended_python(tmp_path, script) if script else "/nowhere/python"
    point(profile, python)
    assert f"broken: {python} does not run bgwatch's worker ({said}); run bgwatch gimp install" in faulty(profile)


def test_the_command_says_by_its_exit_code_whether_the_plug_in_works(
    profile: Path, tmp_path: Path, bgwatch: Callable[..., Ended]
) -> None:
    version = bgwatch("--version").out.split()[-1]
    assert bgwatch("gimp", "status", "--profile", profile).code == 3
    install_plugin(profile)
    point(profile, pretended_python(tmp_path, says_version(version)))
    assert bgwatch("gimp", "status", "--profile", profile).code == 0


def faulty(profile: Path) -> str:
    """What is said of a plug-in that does not work."""
    (line,), works = plugin_status(profile)
    assert not works
    return line


def pretended_python(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def says_version(version: str) -> str:
    return f"""echo '{{"result": {{"bytes": 0, "version": "{version}"}}}}'"""


def point(profile: Path, python: str, version: str = bgwatch.__version__) -> None:
    (home(profile) / POINTER).write_text(json.dumps({"python": python, "version": version}))


def test_the_command_line_prints_the_lines(profile: Path) -> None:
    """``bgwatch gimp install`` is the door to all this."""
    environment = {**os.environ, "PYTHONPATH": str(Path(bgwatch.__file__).parents[1])}
    command = [sys.executable, "-m", "bgwatch", "gimp", "install", "--profile", str(profile)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert str(home(profile)) in done.stdout
    assert (home(profile) / SCRIPT).is_file()
