"""Measure speed and memory of `remove_background` against what Pillow needs to write the same result.

    python tests/bench/speed.py [--megapixels 12] [--rounds 3]

It starts itself again with one thread for every library, and runs on one core until the last line, which is about
two workers. The yardstick F is Pillow's decoding of the JPEG plus its PNG encoding, at compress_level=1, of the same
cut-out, in the same process. Each figure is the least of the rounds, which take turns; the article's k-means runs
once. Memory is the peak of a process of its own above what it held before a second picture: of the function, with the
picture in memory already, and of the whole job from file to file. A cold start is the command line on the same JPEG,
in a process of its own, against one that imports scikit-learn. Two workers of one ``bgwatch remove`` compete with two
calls that share the pictures.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import people
import scenery
from numpy.typing import NDArray
from PIL import Image

from bgwatch import Cutout, remove_background
from bgwatch.job import Job, run
from bgwatch.process import THREAD_VARIABLES, one_thread
from bgwatch.settings import PictureLimits

SHAPE = (3, 4)
SHARED = 8  # pictures for two workers


def picture(megapixels: float) -> NDArray[np.uint8]:
    """Photograph a portrait before a graded wall, shape (H, W, 3); large ones are drawn small and enlarged."""
    width, height = (round(side * np.sqrt(megapixels * 1e6 / np.prod(SHAPE))) for side in SHAPE)
    small = (min(width, 1200), min(height, 1600))
    drawn = scenery.shoot("speed", people.portrait, "graded", small, hair="dark", curly=True).rgb
    return np.asarray(Image.fromarray(drawn).resize((width, height), Image.Resampling.BICUBIC))


def least(rounds: int, *jobs: Callable[[], object]) -> list[float]:
    """Give the least seconds of each job over the rounds, in which they take turns."""
    seconds = []
    for _ in range(rounds):
        for job in jobs:
            start = time.perf_counter()
            job()
            seconds.append(time.perf_counter() - start)
    return [min(seconds[place :: len(jobs)]) for place in range(len(jobs))]


def steps(cutout: Cutout) -> str:
    """Say where the time went, the longest step first."""
    laps = sorted(cutout.report.steps, key=lambda lap: -lap.seconds)
    return ", ".join(f"{lap.name} {lap.seconds:.2f} s" for lap in laps)


def peak(path: Path) -> None:
    """Print the bytes a pixel by which an array's cut-out, or a file's whole job, raises this process's peak."""
    target = path.with_suffix(".png")
    if path.suffix == ".npy":
        rgb = np.load(path)
        pixels, job = rgb[..., 0].size, lambda: remove_background(rgb)
    else:
        pixels, job = int(np.prod(Image.open(path).size)), lambda: from_file_to_file(path, target)
    warm = np.zeros((64, 64, 3), np.uint8) + np.arange(64, dtype=np.uint8)[:, None]
    Image.fromarray(remove_background(warm).rgba).save(target.with_suffix(".warm.png"))
    from_file_to_file(target.with_suffix(".warm.png"), target)
    Path("/proc/self/clear_refs").write_text("5")  # a child's peak begins with its parent's, unless it is reset
    before = resident("VmHWM")
    job()
    print((resident("VmHWM") - before) / pixels)


def resident(what: str) -> int:
    """Read a figure of this process's memory from Linux, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def measured_peak(path: Path) -> float:
    """Run `peak` in a process of its own."""
    ran = subprocess.run([sys.executable, __file__, "--peak", str(path)], check=True, capture_output=True, text=True)
    return float(ran.stdout)


def main() -> None:
    """Run the bench."""
    Image.MAX_IMAGE_PIXELS = None  # what is opened here was drawn here, and may be as large as was asked for
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak:
        peak(asked.peak)
        return
    rgb = picture(asked.megapixels)
    print(f"{rgb.shape[1]} x {rgb.shape[0]}, least of {asked.rounds}, one process")
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as folder:
        os.sched_setaffinity(0, {min(cores)})
        report(rgb, asked.rounds, Path(folder))
        os.sched_setaffinity(0, cores)
        report_workers(Path(folder, "speed.jpg"), asked.rounds, Path(folder))


def report(rgb: NDArray[np.uint8], rounds: int, folder: Path) -> None:
    """Print all figures of a picture."""
    jpeg, png = folder / "speed.jpg", folder / "speed.png"
    Image.fromarray(rgb).save(jpeg, "JPEG", quality=92)
    cutout = remove_background(rgb)
    result = Image.fromarray(cutout.rgba)
    decode, encode, cut, whole = least(
        rounds,
        lambda: np.asarray(Image.open(jpeg)),
        lambda: result.save(io.BytesIO(), "PNG", compress_level=1),
        lambda: remove_background(rgb),
        lambda: from_file_to_file(jpeg, png),
    )
    yardstick = decode + encode
    print(f"F (Pillow decodes {decode:.2f} s, encodes {encode:.2f} s): {yardstick:.2f} s")
    print(f"pixels to alpha and colours: {cut:.2f} s = {cut / yardstick:.2f} F")
    print(f"    {steps(cutout)}")
    print(f"JPEG to PNG on disk: {whole:.2f} s = {whole / yardstick:.2f} F")
    (kmeans,) = least(1, lambda: from_file_to_file(jpeg, png, method="kmeans"))
    print(f"the article's k-means, JPEG to PNG: {kmeans:.1f} s = {kmeans / whole:.0f} times as long as auto")
    command = [sys.executable, "-m", "bgwatch", "remove", str(jpeg), "-o", str(png)]
    imported = [sys.executable, "-c", "import sklearn.cluster"]
    cold, sklearn = least(rounds, lambda: started(command, png), lambda: started(imported, png))
    print(f"cold start: {cold:.2f} s = {cold / sklearn:.2f} times the import of sklearn.cluster")
    np.save(folder / "speed.npy", rgb)
    print(f"peak above the picture in memory: {measured_peak(folder / 'speed.npy'):.1f} bytes a pixel")
    print(f"peak of the whole job, JPEG to PNG: {measured_peak(jpeg):.1f} bytes a pixel")


def report_workers(jpeg: Path, rounds: int, folder: Path) -> None:
    """Print how two workers fare against two calls, in pictures a second."""
    inputs = [folder / name for name in ("one", "other")]
    for number in range(SHARED):
        copy = inputs[number % 2] / f"{number}.jpg"
        copy.parent.mkdir(exist_ok=True)
        copy.hardlink_to(jpeg)

    def call(workers: int, *inputs: Path) -> subprocess.Popen[bytes]:
        out = tempfile.mkdtemp(dir=folder)
        command = [sys.executable, "-m", "bgwatch", "remove", *inputs, "-o", out, "--workers", str(workers)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def finished(*calls: subprocess.Popen[bytes]) -> None:
        if {call.wait() for call in calls} != {0}:
            raise RuntimeError("a call failed")

    two, alone = least(
        rounds, lambda: finished(call(2, *inputs)), lambda: finished(*[call(1, each) for each in inputs])
    )
    print(f"two workers: {SHARED / two:.2f} pictures a second = {alone / two:.2f} of what two calls do")


def from_file_to_file(source: Path, target: Path, **options: object) -> None:
    """Cut out a file as the daemon's workers do."""
    target.unlink(missing_ok=True)
    outcome = run(Job(str(source), str(target), options, PictureLimits().model_dump()))
    if not outcome.written:
        raise RuntimeError(outcome.reasons)


def started(command: list[str], target: Path) -> None:
    """Run a command to its end."""
    target.unlink(missing_ok=True)
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in THREAD_VARIABLES):
        one_thread()
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
