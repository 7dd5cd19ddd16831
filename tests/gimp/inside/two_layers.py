"""Runs in a GIMP with windows, as its start-up batch: shows an image with two layers side by side, both selected."""

import os
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, Gio  # noqa: E402

FOLDER = Path(os.environ["BGWATCH_SESSION"]) / "window-pictures"


def show():
    left, right = (Gio.File.new_for_path(str(FOLDER / f"{name}.png")) for name in ("left", "right"))
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, left)
    image.undo_disable()
    layer = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, right)
    image.insert_layer(layer, None, 0)
    layer.set_offsets(image.get_width(), 0)
    image.resize(2 * image.get_width(), image.get_height(), 0, 0)
    image.set_selected_layers(image.get_layers())
    image.undo_enable()
    image.clean_all()
    Gimp.Display.new(image)


show()
