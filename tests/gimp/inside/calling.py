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
