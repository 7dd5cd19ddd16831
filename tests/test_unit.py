"""The systemd user unit as systemd reads it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from units import lines

from bgwatch import unit
from bgwatch.errors import FolderError

ODD = ["plain", "with space", "100%h", "$HOME ${x}", 'o\'neil "q"', "back\\slash", "größe 写真", "semi ; colon #"]


def verified(file: Path, runtime: Path, **environment: str) -> str:
    """What ``systemd-analyze verify`` says."""
    command = shutil.which("systemd-analyze")
    if not command:
        pytest.skip("systemd-analyze is not installed here")
    surrounding = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), **environment}
    done = subprocess.run(
        [command, "--user", "verify", str(file)],
        env=surrounding,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.stdout


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """And would find a word that is none."""
    file = tmp_path / unit.NAME
    file.write_text(unit.unit_text(tmp_path / "c.yaml", tmp_path / "state"))
    assert unit.NAME not in verified(file, tmp_path)
    file.write_text(file.read_text().replace("OOMPolicy=", "OOMPolice="))
    assert "OOMPolice" in verified(file, tmp_path)


@pytest.mark.parametrize("name", ODD)
def test_systemd_reads_the_paths_as_they_are(name: str, tmp_path: Path) -> None:
    file, config = tmp_path / unit.NAME, tmp_path / name / "c.yaml"
    file.write_text(unit.unit_text(config, tmp_path / name))
    dump = verified(file, tmp_path, SYSTEMD_LOG_LEVEL="debug")
    read = re.search(rf'-> ExecStart:\n\s*Command Line: "?{re.escape(sys.executable)}"? (.*)', dump)
    if read is None and "Command Line:" not in dump:
        pytest.skip("this systemd-analyze does not tell how it reads a command line")
    words = [
        re.sub(r"\\([\"\\$`])", r"\1", quoted) or bare
        for quoted, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', read[1])
    ]
    assert words == ["-P", "-m", "bgwatch", "watch", "-c", str(config), "--state", str(tmp_path / name)]


@pytest.mark.parametrize("name", ["with space", "100%h", "$HOME ${x}", "größe 写真"])
def test_systemd_finds_an_interpreter_of_an_odd_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks whether the program is there, so a name that it misread would not be found."""
    python = tmp_path / name / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    file = tmp_path / unit.NAME
    file.write_text(unit.unit_text(tmp_path / "c.yaml", tmp_path))
    assert unit.NAME not in verified(file, tmp_path)
    python.unlink()
    assert "is not executable" in verified(file, tmp_path)


@pytest.mark.parametrize("name", ["o'neil", 'q"q', "back\\slash", "line\nbreak"])
def test_an_interpreter_that_systemd_cannot_run_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", f"/home/{name}/python")
    with pytest.raises(
        FolderError, match=r"systemd runs no program with a quote, .+; install bgwatch in another folder"
    ):
        unit.unit_text(Path("/c.yaml"), Path("/state"))


def test_bytes_that_are_no_text_and_line_breaks_are_escaped() -> None:
    """A unit is lines of UTF-8."""
    text = unit.unit_text(Path(os.fsdecode(b"/a\xff\n\te\xcc\x81/c.yaml")), Path("/state"))
    assert '-c "/a\\xff\\x0a\\x09e\u0301/c.yaml" --state' in lines(text)["ExecStart"]


def test_a_dollar_stays_a_dollar() -> None:
    """The colon says so, and stands only where it is needed, since old versions do not know it."""
    assert lines(unit.unit_text(Path("/$HOME/c.yaml"), Path("/s")))["ExecStart"].startswith(':"/')
    assert lines(unit.unit_text(Path("/home/c.yaml"), Path("/s")))["ExecStart"].startswith('"/')


def test_the_unit_hides_no_folder_from_the_daemon() -> None:
    """An inbox may lie in /tmp, and reloaded settings may name any other folder."""
    given = lines(unit.unit_text(Path("/c.yaml"), Path("/s")))
    assert not [name for name in given if re.search("^(Private|Protect|ReadOnly|ReadWrite|Inaccessible|UMask)", name)]
