"""The process that does the work, and the talk with it; the protocol is told in ``bgwatch/gimp_worker.py``."""

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

PROTOCOL = 2
POINTER = Path(__file__).with_name("bgwatch.json")  # written by “bgwatch gimp install”
MEND = "run “bgwatch gimp install” in a terminal."
FOREIGN = ("PYTHON", "LD_", "DYLD_", "GI_", "GEGL_", "BABL_")  # what GIMP set up for itself, not for the worker
THREADS = (
    *(f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR")),
    "OPENCV_FOR_THREADS_NUM",
)
FLATPAK = Path("/.flatpak-info")  # inside one, the Python that has bgwatch is only found outside
ALLOW = "allow it with “flatpak override --user --talk-name=org.freedesktop.Flatpak org.gimp.GIMP” in a terminal."


class RefusalError(Exception):
    """The command cannot be done; the text is one sentence for the user."""


class Worker:
    """The worker, which ends with the ``with`` block, and with this process.

    It takes seconds to start and is only waited for by the first request.
    """

    def __init__(self):
        self.python, self.version = pointer()
        self.greeted = False
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by __exit__
        try:
            self.process = subprocess.Popen(
                command(self.python),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log,
                env=environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            self.log.close()
            raise RefusalError(
                f"The Python that has bgwatch, {self.python}, does not start ({error.strerror}): {MEND}"
            ) from None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()
        self._wait()
        self.process.stdout.close()
        self.log.close()

    def stop(self):
        """End the worker, whatever it does; who waits for its answer is told."""
        with contextlib.suppress(OSError):  # it may have ended before it read everything
            self.process.stdin.close()

    def ask(self, header, strips=(), progress=lambda share, text: None):
        """Send a request, and return its result and the bytes that come with it."""
        if not self.greeted:
            self._greet()
        return self._ask(header, strips, progress)

    def _greet(self):
        hello, _ = self._ask({"ask": "hello"}, (), lambda share, text: None)
        if hello["version"] != self.version:
            raise RefusalError(
                f"This plug-in was installed by bgwatch {self.version}, and {self.python} now has "
                f"{hello['version']}: {MEND}"
            )
        self.greeted = True

    def _ask(self, header, strips, progress):
        with contextlib.suppress(
            OSError, ValueError
        ):  # it refused half-way, died or was stopped: its answer says which
            self.process.stdin.write(json.dumps({"protocol": PROTOCOL, **header}).encode() + b"\n")
            for strip in strips:
                self.process.stdin.write(strip)
            self.process.stdin.flush()
        while True:
            answer = self._line()
            if "progress" in answer:
                progress(answer["progress"], answer["text"])
            elif "error" in answer:
                raise RefusalError(answer["error"])
            else:
                return answer["result"], self._bytes(answer["result"]["bytes"])

    def _line(self):
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except ValueError:
            raise RefusalError(self._last_words()) from None

    def _bytes(self, count):
        data = self.process.stdout.read(count)
        if len(data) != count:
            raise RefusalError(self._last_words())
        return data

    def _last_words(self):
        status = self._wait()
        if status < 0:
            return (
                f"The bgwatch worker was ended by signal {-status}: try again, on a smaller layer if memory was short."
            )
        self.log.seek(0)
        said = self.log.read().decode(errors="replace").strip().splitlines() or [f"exit status {status}"]
        mend = ALLOW if FLATPAK.exists() else MEND
        return f"The Python that has bgwatch, {self.python}, cannot run it ({said[-1]}): {mend}"

    def _wait(self):
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:  # it ends when its input closes, so this one hangs
            self.process.kill()
            return self.process.wait()


def pointer():
    """Return the Python that has bgwatch, and the version that installed this plug-in."""
    try:
        named = json.loads(POINTER.read_text(encoding="utf-8"))
        python, version = named["python"], named["version"]
    except (OSError, ValueError, KeyError, TypeError):
        python = version = None
    if not isinstance(python, str) or not isinstance(version, str):
        raise RefusalError(f"{POINTER} does not name the Python that has bgwatch: {MEND}")
    return python, version


def command(python):
    """Return the command that starts the worker."""
    worker = [python, "-I", "-m", "bgwatch.gimp_worker"]
    if not FLATPAK.exists():
        return worker
    return ["flatpak-spawn", "--host", *(f"--env={name}=1" for name in THREADS), *worker]


def environment():
    """Return this environment without what GIMP set for its own libraries, and with one thread for sums."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return kept | dict.fromkeys(THREADS, "1")
