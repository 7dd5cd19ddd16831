"""A real GIMP 3 for the tests of this folder: found or skipped, driven once, counted at the end.

BGWATCH_REQUIRE_GIMP=1 makes a missing GIMP, or a GIMP test that did not run, a failure.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gimp_pictures import CHECKOUT, METHODS, drawn_pictures, headshots
from PIL import Image

HERE = Path(__file__).parent
REQUIRED = os.environ.get("BGWATCH_REQUIRE_GIMP") == "1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
ROOT = Path(os.environ.get("BGWATCH_GIMP_ROOT") or CACHE / "bgwatch" / "gimp-root").absolute()

known: set[str] = set()
ran: set[str] = set()


@pytest.hookimpl(tryfirst=True)  # before -m and -k leave any out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known.update(item.nodeid for item in items if item.get_closest_marker("gimp"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.outcome in ("passed", "failed") and report.nodeid in known:
        ran.add(report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if REQUIRED and len(ran) < len(known) and not session.exitstatus and not session.config.option.collectonly:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not known:
        return
    short = REQUIRED and len(ran) < len(known)
    why = ": fewer than there are, and BGWATCH_REQUIRE_GIMP=1 asks for all" if short else ""
    terminalreporter.write_line(f"GIMP tests: {len(ran)} ran of {len(known)}{why}", red=short)


@dataclass(frozen=True)
class Gimp:
    """A GIMP and the Python beside it; ``folder`` is known to their programs as ``inside``."""

    console: str
    python: str
    folder: Path
    inside: str
    enter: tuple[str, ...]
    environment: Mapping[str, str]

    def run(self, *command: str, seconds: int) -> str:
        """Run a command in GIMP's system; fail the tests, with all it said, unless it exits with 0."""
        settings = (f"BGWATCH_SESSION={self.inside}", f"GIMP3_DIRECTORY={self.inside}/profile", f"HOME={self.inside}")
        done = subprocess.run(
            [*self.enter, "env", *settings, *command],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )
        if done.returncode:
            pytest.fail(f"{' '.join(command)}\nended with status {done.returncode}:\n{done.stdout[-6000:]}")
        return done.stdout

    def bgwatch(self, *arguments: str) -> str:
        """Run the command line of this checkout."""
        return self.run(self.python, "-m", "bgwatch", *arguments, seconds=200)

    def batch(self, script: Path) -> str:
        """Run a Python script, with the modules beside it, inside GIMP."""
        inside = f"{self.inside}/inside"
        shutil.copytree(script.parent, self.folder / "inside", ignore=shutil.ignore_patterns("__pycache__"))
        run = f"exec(compile(open('{inside}/{script.name}').read(), '{script.name}', 'exec'), globals())"
        code = f"INSIDE = '{inside}'; {run}"
        options = ("-i", "-d", "--batch-interpreter=python-fu-eval", "-b", code, "--quit")
        return self.run(self.console, *options, seconds=500)


@dataclass(frozen=True)
class Session:
    """What one GIMP session left behind."""

    folder: Path
    output: str
    results: Mapping[str, Any]

    def result(self, name: str) -> Any:
        """Return what a scenario of the batch reported; fail with its traceback if it broke."""
        found = self.results[name]
        if "broke" in found:
            pytest.fail(f"scenario {name} broke inside GIMP:\n{found['broke']}")
        return found

    def picture(self, name: str) -> np.ndarray:
        """Return a picture as the file has it."""
        return np.asarray(Image.open(self.folder / "pictures" / f"{name}.png"))

    def expected(self, name: str, method: str) -> np.ndarray:
        """Return the mask that the command line writes."""
        return np.asarray(Image.open(self.folder / "masks" / method / f"{name}.png"))

    def cutout(self, name: str) -> np.ndarray:
        """Return the cut-out that the command line writes, in RGBA."""
        return np.asarray(Image.open(self.folder / "cutouts" / f"{name}.png").convert("RGBA"))

    def plane(self, name: str, shape: tuple[int, ...], dtype: type[np.generic] = np.uint8) -> np.ndarray:
        """Return raw samples that the batch wrote."""
        return np.fromfile(self.folder / "planes" / name, dtype).reshape(shape)


@pytest.fixture(scope="session")
def gimp(tmp_path_factory: pytest.TempPathFactory) -> Gimp:
    """Return a GIMP 3 that runs this checkout, or skip and say why."""
    folder = tmp_path_factory.mktemp("gimp")
    if native := _native_console():
        return Gimp(native, sys.executable, folder, str(folder), (), _environment_without_this_venv())
    if not (ROOT / "etc" / "bgwatch-recipe").is_file():
        _do_without("no gimp-console-3.* on PATH and no GIMP root; tests/gimp/provision.sh makes one")
    if os.geteuid() != 0:
        _do_without(f"the GIMP root {ROOT} can only be entered by root")
    return _checkout_in_root(folder)


@pytest.fixture(scope="session")
def session(gimp: Gimp) -> Session:
    """Install the plug-in, cut every picture by the command line, then run all scenarios in one GIMP session."""
    for name in ("pictures", "masks", "planes"):
        (gimp.folder / name).mkdir()
    for name, picture in drawn_pictures():
        picture.save(gimp.folder / "pictures" / f"{name}.png")
    for path in headshots():
        shutil.copy(path, gimp.folder / "pictures" / f"headshot-{path.name}")
    gimp.bgwatch("gimp", "install", "--profile", f"{gimp.inside}/profile")
    for method in METHODS:
        masks = f"{gimp.inside}/masks/{method}"
        gimp.bgwatch("remove", f"{gimp.inside}/pictures", "-o", masks, "--mask", "--method", method)
    gimp.bgwatch("remove", f"{gimp.inside}/pictures", "-o", f"{gimp.inside}/cutouts")
    output = gimp.batch(HERE / "inside" / "batch.py")
    return Session(gimp.folder, output, json.loads((gimp.folder / "results.json").read_text()))


def _native_console() -> str | None:
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    found = sorted({path.name for folder in folders for path in folder.glob("gimp-console-3.*")})
    return shutil.which(found[-1]) if found else None


def _environment_without_this_venv() -> dict[str, str]:
    """GIMP starts its plug-ins with the first python3 on PATH, and that one must know gi."""
    ours = str(Path(sys.executable).parent)
    path = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != ours)
    return {**os.environ, "PATH": path}


def _checkout_in_root(folder: Path) -> Gimp:
    """Install this checkout, as a wheel would, where the Python in the root finds it."""
    for name in ("bgwatch", "gimp_plugin"):
        shutil.copytree(CHECKOUT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "config.example.yaml"):
        if (CHECKOUT / name).is_file():
            shutil.copy(CHECKOUT / name, folder / "source")
    enter = (str(HERE / "provision.sh"), "run", str(folder))
    environment = {**os.environ, "BGWATCH_GIMP_ROOT": str(ROOT)}
    ask = [*enter, "sh", "-c", "ls /usr/bin/gimp-console-3.* && echo $BGWATCH_PYTHON"]
    asked = subprocess.run(ask, env=environment, capture_output=True, text=True, timeout=60)
    if asked.returncode:
        _do_without(asked.stderr.strip())
    console, python = asked.stdout.split()
    gimp = Gimp(console, python, folder, "/session", enter, environment)
    options = ("--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--target", "/session/site")
    gimp.run(python, "-m", "pip", "install", *options, "/session/source", seconds=200)
    return gimp


def _do_without(reason: str) -> None:
    if REQUIRED:
        pytest.fail(f"BGWATCH_REQUIRE_GIMP=1, but {reason}")
    pytest.skip(reason)
