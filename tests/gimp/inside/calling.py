"""How a scenario calls the procedure, and what it reports of the image afterwards."""

import hashlib
import os
from pathlib import Path

from gi.repository import Gegl, Gimp, Gio

SESSION = Path(os.environ["BGWATCH_SESSION"])
PROCEDURE = "bgwatch-remove-background"
MOST = 100_000_000  # pixels of a layer that are worth reading


def load(path):
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))
    return image, image.get_layers()[0]


def picture(name="rgb"):
    """Open one of the pictures; return the image and its layer."""
    return load(SESSION / "pictures" / f"{name}.png")


def add_picture(image, name, *offsets):
    """Add another picture as a layer at the top."""
    _, other = picture(name)
    layer = Gimp.Layer.new_from_drawable(other, image)
    image.insert_layer(layer, None, 0)
    if offsets:
        layer.set_offsets(*offsets)
    return layer


def add_special(image, kind):
    """Add a layer that is more than its pixels: "text", or, since GIMP 3.2, "link" or "vector"."""
    if kind == "text":
        layer = Gimp.TextLayer.new(image, "Sea", Gimp.context_get_font(), 30, Gimp.Unit.pixel())
    elif kind == "link":
        layer = Gimp.LinkLayer.new(image, Gio.File.new_for_path(str(SESSION / "pictures" / "rgb.png")))
    else:
        path = Gimp.Path.new(image, "triangle")
        image.insert_path(path, None, 0)
        stroke = path.bezier_stroke_new_moveto(10, 10)
        path.bezier_stroke_lineto(stroke, 60, 10)
        path.bezier_stroke_lineto(stroke, 60, 60)
        path.stroke_close(stroke)
        layer = Gimp.VectorLayer.new(image, path)
    image.insert_layer(layer, None, 0)
    return layer


def special_kinds():
    return ["text", "link", "vector"] if hasattr(Gimp, "LinkLayer") else ["text"]


def make_indexed(image):
    image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")


def select_softly(image):
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 30, 20, 90, 70)
    Gimp.Selection.feather(image, 15)


def call(image, drawables, run_mode=Gimp.RunMode.NONINTERACTIVE, **options):
    """Run the procedure, and report its answer and what became of the image."""
    before = state(image)
    image.clean_all()  # from here on whatever gets onto the undo stack makes it dirty
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
        "unchanged": before == after and not image.is_dirty(),
        "layers": len(image.get_layers()),
        "undo_group_left_open": image.undo_group_end(),
    }


def state(image):
    """Hash the samples of all layers and masks, exactly as GIMP stores them, and the selection."""
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
    if drawable.get_width() * drawable.get_height() > MOST:
        return b""
    rectangle = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return drawable.get_buffer().get(rectangle, 1.0, form, Gegl.AbyssPolicy.NONE)


def keep(name, data):
    (SESSION / "planes" / name).write_bytes(data)


def cut_and_keep(name, image, layer, **options):
    """Run the procedure on a layer, and keep its mask's bytes."""
    facts = call(image, [layer], **options)
    keep(name, mask_bytes(layer))
    return facts
