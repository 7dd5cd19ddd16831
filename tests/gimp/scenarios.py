"""Runs inside GIMP's Python, in one session: each scenario reports facts, and test_plugin.py judges them.

BGWATCH_SESSION names a folder with pictures/, planes/ and profile/; the facts go to results.json in it.
"""

import contextlib
import hashlib
import json
import os
import traceback
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio  # noqa: E402

SESSION = Path(os.environ["BGWATCH_SESSION"])
POINTER = SESSION / "profile" / "plug-ins" / "bgwatch-remove-background" / "bgwatch.json"
PROCEDURE = "bgwatch-remove-background"
METHODS = ("threshold", "kmeans", "auto")


def registered():
    procedure = Gimp.get_pdb().lookup_procedure(PROCEDURE)
    return {"menus": list(procedure.get_menu_paths()), "label": procedure.get_menu_label()}


def cut(path, method):
    """Cut one picture; keep the mask's bytes."""
    image, layer = load(path)
    facts = call(image, [layer], method=method)
    keep(f"{path.stem}-{method}", mask_bytes(layer))
    return facts


def other_profile():
    """Cut the same samples in another colour space."""
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
    facts = call(image, [layer], method="kmeans")
    keep("other-profile", mask_bytes(layer))
    return facts


def sixteen_bits():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
    facts = call(image, [layer], method="kmeans")
    keep("sixteen-bits", mask_bytes(layer))
    return facts


def indexed():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
    return call(image, [layer], method="threshold")


def existing_mask():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    facts = call(image, [layer], method="threshold")
    keep("existing-mask", mask_bytes(layer))
    return facts


def rectangle_selected():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 10, 70, 80)
    facts = call(image, [layer], method="threshold")
    keep("rectangle-selected", mask_bytes(layer))
    return facts


def feathered_selection_on_a_mask():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 30, 20, 90, 70)
    Gimp.Selection.feather(image, 15)
    facts = call(image, [layer], method="threshold")
    keep("feathered", mask_bytes(layer))
    keep("feathered-selection", read(image.get_selection(), "Y u8"))
    return facts


def offset_layer_with_selection():
    """Cut a layer that hangs over the canvas; a selection is in canvas coordinates."""
    image, layer = load(SESSION / "pictures" / "rgb.png")
    layer.set_offsets(-30, 25)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 30, 100, 40)
    facts = call(image, [layer], method="threshold")
    keep("offset", mask_bytes(layer))
    return facts


def layer_beside_the_canvas():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    layer.set_offsets(1000, 1000)
    facts = call(image, [layer], method="threshold")
    keep("beside-the-canvas", mask_bytes(layer))
    return facts


def with_last_values():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    return call(image, [layer], run_mode=Gimp.RunMode.WITH_LAST_VALS)


def refused_group():
    image, _ = load(SESSION / "pictures" / "rgb.png")
    group = Gimp.GroupLayer.new(image, "Sky & sea")
    image.insert_layer(group, None, 0)
    return call(image, [group])


def refused_locked():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    layer.set_lock_content(True)
    return call(image, [layer])


def refused_in_locked_group():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    group = Gimp.GroupLayer.new(image, "group")
    image.insert_layer(group, None, 0)
    image.reorder_item(layer, group, 0)
    group.set_lock_content(True)
    return call(image, [layer])


def refused_locked_mask():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    layer.get_mask().set_lock_content(True)
    return call(image, [layer])


def refused_mask():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    return call(image, [layer.get_mask()])


def refused_channel():
    image, _ = load(SESSION / "pictures" / "rgb.png")
    channel = Gimp.Channel.new(image, "channel", image.get_width(), image.get_height(), 50, Gegl.Color.new("red"))
    image.insert_channel(channel, None, 0)
    return call(image, [channel])


def refused_two_layers():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    copy = layer.copy()
    image.insert_layer(copy, None, 0)
    return call(image, [layer, copy])


def refused_selection_outside():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    layer.set_offsets(100, 0)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 50, 50)
    return call(image, [layer])


def refused_option():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    return call(image, [layer], backdrop="bluish")


def refused_without_pointer():
    return call_with_pointer(None)


def refused_with_broken_pointer():
    return call_with_pointer("{'python': ")


def refused_without_python():
    return call_with_pointer(json.dumps({"python": "/nowhere/python", "version": "0"}))


def refused_without_bgwatch():
    return call_with_pointer(json.dumps({"python": "/usr/bin/python3", "version": "0"}))


def refused_when_the_worker_is_killed():
    """Start a worker that ends in the middle of the pixels, as if the system had killed it."""
    script = SESSION / "killed-worker"
    script.write_text("#!/bin/sh\nkill -KILL $$\n")
    script.chmod(0o755)
    return call_with_pointer(json.dumps({"python": str(script), "version": "0"}))


def workers_left():
    """List the processes of this session that still run the worker."""
    return {"left": [line for line in map(command_line, Path("/proc").glob("[0-9]*")) if "gimp_worker" in line]}


def load(path):
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))
    return image, image.get_layers()[0]


def call(image, drawables, run_mode=Gimp.RunMode.NONINTERACTIVE, **options):
    """Run the procedure, and report its answer and what became of the image."""
    before = state(image)
    config = Gimp.get_pdb().lookup_procedure(PROCEDURE).create_config()
    config.set_property("run-mode", run_mode)
    config.set_property("image", image)
    config.set_core_object_array("drawables", drawables)
    for name, value in options.items():
        config.set_property(name, value)
    answer = Gimp.get_pdb().lookup_procedure(PROCEDURE).run(config)
    status = answer.index(0)
    error = Gimp.get_pdb().get_last_error() if status != Gimp.PDBStatusType.SUCCESS else ""
    after = state(image)
    return {
        "drawables_kept": before["selected"] == after["selected"],
        "status": status.value_nick,
        "error": error,
        "colours_kept": before["colours"] == after["colours"],
        "unchanged": before == after,
        "layers": len(image.get_layers()),
        "undo_group_left_open": image.undo_group_end(),
    }


def call_with_pointer(text):
    """Call while the file that names the worker's Python holds something else, or is missing."""
    image, layer = load(SESSION / "pictures" / "rgb.png")
    whole = POINTER.read_text()
    try:
        POINTER.unlink() if text is None else POINTER.write_text(text)
        return call(image, [layer])
    finally:
        POINTER.write_text(whole)


def state(image):
    """Hash the samples of all layers and masks, exactly as GIMP stores them."""
    layers = [layer for layer in image.get_layers() if not layer.is_group()]
    return {
        "colours": [hashlib.sha256(read(layer, None)).hexdigest() for layer in layers],
        "masks": [mask_bytes(layer).hex() for layer in layers],
        "selected": [drawable.get_id() for drawable in image.get_selected_drawables()],
        "selection": hashlib.sha256(read(image.get_selection(), "Y u8")).hexdigest(),
    }


def mask_bytes(layer):
    mask = layer.get_mask()
    return read(mask, "Y u8") if mask else b""


def put_gradient_mask(layer):
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    layer.add_mask(mask)
    layer.set_edit_mask(False)
    width, height = layer.get_width(), layer.get_height()
    buffer = mask.get_buffer()
    rows = b"".join(bytes((3 * column + row) % 256 for column in range(width)) for row in range(height))
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), "Y u8", rows)
    buffer.flush()
    mask.update(0, 0, width, height)


def read(drawable, form):
    rectangle = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return drawable.get_buffer().get(rectangle, 1.0, form, Gegl.AbyssPolicy.NONE)


def keep(name, data):
    (SESSION / "planes" / name).write_bytes(data)


def command_line(process):
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        if f"GIMP3_DIRECTORY={SESSION}/profile".encode() in (process / "environ").read_bytes():
            return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def report(scenario, *arguments):
    try:
        return scenario(*arguments)
    except Exception:  # noqa: BLE001  # told to the one test that asks for this scenario
        return {"broke": traceback.format_exc()}


def run_all():
    results = {}
    for path in sorted((SESSION / "pictures").glob("*.png")):
        for method in METHODS:
            results[f"{path.stem}-{method}"] = report(cut, path, method)
    for scenario in (
        registered,
        other_profile,
        sixteen_bits,
        indexed,
        existing_mask,
        rectangle_selected,
        feathered_selection_on_a_mask,
        offset_layer_with_selection,
        layer_beside_the_canvas,
        with_last_values,
        refused_group,
        refused_locked,
        refused_in_locked_group,
        refused_locked_mask,
        refused_mask,
        refused_channel,
        refused_two_layers,
        refused_selection_outside,
        refused_option,
        refused_without_pointer,
        refused_with_broken_pointer,
        refused_without_python,
        refused_without_bgwatch,
        refused_when_the_worker_is_killed,
        workers_left,
    ):
        results[scenario.__name__] = report(scenario)
    (SESSION / "results.json").write_text(json.dumps(results, indent=1))


run_all()
