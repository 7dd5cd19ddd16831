"""``bgwatch service`` with a pretended systemctl, and where there is no systemd."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import Ended
from units import Systemd, home, lines

from bgwatch import unit

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    monkeypatch.setattr(unit, "BOOTED", tmp_path)
    return Systemd(bin_folder)


@pytest.fixture
def settings() -> Path:
    path = Path("settings.yaml")
    path.write_text("folders:\n  - {inbox: in, outbox: out}\n")
    return path


def test_print_shows_the_unit_and_touches_nothing(bgwatch: Bgwatch, settings: Path) -> None:
    """Where there is no systemd as well."""
    before = home()
    ended = bgwatch("service", "install", "-c", settings, "--print")
    assert ended.code == 0
    assert ended.out == unit.unit_text(settings.absolute(), Path(os.environ["XDG_STATE_HOME"]) / "bgwatch")
    assert home() == before


def test_only_a_service_with_a_scheduler_may_use_the_network(bgwatch: Bgwatch, settings: Path) -> None:
    for scheduler, families in (("", "AF_UNIX"), ("scheduler: tcp://127.0.0.1:8786\n", "AF_UNIX AF_INET AF_INET6")):
        settings.write_text(scheduler + settings.read_text())
        ended = bgwatch("service", "install", "-c", settings, "--print")
        assert lines(ended.out)["RestrictAddressFamilies"] == families


def test_paths_are_made_absolute(bgwatch: Bgwatch, settings: Path) -> None:
    """A service has no current folder."""
    ended = bgwatch("service", "install", "-c", settings, "--state", "here", "--print")
    here = Path.cwd()
    assert lines(ended.out)["ExecStart"].endswith(f'-c "{here}/settings.yaml" --state "{here}/here"')


@pytest.mark.slow
def test_the_command_of_the_unit_cuts_out_pictures(bgwatch: Bgwatch, settings: Path, draw: Draw) -> None:
    """With no environment but a user manager's, and with a trap in the home folder, where a service starts."""
    draw("in/photo.jpg")
    ended = bgwatch("service", "install", "-c", settings, "--state", "state", "--print")
    folder = Path(os.environ["HOME"])
    (folder / "yaml.py").write_text("raise ImportError('not this one')")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    command = [*shlex.split(lines(ended.out)["ExecStart"]), "--once", "--workers", "1"]
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert Path("out/photo.png").is_file()


def test_install_writes_the_unit_and_starts_it(bgwatch: Bgwatch, systemd: Systemd, settings: Path) -> None:
    for _ in range(2):  # it is safe to repeat, and a running service takes up the new unit
        ended = bgwatch("service", "install", "-c", settings)
        assert ended.code == 0
        assert systemd.calls() == ["daemon-reload", "enable bgwatch.service", "restart bgwatch.service"]
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user" / "bgwatch.service"
    assert file.read_text() == bgwatch("service", "install", "-c", settings, "--print").out
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert f"installed and started {file}\n" in ended.out
    assert "journalctl --user -u bgwatch" in ended.out


def test_linger_is_spoken_of_where_it_is_missing(bgwatch: Bgwatch, systemd: Systemd, settings: Path) -> None:
    hint = "it runs while you are logged in; loginctl enable-linger lets it run always"
    assert hint in bgwatch("service", "install", "-c", settings).out
    systemd.answers("loginctl", "echo yes")
    assert hint not in bgwatch("service", "status").out
    systemd.answers("loginctl", "echo no session >&2; exit 1")
    assert hint in bgwatch("service", "status").out


def test_the_settings_of_this_user_are_taken(bgwatch: Bgwatch, systemd: Systemd, settings: Path) -> None:
    """And there must be some: nobody means a service's ./inbox."""
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "bgwatch" / "config.yaml"
    ended = bgwatch("service", "install")
    assert ended.code == 2
    assert f"error: {path}: is not there, and a service needs settings; write them, or name a file with -c" in ended.err
    path.parent.mkdir(parents=True)
    settings.rename(path)
    assert f'-c "{path}"' in bgwatch("service", "install", "--print").out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no folders, and a service has no ./inbox; add folders: to it"),
        ("folders: [{inbox: a}]", "outbox"),
        ("folders: [{inbox: a, outbox: a/b}]", "lies inside the inbox"),
    ],
)
def test_settings_that_watch_would_refuse_are_refused(
    text: str, said: str, bgwatch: Bgwatch, systemd: Systemd, settings: Path
) -> None:
    settings.write_text(text)
    before = home()
    ended = bgwatch("service", "install", "-c", settings)
    assert ended.code == 2
    assert said in ended.err
    assert home() == before
    assert systemd.calls() == []


def foreign(file: Path) -> None:
    file.write_text("[Service]\nExecStart=/usr/bin/true\n")


def masked(file: Path) -> None:
    file.symlink_to("/dev/null")


def linked(file: Path) -> None:
    Path("checkout.service").write_text(unit.unit_text(Path("/c.yaml"), Path("/s")))
    file.symlink_to(Path("checkout.service").absolute())


@pytest.mark.parametrize("made", [foreign, masked, linked])
@pytest.mark.parametrize("command", [("install", "-c", "settings.yaml"), ("status",), ("uninstall",)])
def test_a_unit_that_is_not_ours_is_left_alone(
    made: Callable[[Path], None], command: tuple[str, ...], bgwatch: Bgwatch, systemd: Systemd, settings: Path
) -> None:
    file = unit.unit_path()
    file.parent.mkdir(parents=True)
    made(file)
    before = file.read_bytes(), file.is_symlink()
    ended = bgwatch("service", *command)
    assert ended.code == 3
    assert f"error: {file}: was not written by bgwatch, which leaves it alone; move it away" in ended.err
    assert (file.read_bytes(), file.is_symlink()) == before
    assert systemd.calls() == []


@pytest.mark.parametrize("verb", ["daemon-reload", "enable", "restart"])
def test_a_service_that_does_not_start_is_told_of(
    verb: str, bgwatch: Bgwatch, systemd: Systemd, settings: Path
) -> None:
    systemd.answers("systemctl", f'[ "$2" != {verb} ] || {{ echo warning; echo the reason >&2; exit 1; }}')
    ended = bgwatch("service", "install", "-c", settings)
    assert ended.code == 3
    assert re.search(
        rf"error: .*bgwatch\.service: systemctl --user {verb}.* failed \(the reason\); look .+ journalctl", ended.err
    )


def test_status_tells_what_runs(bgwatch: Bgwatch, systemd: Systemd, settings: Path) -> None:
    """Exit code 0 for a running service, and 3 for one that does not run or is not there."""
    ended = bgwatch("service", "status")
    assert (ended.code, ended.out) == (3, f"{unit.unit_path()}: not installed; run bgwatch service install\n")
    bgwatch("service", "install", "-c", settings)
    systemd.answers("systemctl", '[ "$2" != is-active ] || echo active')
    ended = bgwatch("service", "status")
    assert ended.code == 0
    assert f"{unit.unit_path()}: installed, active\n" in ended.out
    assert f'it runs "{sys.executable}" -P -m bgwatch watch -c "{settings.absolute()}" --state ' in ended.out
    assert "see its log with journalctl --user -u bgwatch\n" in ended.out
    systemd.answers("systemctl", '[ "$2" != is-active ] || { echo failed; exit 3; }')
    ended = bgwatch("service", "status")
    assert ended.code == 3
    assert "installed, failed\n" in ended.out


def test_uninstall_takes_away_what_install_put_there(bgwatch: Bgwatch, systemd: Systemd, settings: Path) -> None:
    bgwatch("service", "install", "-c", settings)
    systemd.calls()
    ended = bgwatch("service", "uninstall")
    assert (ended.code, ended.out) == (0, f"stopped the service and removed {unit.unit_path()}\n")
    assert systemd.calls() == ["disable --now bgwatch.service", "daemon-reload"]
    assert not unit.unit_path().exists()
    ended = bgwatch("service", "uninstall")
    assert (ended.code, ended.out) == (0, f"{unit.unit_path()}: nothing is installed there\n")
    assert systemd.calls() == []


def test_a_service_that_does_not_stop_keeps_its_unit(bgwatch: Bgwatch, systemd: Systemd, settings: Path) -> None:
    bgwatch("service", "install", "-c", settings)
    systemd.answers("systemctl", '[ "$2" != disable ] || exit 4')
    ended = bgwatch("service", "uninstall")
    assert ended.code == 3
    assert "systemctl --user disable --now bgwatch.service failed (exit status 4)" in ended.err
    assert unit.unit_path().exists()


COMMANDS = pytest.mark.parametrize("command", [("install", "-c", "settings.yaml"), ("status",), ("uninstall",)])


@COMMANDS
def test_without_a_running_systemd_all_is_refused(
    command: tuple[str, ...], bgwatch: Bgwatch, settings: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "BOOTED", Path("nowhere"))
    before = home()
    ended = bgwatch("service", *command)
    assert (ended.code, ended.out) == (3, "")
    assert "error: a service needs systemd, and nowhere is not there; keep bgwatch watch running by" in ended.err
    assert home() == before
    assert systemd.calls() == []


@COMMANDS
def test_without_systemctl_all_is_refused(
    command: tuple[str, ...], bgwatch: Bgwatch, settings: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "nowhere")
    ended = bgwatch("service", *command)
    assert (ended.code, ended.out) == (3, "")
    assert "error: a service needs systemd, and systemctl is not on PATH; keep bgwatch watch running" in ended.err
    assert not unit.unit_path().exists()


@COMMANDS
def test_without_a_manager_of_this_user_all_is_refused(
    command: tuple[str, ...], bgwatch: Bgwatch, settings: Path, systemd: Systemd
) -> None:
    """As under sudo."""
    systemd.answers("systemctl", "echo Failed to connect to bus: No medium found >&2; exit 1")
    ended = bgwatch("service", *command)
    assert (ended.code, ended.out) == (3, "")
    assert "does not answer for this user (Failed to connect to bus: No medium found); log in as this" in ended.err
    assert not unit.unit_path().exists()


def test_a_systemctl_that_hangs_is_not_waited_for(
    bgwatch: Bgwatch, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "PATIENCE", 0.1)
    systemd.answers("systemctl", "exec sleep 60")
    ended = bgwatch("service", "status")
    assert ended.code == 3
    assert "does not answer for this user (no answer in 0.1 seconds)" in ended.err


@pytest.mark.skipif(unit.BOOTED.is_dir(), reason="systemd runs this system, and a test must not install a service")
def test_on_a_system_without_systemd_the_refusal_is_real(bgwatch: Bgwatch, settings: Path) -> None:
    ended = bgwatch("service", "install", "-c", settings)
    assert ended.code == 3
    assert "error: a service needs systemd, and " in ended.err
    assert ended.err.count("error") == 1
