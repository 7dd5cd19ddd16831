"""The worker's protocol, spoken with a real worker process."""

import io
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bgwatch
from bgwatch import gimp_worker
from bgwatch.gimp_worker import LONGEST_LINE, PROTOCOL
from bgwatch.layer import as_picture

PATIENCE = 120  # seconds after which a hanging worker fails its test
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(bgwatch.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
REPLACED = """
import os, bgwatch.gimp_worker as worker
original = worker.remove_background
def replaced(*args, **options):
    {body}
worker.remove_background = replaced
worker.main()
"""


class Worker:
    """A worker process, and the plug-in's side of the talk."""

    def __init__(self, *arguments: str) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, *arguments]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT)

    def ask(self, header: dict[str, Any] | bytes, *planes: np.ndarray) -> tuple[dict[str, Any], bytes]:
        """Send a request, and return the answer after its progress lines, with its bytes."""
        line = header if isinstance(header, bytes) else json.dumps(header).encode()
        self.send(line + b"\n", *(plane.tobytes() for plane in planes))
        while "progress" in (answer := self.line()):
            assert 0 <= answer["progress"] <= 1
            assert answer["text"]
        return answer, self.process.stdout.read(answer.get("result", {}).get("bytes", 0))

    def send(self, *data: bytes) -> None:
        self.process.stdin.write(b"".join(data))
        self.process.stdin.flush()

    def line(self) -> dict[str, Any]:
        return json.loads(self.process.stdout.readline())

    def end(self) -> tuple[int, str]:
        """Close the worker's input; return its exit status and what it said on standard error."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said.decode()


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    """Start workers, and end those that the test did not."""
    started = []

    def start_one(*arguments: str) -> Worker:
        started.append(Worker(*arguments))
        return started[-1]

    yield start_one
    for worker in started:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.communicate()


@pytest.fixture
def worker(start: Callable[..., Worker]) -> Worker:
    """Start a worker as the plug-in does, but from this checkout."""
    return start("-m", "bgwatch.gimp_worker")


def header(pixels: np.ndarray, mask: bool = False, **options: Any) -> dict[str, Any]:
    """Ask for the background of pixels of the shape (H, W, C)."""
    height, width, channels = pixels.shape
    sides = {"width": width, "height": height, "channels": channels}
    return {"protocol": PROTOCOL, "ask": "remove", **sides, "mask": mask, "options": options}


def square(channels: int) -> np.ndarray:
    """Draw a dark square on a light backdrop; its last row is half transparent where there is an alpha."""
    pixels = np.full((9, 11, channels), 220, np.uint8)
    pixels[3:6, 4:8] = 30
    if channels in (2, 4):
        pixels[..., -1] = 255
        pixels[5, :, -1] = 100
        pixels[4, 5, -1] = 0
    return pixels


def soft_disc(dtype: type[np.uint8] | type[np.uint16], channels: int) -> np.ndarray:
    """Draw a dark disc with a soft edge on a light backdrop."""
    row, column = np.mgrid[:60, :70]
    inside = np.clip(20.5 - np.hypot(row - 30, column - 35), 0, 1)[..., None]
    count = 3 if channels > 2 else 1
    colours = inside * (180, 60, 40)[:count] + (1 - inside) * (90, 140, 190)[:count]
    full = np.iinfo(dtype).max
    pixels = np.round(colours * (full / 255)).astype(dtype)
    return pixels if channels in (1, 3) else np.dstack([pixels, np.full((60, 70), full, dtype)])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_colours_are_those_of_soft_pixels(
    worker: Worker, dtype: type[np.uint8] | type[np.uint16], channels: int
) -> None:
    """In the layer's own depth; with the mask they make the cut-out of ``remove_background``."""
    pixels = soft_disc(dtype, channels)
    asked = {**header(pixels), "depth": 8 * pixels.itemsize, "colours": True}
    answer, data = worker.ask(asked, pixels)
    count, area = answer["result"]["runs"], 60 * 70 * pixels.itemsize
    mask = np.frombuffer(data[:area], dtype).reshape(60, 70)
    runs = np.frombuffer(data[area : area + 8 * count], np.uint32).reshape(-1, 2)
    colours = np.frombuffer(data[area + 8 * count :], dtype).reshape(-1, channels)
    places = np.concatenate([np.arange(start, start + length) for start, length in runs])
    assert 0 < len(places) == len(colours) < 60 * 70 / 4
    flat = pixels.reshape(-1, channels).copy()
    flat[places] = colours
    wanted = bgwatch.remove_background(as_picture(pixels)).rgba
    np.testing.assert_array_equal(mask, wanted[..., 3])
    shown = mask > 0
    found = flat.reshape(pixels.shape)[..., : 3 if channels > 2 else 1]
    np.testing.assert_array_equal(found[shown], wanted[..., : found.shape[2]][shown])


def test_a_preview_lies_on_a_checkerboard(worker: Worker) -> None:
    """What is opaque shows itself, and what is gone shows light and dark squares."""
    pixels = square(3)
    answer, data = worker.ask({**header(pixels, method="threshold"), "ask": "preview"}, pixels)
    shown = np.frombuffer(data, np.uint8).reshape(9, 11, 3)
    assert answer["result"]["confidence"] <= 1
    assert set(shown[3:6, 4:8].ravel()) == {30}
    assert (shown[0, 0].tolist(), shown[8, 0].tolist()) == ([153] * 3, [204] * 3)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_mask_is_what_remove_background_finds(worker: Worker, channels: int) -> None:
    """The layer's alpha times the mask is the result's alpha, and where the layer is opaque the mask is."""
    pixels = square(channels)
    answer, data = worker.ask(header(pixels, method="threshold"), pixels)
    assert answer["result"]["bytes"] == 99
    wanted = np.zeros((9, 11), np.uint8)
    wanted[3:6, 4:8] = 255
    if channels in (2, 4):
        wanted[4, 5] = 0  # transparent in the layer: nothing to show there
    np.testing.assert_array_equal(np.frombuffer(data, np.uint8).reshape(9, 11), wanted)
    assert worker.end()[0] == 0


def test_an_existing_mask_is_multiplied(worker: Worker) -> None:
    """What the mask hid stays hidden, in proportion."""
    pixels = square(3)
    before = np.arange(99, dtype=np.uint8).reshape(9, 11)
    _, data = worker.ask(header(pixels, mask=True, method="threshold"), pixels, before)
    wanted = np.zeros_like(before)
    wanted[3:6, 4:8] = before[3:6, 4:8]
    np.testing.assert_array_equal(np.frombuffer(data, np.uint8).reshape(9, 11), wanted)


def test_one_life_answers_many_requests(worker: Worker) -> None:
    """Also after a request that was refused."""
    hello, _ = worker.ask({"protocol": PROTOCOL, "ask": "hello"})
    assert hello == {"result": {"bytes": 0, "version": bgwatch.__version__}}
    assert worker.ask({"ask": "hello"})[0] == hello  # in any protocol
    pixels = square(3)
    refused, _ = worker.ask(header(pixels, method="threshold", tolerance=300), pixels)
    assert "tolerance: must be less than or equal to 255, got 300" in refused["error"]
    for method in ("threshold", "kmeans"):
        answer, data = worker.ask(header(pixels, method=method, clusters=2), pixels)
        assert len(data) == answer["result"]["bytes"]
        assert 0 <= answer["result"]["confidence"] <= 1
        assert isinstance(answer["result"]["unsure"], bool)
    assert worker.end() == (0, "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "magic"}, "method: must be 'auto', 'kmeans' or 'threshold', got 'magic'"),
        ({"tolerence": 3}, "tolerence: is not a setting; did you mean 'tolerance'?"),
        ({"image": 3}, "image: is not a setting"),
    ],
)
def test_a_wrong_option_is_one_sentence(worker: Worker, options: dict[str, Any], said: str) -> None:
    """And the worker stays in step."""
    pixels = square(4)
    answer, _ = worker.ask({**header(pixels), "options": options}, pixels)
    assert said in answer["error"]
    assert "\n" not in answer["error"]
    assert "result" in worker.ask({"protocol": PROTOCOL, "ask": "hello"})[0]


@pytest.mark.parametrize(
    ("request_line", "said"),
    [
        (b"GET / HTTP/1.1", "a line that is a JSON object"),
        (b"[1]", "a line that is a JSON object"),
        (b"[" * 60_000, "a line that is a JSON object"),
        (b"x" * (LONGEST_LINE + 100), f"a line of at most {LONGEST_LINE} bytes"),
        ({"protocol": 99, "ask": "remove"}, "speaks protocol 99 and bgwatch"),
        ({"ask": "remove"}, "run “bgwatch gimp install”"),
        ({"protocol": PROTOCOL, "ask": "sing"}, "ask: must be hello, remove or preview, got 'sing'"),
        ({**header(square(3)), "depth": 32}, "depth: must be 8 or 16, got 32"),
        ({**header(square(3)), "options": None}, "options: must be a JSON object, got None"),
        ({**header(square(3)), "width": 0}, "must be whole numbers of at least 1"),
        ({**header(square(3)), "height": "9"}, "must be whole numbers of at least 1"),
        ({**header(square(3)), "height": True}, "must be whole numbers of at least 1"),
        ({**header(square(3)), "channels": 5}, "channels at most 4"),
        ({**header(square(3)), "width": 30000, "height": 30000}, "the layer of 30000 x 30000 pixels is larger than"),
    ],
)
def test_a_request_out_of_step_is_one_sentence_and_the_end(
    request_line: dict[str, Any] | bytes, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever would follow cannot be understood, so the worker does not try."""
    line = request_line if isinstance(request_line, bytes) else json.dumps(request_line).encode()
    requests, busy, answers = queue.SimpleQueue(), threading.Event(), io.BytesIO()
    gimp_worker._receive(io.BytesIO(line + b"\n" + b"what follows"), requests, busy)
    assert gimp_worker._serve(requests, busy, answers) == 1
    answer = json.loads(answers.getvalue())
    assert list(answer) == ["error"]
    assert said in answer["error"]
    assert "\n" not in answer["error"]
    assert capfd.readouterr() == ("", "")


def test_a_worker_out_of_step_ends(worker: Worker) -> None:
    assert "a line that is a JSON object" in worker.ask(b"GET / HTTP/1.1")[0]["error"]
    assert worker.end() == (1, "")


@pytest.mark.parametrize("cut", [b"", b'{"protocol"', json.dumps(header(square(3))).encode() + b"\nabc"])
def test_the_end_of_the_input_ends_the_worker(worker: Worker, cut: bytes) -> None:
    """Between requests, in a header and in the pixels."""
    worker.send(cut)
    assert worker.end() == (0, "")


def test_a_worker_at_work_ends_when_the_plug_in_does(worker: Worker) -> None:
    """A computation of minutes does not outlive a cancelled plug-in."""
    pixels = np.random.default_rng(0).integers(0, 256, (3000, 3000, 3), np.uint8)
    line = json.dumps(header(pixels, method="kmeans", clusters=256, n_init=100)).encode()
    worker.send(line + b"\n", pixels.tobytes())
    assert "progress" in worker.line()
    answers, _ = worker.process.communicate(timeout=PATIENCE)
    assert worker.process.returncode == 0
    assert answers == b""


def test_stray_prints_do_not_reach_the_plug_in(start: Callable[..., Worker]) -> None:
    """Whatever a library prints, from Python or from C, goes to standard error."""
    body = "print('from Python', flush=True); os.write(1, b'from C'); return original(*args, **options)"
    worker, pixels = start("-c", REPLACED.format(body=body)), square(3)
    answer, data = worker.ask(header(pixels, method="threshold"), pixels)
    assert len(data) == answer["result"]["bytes"]
    status, said = worker.end()
    assert status == 0
    assert "from Python" in said
    assert "from C" in said


def test_an_error_of_its_own_is_a_sentence_and_a_log(start: Callable[..., Worker]) -> None:
    """The plug-in gets no traceback, standard error has it, and the worker stays."""
    worker, pixels = start("-c", REPLACED.format(body="raise ZeroDivisionError('deep inside')")), square(3)
    answer, _ = worker.ask(header(pixels), pixels)
    assert answer == {"error": "bgwatch failed on an error of its own (ZeroDivisionError: deep inside)"}
    assert "result" in worker.ask({"protocol": PROTOCOL, "ask": "hello"})[0]
    assert "Traceback" in worker.end()[1]


def test_too_little_memory_is_a_sentence(start: Callable[..., Worker]) -> None:
    """It says how large the layer is."""
    worker, pixels = start("-c", REPLACED.format(body="raise MemoryError")), square(3)
    answer, _ = worker.ask(header(pixels), pixels)
    assert answer == {"error": "there is not enough memory for a layer of 11 x 9 pixels: scale it"}


def test_a_question_is_answered_though_the_input_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for the version closes the input at once; only a computation ends with it."""
    monkeypatch.setattr(os, "_exit", lambda _: pytest.fail("it ended without an answer"))
    requests: gimp_worker.Requests = queue.SimpleQueue()
    gimp_worker._receive(io.BytesIO(b'{"ask": "hello"}\n'), requests, threading.Event())
    request = requests.get_nowait()
    assert isinstance(request, gimp_worker.Request)
    assert request.ask == "hello"
    assert requests.get_nowait() is None
