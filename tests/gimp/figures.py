"""Times the plug-in in a real GIMP against its targets: ``python tests/gimp/figures.py``, half a minute."""

import json
import sys
import tempfile
from pathlib import Path

from gimp_pictures import CHECKOUT, put_pictures
from PIL import Image
from real_gimp import NoGimpError, find_gimp

CORE = """
import sys, time, numpy as np
from PIL import Image
from bgwatch.process import one_thread
one_thread()
from bgwatch import remove_background
pixels = np.asarray(Image.open(sys.argv[1]))
remove_background(pixels)
start = time.monotonic()
remove_background(pixels)
print(time.monotonic() - start)
"""


def main() -> int:
    """Print each figure beside its target; exit with 1 where one is missed."""
    with tempfile.TemporaryDirectory() as folder:
        gimp = find_gimp(Path(folder))
        put_pictures(gimp.folder)
        with Image.open(CHECKOUT / "tests" / "pictures" / "portrait.jpg") as portrait:
            portrait.convert("RGB").resize((3000, 4000)).save(Path(folder) / "large.png", compress_level=1)
        gimp.bgwatch("gimp", "install", "--profile", f"{gimp.inside}/profile")
        core = float(gimp.run(gimp.python, "-c", CORE, f"{gimp.inside}/large.png", seconds=200))
        gimp.batch("figures.py")
        found = json.loads((Path(folder) / "figures.json").read_text())
    print(f"12 megapixels, core alone: {core:.2f} s")
    rows = [
        row
        for result in ("layer-mask", "transparency", "new-layer")
        for row in (
            (f"{result}, warm worker, less the core", found[result]["warm"] - core, 0.8),
            (f"{result}, cold worker, in all", found[result]["cold"], 4.0),
        )
    ]
    rows += [
        ("preview, the first, with the worker's start", found["preview"]["first"], None),
        ("preview, refreshed, median", found["preview"]["median"], 0.3),
        ("preview, refreshed, slowest of ten", found["preview"]["slowest"], None),
        ("cancel, until the worker is gone", found["cancel"], 1.0),
    ]
    for name, seconds, target in rows:
        print(f"{name}: {seconds:.2f} s" + (f" (target {target})" if target else ""))
    return int(any(target and seconds > target for _, seconds, target in rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NoGimpError as reason:
        sys.exit(f"no figures: {reason}")
