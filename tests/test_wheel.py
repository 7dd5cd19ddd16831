"""What is installed is whole: not only the modules."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_wheel_holds_what_a_page_is_made_of(tmp_path: Path, draw: Callable[..., Path]) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    draw("a.jpg")
    sheet = [sys.executable, "-m", "bgwatch", "sheet", "a.jpg", "-o", "sheet.html"]
    alone = {**os.environ, "PYTHONPATH": str(tmp_path / "installed"), "PYTHONSAFEPATH": "1"}
    ended = subprocess.run(sheet, env=alone, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "<h2>a.jpg</h2>" in Path("sheet.html").read_text("utf-8")
