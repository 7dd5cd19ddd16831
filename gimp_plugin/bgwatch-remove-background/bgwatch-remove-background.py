#!/usr/bin/env python3
"""GIMP 3 plug-in: takes the background out of the active layer by clustering its colours.

It holds no algorithm. worker.py hands pixels to ``bgwatch.gimp_worker``, run by the Python that ``bgwatch gimp
install`` named in bgwatch.json beside this file; layers.py reads them and puts what comes back in its place;
dialog.py shows what will come back.
GIMP's own Python needs nothing but gi.
"""

import sys
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
from gi.repository import Gimp, GLib, GObject  # noqa: E402

sys.dont_write_bytecode = True  # “bgwatch gimp uninstall” leaves nothing behind
from layers import Found, Read, put, usable  # noqa: E402
from worker import RefusalError, Worker  # noqa: E402

PROCEDURE = "bgwatch-remove-background"
OPTIONS = ("method", "clusters", "tolerance", "seed", "holes", "shadow", "backdrop")


class RemoveBackground(Gimp.PlugIn):
    """Registers the one procedure."""

    def do_set_i18n(self, name):  # noqa: D102
        return False

    def do_query_procedures(self):  # noqa: D102
        return [PROCEDURE]

    def do_create_procedure(self, name):  # noqa: D102
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        one_or_several = Gimp.ProcedureSensitivityMask.DRAWABLE | Gimp.ProcedureSensitivityMask.DRAWABLES
        procedure.set_sensitivity_mask(one_or_several)
        procedure.set_menu_label("Remove Background by _Color...")
        procedure.add_menu_path("<Image>/Layer/Transparency")
        procedure.set_documentation(
            "Take the background out of the layer by clustering its colours",
            "Finds the background of each selected layer and hides it with a layer mask, where the layer's own pixels "
            "stay as they are, or makes it transparent in the layer or in a copy above it, where soft edges lose the "
            "background's colour too. An existing mask is multiplied, and only the selection is changed.",
            name,
        )
        procedure.set_attribution("The bgwatch authors", "The bgwatch authors", "2025")
        declare_arguments(procedure)
        return procedure


def declare_arguments(procedure):
    """Declare the options, with the names, ranges and defaults of ``bgwatch.settings.Segmentation``, and the result."""
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
    procedure.add_int_argument("seed", "See_d", "Seed of every random choice", 0, 2147483647, 0, flags)
    procedure.add_choice_argument(
        "holes",
        "Hol_es",
        "Background enclosed by the subject",
        choices(auto="Open on evidence", open="Open", fill="Fill"),
        "auto",
        flags,
    )
    # a mask carries the kept shadow's alpha alone: its colour stays the layer's own, and is not black
    procedure.add_choice_argument(
        "shadow",
        "Shado_w",
        "A soft shadow on the background; kept, it shows through the mask in the layer's own colours",
        choices(remove="Remove", keep="Keep half-transparent"),
        "remove",
        flags,
    )
    procedure.add_string_argument(
        "backdrop", "_Backdrop", "What is removed: auto, first-pixel, or a colour like #c0c0c0", "auto", flags
    )
    procedure.add_choice_argument(
        "result",
        "Result _as",
        "Where the result goes; a layer mask can be corrected, and leaves the colours of soft edges as they are",
        choices(layer_mask="Layer mask", transparency="Transparency", new_layer="New layer"),
        "layer-mask",
        flags,
    )


def choices(**labels):
    """Make a choice of these values, in this order."""
    choice = Gimp.Choice.new()
    for number, (value, label) in enumerate(labels.items()):
        choice.add(value.replace("_", "-"), number, label, "")
    return choice


def run(procedure, run_mode, image, drawables, config, data):
    """Answer a call of the procedure, whatever happens, with a status and at most one sentence."""
    try:
        interactive = run_mode == Gimp.RunMode.INTERACTIVE
        layers = usable(drawables, None if interactive else config.get_property("result"))
        with Worker() as worker:
            if interactive and not confirmed(procedure, config, worker, image, layers):
                return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
            remove_background(image, layers, worker, options_of(config), config.get_property("result"))
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


def options_of(config):
    """Return the options of the segmentation."""
    return {name: config.get_property(name) for name in OPTIONS}


def confirmed(procedure, config, worker, image, layers):
    """Show the dialog, with a preview of the first layer, and say whether it was left with OK."""
    import dialog  # needs a display

    first = layers[0]
    heading = f"“{first.get_name()}”, the first of {len(layers)} layers" if len(layers) > 1 else ""
    preview = dialog.Preview(worker, Read(image, first, most=8), lambda: options_of(config), heading)
    return dialog.confirmed(procedure, config, preview)


def remove_background(image, layers, worker, options, result):
    """Find the background of each layer, then take all out in one undo step."""
    usable(layers, result)  # which the dialog may have changed
    Gimp.progress_init("Removing the background")
    found = [find(image, layer, worker, options, result, number, len(layers)) for number, layer in enumerate(layers)]
    image.undo_group_start()
    try:
        changed = [put(image, *pair, result) for pair in zip(layers, found, strict=True)]
    finally:
        image.undo_group_end()
    if changed != list(layers):
        image.set_selected_layers(changed)
    Gimp.progress_update(1.0)
    Gimp.displays_flush()


def find(image, layer, worker, options, result, number, count):
    """Ask the worker for one layer of several, and say so where it is not certain."""

    def progress(share, text=None):
        if text:
            Gimp.progress_set_text(text)
        Gimp.progress_update((number + share) / count)

    read = Read(image, layer)
    wanted = {**read.request(options), "colours": result != "layer-mask" and not layer.is_indexed()}
    strips = read.strips(lambda share: progress(0.4 * share))
    answer, data = worker.ask(wanted, strips, lambda share, text: progress(0.4 + 0.5 * share, text))
    if answer["unsure"]:
        reasons = "; ".join(answer["reasons"])
        Gimp.message(f"The background of the layer “{layer.get_name()}” is not certain: {reasons}")
    return Found(read, answer, data)


if __name__ == "__main__":
    Gimp.main(RemoveBackground.__gtype__, sys.argv)
