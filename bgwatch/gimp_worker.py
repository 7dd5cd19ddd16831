"""The GIMP plug-in's other half: pixels in, a layer mask out, through the same ``remove_background``.

Run as ``python -I -m bgwatch.gimp_worker``. It answers requests in turn until its standard input closes;
then it ends, in the middle of a request too, so that it never outlives a plug-in that was cancelled.

Protocol, version 1
-------------------
Each message is one line, a JSON object in UTF-8 of at most 64 KiB. Raw bytes follow where told: rows
from the top, channels interleaved, no padding. A request is either of ::

    {"protocol": 1, "ask": "hello"}
    {"protocol": 1, "ask": "remove", "width": W, "height": H, "channels": C, "mask": false, "options": {...}}

"remove" is followed by H*W*C bytes of the layer (C: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; alpha is
straight), and, when "mask" is true, by the H*W bytes of the mask the layer has. "options" are fields of
`bgwatch.settings.Segmentation`. Any number of progress lines come back, then a result, followed by as
many bytes as it says, or an error, which is one sentence for the user ::

    {"progress": 0.0, "text": "Finding the background"}
    {"result": {"bytes": H*W, "confidence": 0.97, "unsure": false, "reasons": []}}
    {"error": "tolerance: must be less than or equal to 255, got 300"}

The next request is sent after the answer. After a request that cannot be understood the stream has no
known position any more: the worker says so and ends with status 1.

What the mask holds
-------------------
GIMP multiplies a layer's mask with the layer's own alpha, which stays as it is. So the bytes are the
result's alpha divided by the layer's (0 where the layer is transparent), times the mask it had. Where
the layer is opaque this is exactly the alpha that ``bgwatch remove --mask`` writes, and elsewhere the
layer and its mask together round to it. With the option ``shadow=keep`` the mask holds the shadow's alpha
too, but the black that belongs to it is not handed over: the layer shows its own colours there.
"""

import json
import os
import queue
import sys
import threading
import traceback
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bgwatch import __version__
from bgwatch.errors import BgwatchError
from bgwatch.segment.pipeline import remove_background
from bgwatch.settings import PictureLimits, segmentation

PROTOCOL = 1
LONGEST_LINE = 65536

Plane = NDArray[np.uint8]


class RequestError(BgwatchError):
    """A request that cannot be understood, after which the stream's position is unknown."""


@dataclass(frozen=True, eq=False)
class Request:
    """One request, whole: ``pixels`` has the shape (H, W, C), ``mask`` (H, W)."""

    ask: str
    pixels: Plane
    mask: Plane | None
    options: dict[str, Any]


Inbox = queue.SimpleQueue[Request | RequestError | None]


def main() -> int:
    """Answer requests until standard input closes; return the exit status."""
    answers = _claim_stdout()
    inbox: Inbox = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, inbox, busy), daemon=True).start()
    try:
        return _serve(inbox, busy, answers)
    except BrokenPipeError:
        return 0  # the plug-in is gone, and nobody waits for the answer


def _claim_stdout() -> BinaryIO:
    """Keep standard output for answers; whatever else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _receive(
    stream: BinaryIO, inbox: "queue.SimpleQueue[Request | RequestError | None]", busy: threading.Event
) -> None:
    """Read in a thread of its own, to notice the end of the input while a request is worked on."""
    while True:
        try:
            request = _read_request(stream)
        except RequestError as problem:
            inbox.put(problem)
            return
        if request is None:
            if busy.is_set():
                os._exit(0)  # nothing else stops a computation half-way
            inbox.put(None)
            return
        busy.set()
        inbox.put(request)


def _serve(inbox: "queue.SimpleQueue[Request | RequestError | None]", busy: threading.Event, answers: BinaryIO) -> int:
    while (request := inbox.get()) is not None:
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
        return Request("hello", np.empty((0, 0, 1), np.uint8), None, {})
    height, width, channels = _shape(header)
    try:
        pixels = _read_plane(stream, (height, width, channels))
        mask = _read_plane(stream, (height, width)) if header.get("mask") else None
    except EOFError:
        return None
    return Request("remove", pixels, mask, header["options"])


def _header(line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise RequestError("a request must begin with a line that is a JSON object: start the command again")
    if header.get("protocol") != PROTOCOL:
        raise RequestError(
            f"the GIMP plug-in speaks protocol {header.get('protocol')!r} and bgwatch {__version__} speaks {PROTOCOL}: "
            "run “bgwatch gimp install” with the bgwatch that GIMP is to use"
        )
    if header.get("ask") not in ("hello", "remove"):
        raise RequestError(f"ask: must be hello or remove, got {header.get('ask')!r}")
    if header["ask"] == "remove" and not isinstance(header.get("options"), dict):
        raise RequestError(f"options: must be a JSON object, got {header.get('options')!r}")
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


def _read_plane(stream: BinaryIO, shape: tuple[int, ...]) -> Plane:
    try:
        plane = np.empty(shape, np.uint8)
    except MemoryError:
        raise RequestError(f"there is no memory for a layer of {shape[1]} x {shape[0]} pixels: scale it") from None
    rest = plane.reshape(-1).data
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
        return _remove(request)
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


def _remove(request: Request) -> tuple[dict[str, Any], bytes]:
    wanted = segmentation(request.options)
    cutout = remove_background(_picture(request.pixels), **wanted.model_dump())
    mask = _mask(cutout.rgba[..., 3].astype(np.uint8), request.pixels, request.mask)
    result = {
        "bytes": mask.size,
        "confidence": round(cutout.confidence, 4),
        "unsure": cutout.confidence < wanted.min_confidence,
        "reasons": list(cutout.report.reasons),
    }
    return {"result": result}, mask.tobytes()


def _picture(pixels: Plane) -> Plane:
    """Give the layer a shape that ``remove_background`` takes."""
    channels = pixels.shape[2]
    if channels == 1:
        return pixels[..., 0]
    if channels == 2:
        return pixels[..., [0, 0, 0, 1]]
    return pixels


def _mask(alpha: Plane, pixels: Plane, before: Plane | None) -> Plane:
    """Divide the layer's own alpha out of the result's, and multiply with the mask that was there."""
    mask = alpha.copy()
    if pixels.shape[2] in (2, 4):
        own = pixels[..., -1]
        part = (own > 0) & (own < 255)
        mask[part] = _divided(alpha[part], own[part])
    if before is not None:
        mask = ((mask.astype(np.uint16) * before + 127) // 255).astype(np.uint8)
    return mask


def _divided(alpha: Plane, own: Plane) -> Plane:
    wide = own.astype(np.uint16)
    quotient: NDArray[np.uint16] = (alpha.astype(np.uint16) * 255 + wide // 2) // wide
    return quotient.astype(np.uint8)  # alpha is never more than own


def _send(answers: BinaryIO, message: dict[str, Any], data: bytes = b"") -> None:
    answers.write(json.dumps(message).encode() + b"\n" + data)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
