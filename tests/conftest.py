"""Pictures, and the command line as a user calls it."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from counting import GimpTests
from dasks import Dask
from PIL import Image
from scenes import Ended, disc
from serving import Internet, Server, serving

from bgwatch import cli
from bgwatch.inputs import fetch


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(
        GimpTests()
    )  # here, since the folder of those tests is not read before they are collected


@pytest.fixture(autouse=True)
def at_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees this user's settings, or leaves anything in this user's folders."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    work = home / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def bgwatch(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Call the command line in this process."""

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["bgwatch", *map(str, arguments)])
        before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ended(int(ended.value.code or 0), out, err)

    return call


@pytest.fixture
def draw() -> Callable[..., Path]:
    """Save a picture of a disc under a name and give its path."""

    def save(path: Path | str, mode: str = "RGB", seed: int = 0, **options: object) -> Path:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        image = disc(seed=seed)
        image = image.quantize(64, dither=Image.Dither.NONE) if mode == "P" else image.convert(mode)
        image.save(path, **options)
        return path

    return save


@pytest.fixture
def picture(draw: Callable[..., Path]) -> bytes:
    """Give the content of a drawn PNG, which is no file."""
    path = draw("drawn.png")
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a web server on this machine."""
    with serving() as running:
        yield running


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """Decide what names mean to `bgwatch.inputs.fetch`."""
    made = Internet()
    monkeypatch.setattr(fetch, "socket", made.module())
    return made


@pytest.fixture
def start_dask() -> Iterator[Callable[..., Dask]]:
    pytest.importorskip("distributed", reason="dask.distributed is not installed (pip install 'bgwatch[cluster]')")
    with contextlib.ExitStack() as stack:

        def start(**environment: str) -> Dask:
            dask = Dask(**environment)
            stack.callback(dask.close)
            return dask

        yield start
