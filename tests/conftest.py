"""Pictures, and the command line as a user calls it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bgwatch import cli


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


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
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ended(int(ended.value.code or 0), out, err)

    return call


def disc(width: int = 120, height: int = 140, seed: int = 0) -> Image.Image:
    """Draw a red disc with a dark stripe on a noisy grey backdrop."""
    image = Image.new("RGB", (width * 4, height * 4), (188, 190, 192))
    pen = ImageDraw.Draw(image)
    pen.ellipse((width, height, width * 3, height * 3), (190, 40, 50))
    pen.rectangle((width * 1.5, height * 1.9, width * 2.5, height * 2.1), (40, 30, 35))
    small = np.asarray(image.resize((width, height), Image.Resampling.BOX)).astype(np.float32)
    noise = np.random.default_rng(seed).normal(0, 1.5, small.shape)
    return Image.fromarray((small + noise).clip(0, 255).astype(np.uint8))


def opened(path: Path | str) -> Image.Image:
    """Read a picture whole and close its file."""
    with Image.open(path) as image:
        image.load()
        return image.copy()


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
