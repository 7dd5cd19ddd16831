"""A GIMP 3 that runs this checkout: one on PATH, or the root that provision.sh makes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gimp_pictures import CHECKOUT

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
ROOT = Path(os.environ.get("BGWATCH_GIMP_ROOT") or CACHE / "bgwatch" / "gimp-root").absolute()


class NoGimpError(Exception):
    """There is none; the text says why."""


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
        """Run a command in GIMP's system; fail, with all it said, unless it exits with 0."""
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
        assert not done.returncode, f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout[-6000:]}"
        return done.stdout

    def has(self, program: str) -> bool:
        """Tell whether GIMP's system has a program."""
        return "yes" in self.run("sh", "-c", f"command -v {program} >/dev/null && echo yes || echo no", seconds=60)

    def bgwatch(self, *arguments: str) -> str:
        """Run the command line of this checkout."""
        return self.run(self.python, "-m", "bgwatch", *arguments, seconds=200)

    def batch(self, script: str) -> str:
        """Run a script of inside/, with the modules beside it, inside GIMP."""
        inside = self.put_inside()
        run = f"exec(compile(open('{inside}/{script}').read(), '{script}', 'exec'), globals())"
        code = f"INSIDE = '{inside}'; {run}"
        options = ("-i", "-d", "--batch-interpreter=python-fu-eval", "-b", code, "--quit")
        return self.run(self.console, *options, seconds=500)

    def put_inside(self) -> str:
        """Copy inside/ to where GIMP's system sees it; return its name there."""
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HERE / "inside", self.folder / "inside", ignore=ignored, dirs_exist_ok=True)
        return f"{self.inside}/inside"


def find_gimp(folder: Path) -> Gimp:
    """Find a GIMP 3, and let its system see a folder."""
    if native := _native_console():
        return Gimp(native, sys.executable, folder, str(folder), (), _environment_without_this_venv())
    if not (ROOT / "etc" / "bgwatch-recipe").is_file():
        raise NoGimpError("no gimp-console-3.* on PATH and no GIMP root; tests/gimp/provision.sh makes one")
    if os.geteuid() != 0:
        raise NoGimpError(f"the GIMP root {ROOT} can only be entered by root")
    return _checkout_in_root(folder)


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
        raise NoGimpError(asked.stderr.strip())
    console, python = asked.stdout.split()
    gimp = Gimp(console, python, folder, "/session", enter, environment)
    options = ("--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--target", "/session/site")
    gimp.run(python, "-m", "pip", "install", *options, "/session/source", seconds=200)
    return gimp
