"""The same picture gives the same bytes: by every door, for any number of workers or threads, every time."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bgwatch
from bgwatch import remove_background
from bgwatch.writing.encode import encode

PICTURES = Path(__file__).parent / "pictures"
RUNS = 20
CLASHING = {"mug.jpg": "mug.jpg", "mug.png": "logo.png", "deep/portrait.jpg": "portrait.jpg", "portrait.jpg": "mug.jpg"}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def results_in(folder: Path) -> dict[str, str]:
    """The digests of the results in a folder, by their names."""
    names = (path for path in sorted(folder.rglob("*.png")) if "done" not in path.parts)
    return {str(path.relative_to(folder)): digest(path.read_bytes()) for path in names}


def run(*arguments: object) -> None:
    """Call the command line in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(bgwatch.__file__).parents[1])}
    command = [sys.executable, "-m", "bgwatch", *map(str, arguments)]
    subprocess.run(command, env=environment, capture_output=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of which two results want the same name."""
    folder = tmp_path_factory.mktemp("inbox")
    for name, source in CLASHING.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(PICTURES / source, folder / name)
    return folder


@pytest.fixture(scope="module")
def expected(inbox: Path) -> dict[str, str]:
    """What the Python function gives, under names numbered in the order of the inputs."""
    numbered = {"mug.jpg": "mug.png", "mug.png": "mug-2.png"}
    found = {}
    for name in CLASHING:
        image = Image.open(inbox / name)
        kept = {key: image.info[key] for key in ("dpi", "icc_profile", "exif") if key in image.info}
        data = encode(remove_background(image).rgba, kept)
        found[numbered.get(name, str(Path(name).with_suffix(".png")))] = digest(data)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_every_door_gives_the_same_bytes(workers: int, inbox: Path, expected: dict[str, str]) -> None:
    """The function, the command line and the daemon; two results that want one name are numbered by their inputs."""
    assert len(expected) == len(CLASHING)
    run("remove", inbox, "-o", "removed", "--workers", workers)
    assert results_in(Path("removed")) == expected
    shutil.copytree(inbox, "in")
    run("watch", "in", "out", "--once", "--settle-seconds", "0.05", "--workers", workers)
    assert results_in(Path("out")) == expected


def test_twenty_runs_give_the_same_bytes() -> None:
    """In one process, whatever its memory held before."""
    rgb = np.asarray(Image.open(PICTURES / "portrait.jpg").reduce(2))
    found = {digest(remove_background(rgb).rgba.tobytes()) for _ in range(RUNS)}
    assert len(found) == 1
