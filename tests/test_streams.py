"""Standard input as a picture, standard output for a result."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from PIL import Image
from scenes import Ended, files, opened

from bgwatch.errors import SettingsError
from bgwatch.inputs.sources import Stdout
from bgwatch.inputs.streams import ends

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Give this process a standard input."""

    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


def test_standard_input_becomes_a_file_that_is_named(
    picture: bytes, bgwatch: Bgwatch, typed: Callable[[bytes], None]
) -> None:
    typed(picture)
    assert bgwatch("remove", "-", "-o", "a.png").out == "a.png\n"
    typed(picture)
    assert bgwatch("remove", "-", "-o", "out").out == "out/stdin.png\n"
    assert Path("a.png").read_bytes() == Path("out/stdin.png").read_bytes()
    assert opened("a.png").mode == "RGBA"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("-", "-o", "-"), ("-",), ("drawn.png", "-o", "-"), ("-", "--mask")])
def test_a_pipe_carries_the_result_and_nothing_else(draw: Draw, arguments: tuple[str, ...]) -> None:
    source = draw("drawn.png")
    command = [sys.executable, "-m", "bgwatch", "remove", *arguments]
    ended = subprocess.run(command, input=source.read_bytes(), capture_output=True, timeout=60)
    assert ended.returncode == 0
    with Image.open(io.BytesIO(ended.stdout)) as result:
        result.load()
        assert result.mode == ("L" if "--mask" in arguments else "RGBA")
    assert ended.stderr.startswith(b"1 done in ")
    assert files() == ["drawn.png"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "failed: standard input: nothing came from it; pipe a picture into it"),
        (b"this is text", "failed: standard input: not a picture bgwatch reads"),
        (bytes(2_000_000), "standard input: 1000001 bytes are more than max_bytes (1000000)"),
    ],
)
def test_a_bad_standard_input_fails_alone(
    draw: Draw, bgwatch: Bgwatch, typed: Callable[[bytes], None], data: bytes, said: str
) -> None:
    draw("a.png")
    typed(data)
    ended = bgwatch("remove", "a.png", "-", "-o", "out", "--max-bytes", 10**6)
    assert (ended.code, ended.out) == (1, "out/a.png\n")
    assert said in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-", "-", "-o", "out"), "-: standard input is one picture; name it once"),
        (("a.png", "-"), "-o -: standard output takes the result of one picture; name a folder with -o for more"),
        (("a.png", "b.png", "-o", "-"), "-o -: standard output takes the result of one picture"),
        (("in", "-o", "-"), "-o -: standard output takes the result of one picture"),
        (("a.png", "-o", "-", "--json"), "-o -: standard output takes the result and not --json too"),
        (("-", "--json"), "-o -: standard output takes the result and not --json too"),
        (("-", "--scheduler", "127.0.0.1:8786"), "-: standard input and output are of this machine alone"),
    ],
)
def test_standard_input_and_output_have_their_limits(
    bgwatch: Bgwatch, typed: Callable[[bytes], None], arguments: tuple[str, ...], said: str
) -> None:
    Path("in").mkdir()
    typed(b"")
    ended = bgwatch("remove", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_standard_input_may_be_closed(bgwatch: Bgwatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    ended = bgwatch("remove", "-", "-o", "out")
    assert ended.code == 2
    assert "-: standard input is closed; pipe a picture into it" in ended.err


@pytest.mark.slow
def test_a_terminal_is_no_place_for_a_picture(draw: Draw) -> None:
    draw("a.png")
    for arguments, said in (
        (["a.png", "-o", "-"], "standard output is a terminal; send it to a file with >, or name one with -o"),
        (["-", "-o", "b.png"], "standard input is a terminal; pipe a picture into it"),
    ):
        child = pexpect.spawn(sys.executable, ["-m", "bgwatch", "remove", *arguments], timeout=60, encoding="utf-8")
        assert said in " ".join(child.read().split())
        child.close()
        assert child.exitstatus == 2
    assert files() == ["a.png"]


@pytest.mark.slow
def test_whoever_reads_standard_output_may_go(draw: Draw) -> None:
    source = draw("a.png")
    command = f"{sys.executable} -m bgwatch remove {source} -o - | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in ended.stderr
    assert ended.returncode == 1


def test_standard_output_may_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SettingsError, match="standard output is closed"), ends([Path("a.png")], Stdout(), 1):
        pass
