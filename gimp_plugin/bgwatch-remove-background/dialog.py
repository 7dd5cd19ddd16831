"""The dialog with its live preview; importing it needs a display, so a batch never does."""

import threading

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GdkPixbuf, Gimp, GimpUi, GLib, Gtk  # noqa: E402
from worker import RefusalError  # noqa: E402

TITLE = "Remove Background by Color"
LONGEST = 400  # pixels of the preview's longer side
USED_BY = {"clusters": "kmeans", "tolerance": "threshold", "holes": "auto", "shadow": "auto"}  # and its method
OPTIONS = ["method", "clusters", "tolerance", "seed", "holes", "shadow", "backdrop", "result"]
PAUSE = 40  # milliseconds to wait for a change that follows at once


def confirmed(procedure, config, preview):
    """Show the dialog, and say whether it was left with OK."""
    GimpUi.init(procedure.get_name())
    dialog = GimpUi.ProcedureDialog.new(procedure, config, TITLE)
    dialog.fill_box("options", OPTIONS)
    row = dialog.fill_box("row", ["options"])
    row.set_orientation(Gtk.Orientation.HORIZONTAL)  # a high layer's preview must not push the buttons off the screen
    row.pack_start(preview.shown(), True, True, 0)
    dialog.fill(["row"])
    for name, method in USED_BY.items():
        dialog.set_sensitive_if_in(name, None, "method", Gimp.ValueArray.new_from_values([method]), True)
    config.connect("notify", lambda *_: preview.changed())
    preview.changed()
    answer = dialog.run()
    preview.end(answer)
    dialog.destroy()
    return answer


class Preview:
    """What the options in force make of a small copy of the layer, on a checkerboard, with the confidence under it.

    A thread talks to the worker, so that the dialog never waits. One question is on its way at a time; what changed
    meanwhile is asked after its answer.

    Parameters
    ----------
    worker : Worker
        The worker.
    read : Read
        The layer, with 8 bits a sample.
    options : callable
        Gives the options in force.
    heading : str
        What it shows, where that is not clear.
    """

    def __init__(self, worker, read, options, heading=""):
        self.worker, self.options, self.heading = worker, options, heading
        self.width, self.height, self.pixels = read.scaled(LONGEST)
        self.channels = read.channels
        self.asked = self.thread = self.timer = None
        self.over = False

    def shown(self):
        """Make the widget."""
        self.picture, self.verdict = Gtk.Image(), Gtk.Label(label="Looking at the layer…")
        self.picture.set_size_request(LONGEST, min(self.height, LONGEST))
        self.verdict.set_line_wrap(True)
        self.verdict.set_max_width_chars(60)
        self.verdict.set_selectable(True)
        self.verdict.set_can_focus(False)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=12, valign=Gtk.Align.CENTER)
        for widget in (Gtk.Label(label=self.heading), self.picture, self.verdict):
            box.pack_start(widget, False, False, 0)
        box.show_all()
        return box

    def changed(self):
        """Ask again in a moment, unless nothing that matters here is different."""
        if self.timer:
            GLib.source_remove(self.timer)
        self.timer = GLib.timeout_add(PAUSE, self._ask)

    def end(self, answered):
        """Wait for the question that is on its way; without an answer to the dialog, end the worker instead."""
        self.over = True
        if not answered:
            self.worker.stop()
        if self.thread:
            self.thread.join()

    def _ask(self):
        self.timer = None
        options = self.options()
        if not self.over and not self.thread and options != self.asked:
            self.asked = options
            self.thread = threading.Thread(target=self._talk, args=(options,), daemon=True)
            self.thread.start()
        return GLib.SOURCE_REMOVE

    def _talk(self, options):
        sides = {"width": self.width, "height": self.height, "channels": self.channels}
        try:
            result, data = self.worker.ask({"ask": "preview", **sides, "options": options}, [self.pixels])
            GLib.idle_add(self._show, verdict(result), data)
        except RefusalError as refusal:
            GLib.idle_add(self._show, str(refusal), None)

    def _show(self, said, data):
        self.thread = None
        if not self.over:
            self.verdict.set_text(said)
            self.picture.set_from_pixbuf(self._pixbuf(data) if data else None)
            self._ask()
        return GLib.SOURCE_REMOVE

    def _pixbuf(self, data):
        sides = self.width, self.height, 3 * self.width
        return GdkPixbuf.Pixbuf.new_from_bytes(GLib.Bytes.new(data), GdkPixbuf.Colorspace.RGB, False, 8, *sides)


def verdict(result):
    """Tell the confidence, and what speaks against the result."""
    said = f"Confidence {result['confidence']:.2f}" + (": not certain" if result["unsure"] else "")
    return "\n".join([said, *result["reasons"]])
