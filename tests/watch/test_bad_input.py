"""What lies in an inbox and is no good picture: one line each, nothing lost, and the good ones come out."""

import contextlib
import os
import re
import socket
import stat
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from scenes import opened, png_chunk, png_header
from watching import Box, rescans

Draw = Callable[..., Path]
TOO_MUCH = zlib.compress(bytes(2**26))
NO_PICTURE = "not a picture bgwatch reads"
BROKEN = "broken or cut short"
CUT = "is broken, cut short, or of a kind that bgwatch does not read"
TEXTS = "its texts or its profile are too long"


def with_chunk(png: bytes, name: bytes, data: bytes) -> bytes:
    """Put a chunk behind a PNG's header."""
    return png[:33] + png_chunk(name, data) + png[33:]


def test_bad_pictures_fail_with_one_line_each_and_good_ones_come_out(
    box: Box, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    png, jpg = draw(box.root / "a.png").read_bytes(), draw(box.root / "a.jpg").read_bytes()
    bad: dict[str, tuple[bytes, str]] = {
        "empty.jpg": (b"", r"the file is empty \(0 bytes\)"),
        "zeros.jpg": (bytes(100_000), "begins with nothing but zeros"),
        "text.png": (b"this is no picture", NO_PICTURE),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NO_PICTURE),
        "signature.png": (png[:8], CUT),
        "half.jpg": (jpg[: len(jpg) // 2], BROKEN),
        "flipped.png": (png[:2000] + bytes(20) + png[2020:], BROKEN),
        "endless.png": (png[:33] + struct.pack(">I", 2**32 - 1) + b"tEXt" + png[33:], BROKEN),
        "wide.png": (png_header(50_000, 50_000), "50000 x 50000 pixels are more than max_pixels"),
        "note.png": (with_chunk(png, b"zTXt", b"note\0\0" + TOO_MUCH), TEXTS),
        "international.png": (with_chunk(png, b"iTXt", b"note\0\1\0\0\0" + TOO_MUCH), TEXTS),
        "profile.png": (with_chunk(png, b"iCCP", b"note\0\0" + TOO_MUCH), TEXTS),
    }
    for name, (content, _) in bad.items():
        (box.inbox / name).write_bytes(content)
    for name in ("0.jpg", "m.jpg", "z.jpg"):
        (box.inbox / name).write_bytes(jpg)
    assert box.once() == 1
    assert box.files() == {
        *(f"out/failed/{name}{tail}" for name in bad for tail in ("", ".reason.txt")),
        *(f"out/{stem}.png" for stem in "0mz"),
        *(f"out/done/{stem}.jpg" for stem in "0mz"),
    }
    for name, (content, said) in bad.items():
        assert (box.outbox / "failed" / name).read_bytes() == content
        (line,) = [line for line in caplog.messages if f"/{name}" in line]
        assert re.search(f"failed: .*/{re.escape(name)}: .*{said}", line)
    assert "Traceback" not in caplog.text


def test_nothing_is_ever_fetched(box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is a failed picture here, and so is a picture that is named like an address."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    draw(box.root / "a.png")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/a.png"
        for name in ("people.csv", "people.txt", url.replace("/", "_")):
            (box.inbox / name).write_text(f"img\n{url}\n{box.root / 'a.png'}\n")
        assert box.once() == 1
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert {name for name in box.files() if not name.endswith(".reason.txt")} == {
        f"out/failed/{name}" for name in ("people.csv", "people.txt", url.replace("/", "_"))
    }
    assert (box.root / "a.png").exists()


def test_thousands_of_frames_are_refused_unless_asked_for(box: Box, draw: Draw) -> None:
    gif = draw(box.inbox / "long.gif")
    pixel = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    gif.write_bytes(gif.read_bytes()[:-1] + 5_000 * pixel + b";")
    assert box.once() == 1
    reason = (box.outbox / "failed" / "long.gif.reason.txt").read_text()
    assert "long.gif: more than max_frames (1000) frames or pages; raise it or take the one you want" in reason
    (box.outbox / "failed" / "long.gif").rename(box.inbox / "long.gif")
    assert box.once(max_frames=5001) == 0


def test_odd_but_good_pictures_come_out(box: Box, draw: Draw) -> None:
    """By content, not by name; with more text or bytes at the end than anybody needs."""
    draw(box.inbox / "really-a.png").rename(box.inbox / "really-a.jpg")
    draw(box.inbox / "named.png").rename(box.inbox / "named.txt")
    with draw(box.inbox / "trailing.jpg").open("ab") as file:
        file.write(bytes(10_000))
    png = draw(box.inbox / "wordy.png")
    png.write_bytes(with_chunk(png.read_bytes(), b"tEXt", b"note\0" + b"x" * 5_000_000))
    assert box.once() == 0
    assert {path.name for path in box.outbox.glob("*.png")} == {
        f"{stem}.png" for stem in ("really-a", "named", "trailing", "wordy")
    }


@pytest.mark.slow
def test_a_picture_that_needs_too_much_memory_fails_alone(
    box: Box, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    Image.new("RGB", (12_000, 12_000)).save(box.inbox / "huge.png", compress_level=1)
    draw(box.inbox / "good.jpg")
    assert box.once(worker_memory_mb=1536) == 1
    assert box.files() == {
        "out/good.png",
        "out/done/good.jpg",
        "out/failed/huge.png",
        "out/failed/huge.png.reason.txt",
    }
    (line,) = [line for line in caplog.messages if "huge.png" in line]
    assert "needs more memory than worker_memory_mb allows" in line


def test_what_is_no_regular_file_is_left_alone_and_told_once(
    box: Box, draw: Draw, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links out of the inbox are not followed, and nobody waits for the other end of a fifo."""
    outside = draw(box.root / "outside" / "secret.jpg")
    (box.inbox / "link.jpg").symlink_to(outside)
    (box.inbox / "relative.jpg").symlink_to("../outside/secret.jpg")
    (box.inbox / "folder").symlink_to(outside.parent)
    (box.inbox / "circle").symlink_to(".")
    (box.inbox / "dangling.jpg").symlink_to("nowhere")
    os.mkfifo(box.inbox / "fifo.jpg")
    monkeypatch.chdir(box.inbox)  # a socket's name must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")
    with contextlib.suppress(PermissionError):  # only root makes devices
        os.mknod("device.jpg", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    odd = {path.name for path in box.inbox.iterdir()}
    draw(box.inbox / "good.jpg")
    rescans(box, monkeypatch, 4)
    assert box.files() == {f"in/{name}" for name in odd - {"folder", "circle"}} | {"out/good.png", "out/done/good.jpg"}
    for name in odd:
        assert caplog.text.count(f"/{name}: is no regular file and is left alone") == 1
    assert opened(outside).size == (120, 140)
