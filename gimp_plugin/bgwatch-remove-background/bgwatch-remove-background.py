#!/usr/bin/env python3
"""GIMP 3 plug-in: takes the background out of the active layer by clustering its colours.

It holds no algorithm. It hands the layer's pixels to ``bgwatch.gimp_worker``, run by the Python that
``bgwatch gimp install`` named in bgwatch.json beside this file, and puts what comes back in a layer mask.
GIMP's own Python needs nothing but gi. The protocol is told in ``bgwatch/gimp_worker.py``.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
from gi.repository import Babl, Gegl, Gimp, GLib, GObject  # noqa: E402

PROCEDURE = "bgwatch-remove-background"
PROTOCOL = 1
OPTIONS = ("method", "clusters", "tolerance", "seed", "holes", "shadow", "backdrop")
ROWS = 256  # rows a strip: little memory twice, and GIMP hands over few tiles at a time
FOREIGN = ("PYTHON", "LD_", "DYLD_", "GI_", "GEGL_", "BABL_")  # what GIMP set up for itself, not for the worker
THREADS = (
    *(f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR")),
    "OPENCV_FOR_THREADS_NUM",
)


class RefusalError(Exception):
    """The command cannot be done; the text is one sentence for the user."""


class RemoveBackground(Gimp.PlugIn):
    """Registers the one procedure."""

    def do_set_i18n(self, name):  # noqa: D102
        return False

    def do_query_procedures(self):  # noqa: D102
        return [PROCEDURE]

    def do_create_procedure(self, name):  # noqa: D102
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
        procedure.set_menu_label("Remove Background by _Color...")
        procedure.add_menu_path("<Image>/Layer/Transparency")
        procedure.set_documentation(
            "Take the background out of the layer by clustering its colours",
            "Finds the background of the active layer and hides it with a layer mask. The layer's own pixels stay as "
            "they are, an existing mask is kept and multiplied, and only the selection is changed.",
            name,
        )
        procedure.set_attribution("The bgwatch authors", "The bgwatch authors", "2025")
        declare_arguments(procedure)
        return procedure


def declare_arguments(procedure):
    """Declare the options, with the names, ranges and defaults of ``bgwatch.settings.Segmentation``."""
    flags = GObject.ParamFlags.READWRITE
    procedure.add_choice_argument(
        "method",
        "_Method",
        "How the background is found",
        choices(auto="Automatic", kmeans="K-means clusters", threshold="Threshold"),
        "auto",
        flags,
    )
    procedure.add_int_argument("clusters", "Cl_usters", "Colour clusters (K-means)", 1, 256, 8, flags)
    procedure.add_int_argument(
        "tolerance", "_Tolerance", "Largest difference taken for background (Threshold)", 0, 255, 20, flags
    )
    # GIMP's integers end here; settings.py allows seeds up to 2**32 - 1
    procedure.add_int_argument("seed", "S_eed", "Seed of every random choice", 0, 2147483647, 0, flags)
    procedure.add_choice_argument(
        "holes",
        "_Holes",
        "Background enclosed by the subject",
        choices(auto="Open on evidence", open="Open", fill="Fill"),
        "auto",
        flags,
    )
    # the mask carries the kept shadow's alpha alone: its colour stays the layer's own, and is not black
    procedure.add_choice_argument(
        "shadow",
        "Sha_dow",
        "A soft shadow on the background; kept, it shows through the mask in the layer's own colours",
        choices(remove="Remove", keep="Keep half-transparent"),
        "remove",
        flags,
    )
    procedure.add_string_argument(
        "backdrop", "_Backdrop", "What is removed: auto, first-pixel, or a colour like #c0c0c0", "auto", flags
    )


def choices(**labels):
    """Make a choice of these values, in this order."""
    choice = Gimp.Choice.new()
    for number, (value, label) in enumerate(labels.items()):
        choice.add(value, number, label, "")
    return choice


def run(procedure, run_mode, image, drawables, config, data):
    """Answer a call of the procedure, whatever happens, with a status and at most one sentence."""
    try:
        if run_mode == Gimp.RunMode.INTERACTIVE and not confirmed(procedure, config):
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
        remove_background(image, drawables, {name: config.get_property(name) for name in OPTIONS})
    except RefusalError as refusal:
        return failure(procedure, str(refusal))
    except Exception as error:  # noqa: BLE001  # the outer edge: a sentence for the user, the traceback for the console
        traceback.print_exc()
        return failure(procedure, f"Remove Background failed on an error of its own ({type(error).__name__}: {error}).")
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def failure(procedure, sentence):
    """Make the answer that GIMP shows in its error dialog."""
    error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), sentence, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


def confirmed(procedure, config):
    """Show the dialog, and say whether it was left with OK."""
    gi.require_version("GimpUi", "3.0")
    from gi.repository import GimpUi  # needs a display, so never in a batch

    GimpUi.init(PROCEDURE)
    dialog = GimpUi.ProcedureDialog.new(procedure, config, "Remove Background by Color")
    dialog.fill(None)
    answer = dialog.run()
    dialog.destroy()
    return answer


def remove_background(image, drawables, options):
    """Find the background of the layer, then hide it with a mask, in one undo step."""
    layer = the_layer(image, drawables)
    mask = layer.get_mask()
    Gimp.progress_init("Removing the background")
    with Worker(worker_python()) as worker:
        result, found = worker.ask(request(layer, mask, options), planes(layer, mask))
    hide(image, layer, mask, found)
    Gimp.progress_update(1.0)
    Gimp.displays_flush()
    if result["unsure"]:
        Gimp.message("The background of this layer is not certain: " + "; ".join(result["reasons"]))


def the_layer(image, drawables):
    """Return the layer to work on, or refuse."""
    if len(drawables) != 1:
        raise RefusalError(
            f"Remove Background works on one layer at a time, and {len(drawables)} are selected: select one."
        )
    layer = drawables[0]
    if not isinstance(layer, Gimp.Layer):
        raise RefusalError(
            "Remove Background works on a layer, not on a mask or a channel: click its picture in the Layers dialog."
        )
    name = layer.get_name()
    if layer.is_group():
        raise RefusalError(f"The layer “{name}” is a group and has no pixels of its own: select a layer inside it.")
    if any(item.get_lock_content() for item in [*lineage(layer), layer.get_mask()] if item):
        raise RefusalError(f"The pixels of the layer “{name}” are locked: unlock them in the Layers dialog.")
    if not layer.mask_intersect()[0]:
        raise RefusalError(f"The selection lies outside the layer “{name}”: move it, or choose Select > None.")
    return layer


def lineage(layer):
    """Yield the layer and the groups it lies in."""
    while layer:
        yield layer
        layer = layer.get_parent()


def request(layer, mask, options):
    """Say what is asked of the worker."""
    return {
        "protocol": PROTOCOL,
        "ask": "remove",
        "width": layer.get_width(),
        "height": layer.get_height(),
        "channels": (1 if layer.is_gray() else 3) + layer.has_alpha(),
        "mask": mask is not None,
        "options": options,
    }


def planes(layer, mask):
    """Yield the layer's pixels, then its mask's, strip by strip."""
    form = pixel_format(layer)
    strips = list(strips_of(layer))
    for done, strip in enumerate(strips):
        Gimp.progress_update(0.4 * done / len(strips))
        yield layer.get_buffer().get(strip, 1.0, form, Gegl.AbyssPolicy.NONE)
    if mask:
        for strip in strips:
            yield mask.get_buffer().get(strip, 1.0, "Y u8", Gegl.AbyssPolicy.NONE)


def pixel_format(layer):
    """Name the 8-bit format with the layer's channels in the layer's own colour space.

    In its own space an 8-bit layer is read sample for sample, as the file has it. The plain name would
    mean sRGB, and move the colours of every picture with another profile.
    """
    colour, alpha = ("Y'" if layer.is_gray() else "R'G'B'"), ("A" if layer.has_alpha() else "")
    space = Babl.format_get_space(layer.get_format())
    return Babl.get_name(Babl.format_with_space(f"{colour}{alpha} u8", space))


def strips_of(layer):
    """Yield the layer's area in strips from the top."""
    width, height = layer.get_width(), layer.get_height()
    for top in range(0, height, ROWS):
        yield Gegl.Rectangle.new(0, top, width, min(ROWS, height - top))


def hide(image, layer, mask, found):
    """Write what was found into the layer's mask, in one undo step.

    The mask is written through its shadow, so that GIMP keeps the step for undo and blends it with the
    selection itself, feathered or not. ``found`` is no alpha of the whole picture: the layer keeps its
    own, GIMP multiplies the two, and the worker has divided it out.
    """
    image.undo_group_start()
    try:
        if mask is None:
            mask = layer.create_mask(Gimp.AddMaskType.WHITE)
            succeed(layer.add_mask(mask), "add a mask to the layer")
            layer.set_edit_mask(False)  # what the user paints on, and the next run's drawable, stays the layer
        shadow, start = mask.get_shadow_buffer(), 0
        for strip in strips_of(layer):
            shadow.set(strip, "Y u8", found[start : start + strip.width * strip.height])  # masks are linear
            start += strip.width * strip.height
        shadow.flush()
        succeed(mask.merge_shadow(True), "write the layer's mask")
        mask.update(0, 0, layer.get_width(), layer.get_height())
    finally:
        image.undo_group_end()


def succeed(result, what):
    """Refuse where GIMP returned False: its methods do not raise."""
    if not result:
        raise RefusalError(
            f"GIMP could not {what}: see its error console, and undo this step if the layer has a new mask."
        )


def worker_python():
    """Return the Python that has bgwatch."""
    path = Path(__file__).with_name("bgwatch.json")
    try:
        python = json.loads(path.read_text(encoding="utf-8"))["python"]
    except (OSError, ValueError, KeyError, TypeError):
        python = None
    if not isinstance(python, str):
        raise RefusalError(
            f"{path} does not name the Python that has bgwatch: run “bgwatch gimp install” in a terminal."
        )
    return python


def worker_environment():
    """Return this environment without what GIMP set for its own libraries, and with one thread for sums."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return kept | dict.fromkeys(THREADS, "1")


class Worker:
    """The process that does the work; it ends with the ``with`` block, and with this process."""

    def __init__(self, python):
        self.python = python
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by __exit__
        try:
            self.process = subprocess.Popen(
                [python, "-I", "-m", "bgwatch.gimp_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log,
                env=worker_environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            self.log.close()
            raise RefusalError(
                f"The Python that has bgwatch, {python}, does not start ({error.strerror}): "
                "run “bgwatch gimp install” in a terminal."
            ) from None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with contextlib.suppress(OSError):  # it may have ended before it read everything
            self.process.stdin.close()
        self._wait()
        self.process.stdout.close()
        self.log.close()

    def ask(self, header, strips):
        """Send a request, and return its result and the bytes that come with it."""
        with contextlib.suppress(OSError):  # it refused half-way or died: its answer says which
            self.process.stdin.write(json.dumps(header).encode() + b"\n")
            for strip in strips:
                self.process.stdin.write(strip)
            self.process.stdin.flush()
        while True:
            answer = self._line()
            if "progress" in answer:
                Gimp.progress_set_text(answer["text"])
                Gimp.progress_update(0.4 + 0.5 * answer["progress"])
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
        return (
            f"The Python that has bgwatch, {self.python}, cannot run it ({said[-1]}): "
            "run “bgwatch gimp install” in a terminal."
        )

    def _wait(self):
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:  # it ends when its input closes, so this one hangs
            self.process.kill()
            return self.process.wait()


if __name__ == "__main__":
    Gimp.main(RemoveBackground.__gtype__, sys.argv)
