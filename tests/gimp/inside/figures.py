"""Times the plug-in inside GIMP on a layer of 12 megapixels, and writes seconds to figures.json."""

import json
import sys
import time

import gi

for library, version in (("Gimp", "3.0"), ("Gegl", "0.4"), ("Babl", "0.1"), ("Gtk", "3.0"), ("GimpUi", "3.0")):
    gi.require_version(library, version)
sys.path.insert(0, INSIDE)  # noqa: F821  # set by the command that runs this file

from calling import PROCEDURE, SESSION, load  # noqa: E402
from gi.repository import Gimp, GLib  # noqa: E402
from refusals import cancelled  # noqa: E402
from screen import screen  # noqa: E402

REFRESHES = 10


def cold_and_warm(result):
    """Time the large layer alone, and how much longer it takes after a small one, for which the worker starts."""
    cold = seconds(result, small=False, large=True)
    return {"cold": cold, "warm": seconds(result, small=True, large=True) - seconds(result, small=True, large=False)}


def seconds(result, small, large):
    image, layer = load(SESSION / "large.png")
    tiny = Gimp.Layer.new(image, "small", 9, 9, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(tiny, None, 0)
    procedure = Gimp.get_pdb().lookup_procedure(PROCEDURE)
    config = procedure.create_config()
    config.set_property("image", image)
    config.set_core_object_array("drawables", [tiny] * small + [layer] * large)
    config.set_property("result", result)
    start = time.monotonic()
    answer = procedure.run(config)
    assert answer.index(0) == Gimp.PDBStatusType.SUCCESS, Gimp.get_pdb().get_last_error()
    taken = time.monotonic() - start
    image.delete()
    return taken


def refreshes():
    """Time from a change in the dialog until the preview shows it."""
    sys.path.insert(0, str(SESSION / "profile" / "plug-ins" / PROCEDURE))
    import dialog
    from layers import Read
    from worker import Worker

    dialog.GimpUi.init("figures")
    image, layer = load(SESSION / "large.png")
    options = {"holes": "auto"}
    found = []
    with Worker() as worker:
        preview = dialog.Preview(worker, Read(image, layer, most=8), lambda: dict(options))
        preview.shown()
        for number in range(REFRESHES + 1):
            options["holes"] = ("auto", "open")[number % 2]
            before, start = preview.picture.get_pixbuf(), time.monotonic()
            preview.changed()
            while preview.picture.get_pixbuf() == before:
                GLib.MainContext.default().iteration(True)
            found.append(time.monotonic() - start)
        preview.end(True)
    return {"first": found[0], "median": sorted(found[1:])[REFRESHES // 2], "slowest": max(found[1:])}


def run_all():
    figures = {result: cold_and_warm(result) for result in ("layer-mask", "transparency", "new-layer")}
    with screen():
        figures["preview"] = refreshes()
    figures["cancel"] = cancelled()["seconds_until_gone"]
    (SESSION / "figures.json").write_text(json.dumps(figures))


run_all()
