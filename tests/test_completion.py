"""What shells complete: commands, options and files, as somebody types them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SET_UP = {
    "bash": 'eval "$(_BGWATCH_COMPLETE=bash_source bgwatch)"',
    "zsh": 'autoload -U compinit && compinit -u -D; eval "$(_BGWATCH_COMPLETE=zsh_source bgwatch)"',
    "fish": "_BGWATCH_COMPLETE=fish_source bgwatch | source",
}


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Ask as bash does, and give what is offered."""

    def ask(typed: str) -> list[str]:
        words = typed.split(" ")
        asked = {"_BGWATCH_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
        code = (
            "import sys, bgwatch.cli\ntry: bgwatch.cli.main()\n"
            "finally: print({'sklearn', 'numpy', 'PIL', 'scipy', 'cv2', 'watchdog', 'rich'} & set(sys.modules))"
        )
        command = [sys.executable, "-c", code]
        ended = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, timeout=60)
        *offered, heavy = ended.stdout.splitlines()
        assert heavy == "set()", "a key press must not wait for numpy"
        return [line.split(",", 1)[1] for line in offered]

    return ask


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("bgwatch re", ["remove", "retry"]),
        ("bgwatch gimp ", ["install", "status", "uninstall"]),
        ("bgwatch remove --ma", ["--mask", "--max-pixels"]),
        ("bgwatch remove --method ", ["auto", "kmeans", "threshold"]),
        ("bgwatch remove --fill be", ["be"]),  # which tells the shell to offer files
    ],
)
def test_commands_options_and_choices_are_offered(
    complete: Callable[[str], list[str]], typed: str, offered: list[str]
) -> None:
    found = complete(typed)
    assert set(offered) <= set(found)
    assert all(name.startswith(typed.rpartition(" ")[2]) for name in found)


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], list[str]]:
    """Type a line into a real shell, tabs and all, and give the arguments that the command was run with."""
    called = tmp_path / "bin" / "bgwatch"
    called.parent.mkdir()
    called.write_text(
        "#!/bin/sh\n"
        f'[ -z "$_BGWATCH_COMPLETE" ] || exec {sys.executable} -m bgwatch "$@"\n'
        'printf "%s\\n" "$@" >ran.tmp && mv ran.tmp ran && echo has-run\n'
    )
    called.chmod(0o755)
    monkeypatch.setenv("PATH", f"{called.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TERM", "xterm")

    def type_in(shell: str, line: str) -> list[str]:
        if not shutil.which(shell):
            pytest.skip(f"no {shell} on this machine")
        name, *options = START[shell]
        child = pexpect.spawn(name, options, timeout=60, encoding="utf-8", dimensions=(40, 200))
        child.sendline(f"{SET_UP[shell]}; echo set-''up")
        child.expect("set-up")
        child.send(line)
        child.send("\r")
        child.expect("has-run")
        child.sendline("exit")
        child.expect(pexpect.EOF)
        child.close()
        return Path("ran").read_text().splitlines()

    return type_in


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_what_is_typed(typed: Callable[[str, str], list[str]], shell: str) -> None:
    Path("my picture.jpg").touch()
    ran = typed(shell, "bgwatch rem\tmy\t --expl\t")
    assert ran == ["remove", "my picture.jpg", "--explain"]
