"""The GIMP plug-in's other half: pixels in, what hides the background out, through the same ``remove_background``.

Run as ``python -I -m bgwatch.gimp_worker``. It answers requests in turn until its standard input closes;
then it ends, in the middle of a request too, so that it never outlives a plug-in that was cancelled.

Protocol, version 2
-------------------
Each message is one line, a JSON object in UTF-8 of at most 64 KiB. Raw bytes follow where told: rows
from the top, channels interleaved, no padding, samples of 8 bits or of 16 in the machine's byte order.
A request is one of ::

    {"ask": "hello"}
    {"protocol": 2, "ask": "remove", "width": W, "height": H, "channels": C, "depth": 8, "mask": false,
     "colours": false, "options": {...}}
    {"protocol": 2, "ask": "preview", "width": W, "height": H, "channels": C, "options": {...}}

"remove" and "preview" are followed by H*W*C samples of the layer (C: 1 grey, 2 grey and alpha, 3 RGB, 4
RGBA; alpha is straight), and, when "mask" is true, by the H*W samples of the mask the layer has. "depth"
(8 or 16; 8 if it is missing) holds for both. "options" are fields of `bgwatch.settings.Segmentation`. Any
number of progress lines come back, then a result, followed by as many bytes as it says, or an error, which
is one sentence for the user ::

    {"progress": 0.0, "text": "Finding the background"}
    {"result": {"bytes": N, "runs": R, "confidence": 0.97, "unsure": false, "reasons": []}}
    {"error": "tolerance: must be less than or equal to 255, got 300"}

The bytes of "hello" are none; its result has "version", by which both sides know each other. Those of
"preview" are H*W*3 of the result on a checkerboard, in RGB. Those of "remove" are the H*W samples of the
layer's new mask and, when "colours" is true, R pairs of uint32 and the pixels they tell of: runs within a
row whose colours were freed of the backdrop's, each as the index of its first pixel in the flattened
picture and its length.

The next request is sent after the answer. After a request that cannot be understood the stream has no
known position any more: the worker says so and ends with status 1.

What the mask holds
-------------------
GIMP multiplies a layer's mask with the layer's own alpha, which stays as it is. So the bytes are the
result's alpha divided by the layer's (0 where the layer is transparent), times the mask it had. Where
the layer is opaque this is exactly the alpha that ``bgwatch remove --mask`` writes, and elsewhere the
layer and its mask together round to it. With the option ``shadow=keep`` the mask holds the shadow's alpha
too, but the black that belongs to it is among the colours: a mask alone shows the layer's own there.
"""

import json
import os
import queue
import sys
import threading
import traceback
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import numpy as np

from bgwatch import __version__
from bgwatch.errors import BgwatchError, PictureError
from bgwatch.layer import as_picture, layer_mask, on_checkerboard, soft_pixels
from bgwatch.segment.pipeline import remove_background
from bgwatch.segment.pixels import Pixels, eight_bits
from bgwatch.settings import PictureLimits, Segmentation

PROTOCOL = 2
LONGEST_LINE = 65536
DEPTHS: dict[int, type[np.uint8] | type[np.uint16]] = {8: np.uint8, 16: np.uint16}


class RequestError(BgwatchError):
    """A request that cannot be understood, after which the stream's position is unknown."""


@dataclass(frozen=True, eq=False)
class Request:
    """One request, whole: ``pixels`` has the shape (H, W, C), ``mask`` (H, W)."""

    ask: str
    pixels: Pixels
    mask: Pixels | None
    colours: bool
    options: dict[str, Any]


Requests = queue.SimpleQueue[Request | RequestError | None]


def main() -> int:
    """Answer requests until standard input closes; return the exit status."""
    answers = _claim_stdout()
    requests: Requests = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, requests, busy), daemon=True).start()
    try:
        return _serve(requests, busy, answers)
    except BrokenPipeError:
        return 0  # the plug-in is gone, and nobody waits for the answer


def _claim_stdout() -> BinaryIO:
    """Keep standard output for answers; whatever else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _receive(stream: BinaryIO, requests: Requests, busy: threading.Event) -> None:
    """Read in a thread of its own, to notice the end of the input while a request is worked on."""
    while True:
        try:
            request = _read_request(stream)
        except RequestError as problem:
            requests.put(problem)
            return
        if request is None:
            if busy.is_set():
                os._exit(0)  # nothing else stops a computation half-way
            requests.put(None)
            return
        if request.ask != "hello":  # which is answered also to one who has said all
            busy.set()
        requests.put(request)


def _serve(requests: Requests, busy: threading.Event, answers: BinaryIO) -> int:
    while (request := requests.get()) is not None:
        if isinstance(request, RequestError):
            _send(answers, {"error": str(request)})
            return 1
        answer, data = _answer(request, answers)
        busy.clear()  # before the answer: the next request may follow it at once
        _send(answers, answer, data)
    return 0


def _read_request(stream: BinaryIO) -> Request | None:
    """Read one request; None at the end of the input, also in the middle of a request."""
    line = stream.readline(LONGEST_LINE + 1)
    if not line.endswith(b"\n"):
        if len(line) > LONGEST_LINE:
            raise RequestError(f"a request must begin with a line of at most {LONGEST_LINE} bytes, got a longer one")
        return None
    header = _header(line)
    if header["ask"] == "hello":
        return Request("hello", np.empty((0, 0, 1), np.uint8), None, False, {})
    height, width, channels = _shape(header)
    depth = DEPTHS[header.get("depth", 8)]
    try:
        pixels = _read_plane(stream, (height, width, channels), depth)
        mask = _read_plane(stream, (height, width), depth) if header.get("mask") else None
    except EOFError:
        return None
    return Request(header["ask"], pixels, mask, bool(header.get("colours")), header["options"])


def _header(line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise RequestError("a request must begin with a line that is a JSON object: start the command again")
    if header.get("ask") == "hello":
        return header
    if header.get("protocol") != PROTOCOL:
        raise RequestError(
            f"the GIMP plug-in speaks protocol {header.get('protocol')!r} and bgwatch {__version__} speaks {PROTOCOL}: "
            "run “bgwatch gimp install” with the bgwatch that GIMP is to use"
        )
    if header.get("ask") not in ("remove", "preview"):
        raise RequestError(f"ask: must be hello, remove or preview, got {header.get('ask')!r}")
    if not isinstance(header.get("options"), dict):
        raise RequestError(f"options: must be a JSON object, got {header.get('options')!r}")
    if header.get("depth", 8) not in (8, 16):
        raise RequestError(f"depth: must be 8 or 16, got {header['depth']!r}")
    return header


def _shape(header: dict[str, Any]) -> tuple[int, int, int]:
    height, width, channels = sides = [header.get(name, 0) for name in ("height", "width", "channels")]
    if not all(type(side) is int and side > 0 for side in sides) or channels > 4:
        raise RequestError(
            "height, width, channels: must be whole numbers of at least 1, and channels at most 4, "
            f"got {height!r}, {width!r}, {channels!r}"
        )
    if height * width > PictureLimits().max_pixels:
        raise RequestError(
            f"the layer of {width} x {height} pixels is larger than bgwatch takes "
            f"({PictureLimits().max_pixels} pixels): crop or scale it"
        )
    return height, width, channels


def _read_plane(stream: BinaryIO, shape: tuple[int, ...], depth: type[np.uint8] | type[np.uint16]) -> Pixels:
    try:
        plane = cast(Pixels, np.empty(shape, depth))
    except MemoryError:
        raise RequestError(f"there is no memory for a layer of {shape[1]} x {shape[0]} pixels: scale it") from None
    rest = plane.reshape(-1).view(np.uint8).data
    while rest:
        count = stream.readinto(rest)  # type: ignore[attr-defined]  # BinaryIO lacks it, sys.stdin.buffer has it
        if not count:
            raise EOFError
        rest = rest[count:]
    return plane


def _answer(request: Request, answers: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Do what is asked; an error becomes the answer, and the worker stays ready."""
    try:
        if request.ask == "hello":
            return {"result": {"bytes": 0, "version": __version__}}, b""
        _send(answers, {"progress": 0.0, "text": "Finding the background"})
        return _found(request)
    except BgwatchError as problem:
        return {"error": str(problem)}, b""
    except BrokenPipeError:
        raise
    except MemoryError:
        height, width, _ = request.pixels.shape
        return {"error": f"there is not enough memory for a layer of {width} x {height} pixels: scale it"}, b""
    except Exception as error:  # noqa: BLE001  # the outer edge: a sentence for the user, the traceback for the log
        traceback.print_exc()
        return {"error": f"bgwatch failed on an error of its own ({type(error).__name__}: {error})"}, b""


def _found(request: Request) -> tuple[dict[str, Any], bytes]:
    wanted = Segmentation.of(request.options)
    if request.pixels.shape[2] in (2, 4) and not request.pixels[..., -1].any():
        raise PictureError("the layer has only transparent pixels: choose another")
    cutout = remove_background(as_picture(request.pixels), **wanted.model_dump())
    runs: Any = ()
    if request.ask == "preview":
        data = on_checkerboard(eight_bits(cutout.rgba)).tobytes()
    else:
        data = layer_mask(cutout.rgba[..., 3], request.pixels, request.mask).tobytes()
        if request.colours:
            runs, colours = soft_pixels(cutout.rgba, request.pixels)
            data += runs.tobytes() + colours.tobytes()
    result = {
        "bytes": len(data),
        "runs": len(runs),
        "confidence": round(cutout.confidence, 4),
        "unsure": cutout.confidence < wanted.min_confidence,
        "reasons": list(cutout.report.reasons),
    }
    return {"result": result}, data


def _send(answers: BinaryIO, message: dict[str, Any], data: bytes = b"") -> None:
    answers.write(json.dumps(message).encode() + b"\n" + data)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
