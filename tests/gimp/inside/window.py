"""Uses the plug-in as a person does, in a GIMP with windows, and writes what was seen to window.json.

Run by the Python that has bgwatch, in GIMP's system. Screenshots go to screenshots/ in the session's folder.
"""

import json
import os
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from PIL import ImageGrab
from screen import PATIENCE, SESSION, running, screen

SHOTS = SESSION / "screenshots"
POINTER = SESSION / "window-profile" / "plug-ins" / "bgwatch-remove-background" / "bgwatch.json"
PICTURE = SESSION / "pictures" / "rgb.png"
BACKDROP = (70, 140, 190)  # the picture's
SQUARES = ((153, 153, 153), (204, 204, 204))  # the preview's checkerboard
COMMAND = "Remove Background by Color"
# GIMP welcomes whoever it has not seen with this version
GIMPRC = """(config-version "{version}")
(show-welcome-dialog no)
(check-updates no)
(image-title-format "%D*%f")
(plug-in-path "{session}/window-profile/plug-ins:{session}/window-plug-ins")
"""


def main():
    """Open a picture, take its background out, look, undo, begin again and cancel; then lose bgwatch."""
    SHOTS.mkdir()
    prepare_profile()
    with ExitStack() as stack:
        stack.enter_context(screen())
        patiently(lambda: xdotool("getdisplaygeometry"))
        stack.enter_context(running("openbox"))
        patiently(lambda: xdotool("get_desktop"))  # only a window manager knows
        stack.enter_context(running("dbus-run-session", "--", gimp(), "--new-instance", "--no-splash", PICTURE))
        (SESSION / "window.json").write_text(json.dumps(use(), indent=1))


def use():
    """Go through the command; report what the screen showed."""
    image = window(r"^\[rgb\]")
    seen = {"title_at_first": title(image), "backdrop_at_first": patiently(lambda: pixels(BACKDROP))}
    search_for_command(image)
    dialog = window(f"^{COMMAND}$")
    seen["preview_squares"] = patiently(lambda: min(pixels(square, exactly=True) for square in SQUARES))
    seen["workers"] = workers()
    shoot("dialog")
    press(dialog, "alt+o")
    patiently(lambda: title(image) != seen["title_at_first"])
    seen |= {"title_after": title(image), "backdrop_gone": patiently(lambda: few(BACKDROP))}
    shoot("after")
    press(image, "ctrl+z")
    patiently(lambda: title(image) == seen["title_at_first"])
    seen |= {"title_undone": title(image), "backdrop_undone": patiently(lambda: pixels(BACKDROP))}
    shoot("undone")
    press(image, "ctrl+shift+f")  # shows the last command's dialog again
    press(window(f"^{COMMAND}$"), "Escape")
    patiently(lambda: not xdotool("search", "--onlyvisible", "--name", f"^{COMMAND}$"))
    seen |= {"no_worker_left": patiently(lambda: not workers()), "title_cancelled": title(image)}
    POINTER.write_text('{"python": "/nowhere/python", "version": "0"}')
    press(image, "ctrl+shift+f")
    window("^GIMP Message$")
    seen["title_refused"] = title(image)
    shoot("refused")
    return seen


def prepare_profile():
    """Leave GIMP's own plug-ins out, but for the one that opens the picture: it starts in half the time."""
    said = subprocess.run([gimp(), "--version"], capture_output=True, text=True, check=True).stdout
    settings = GIMPRC.format(version=said.split()[-1], session=SESSION)
    (SESSION / "window-profile" / "gimprc").write_text(settings)
    (SESSION / "window-plug-ins").mkdir()
    (found,) = Path("/usr/lib").glob("**/gimp/3.0/plug-ins/file-png")
    (SESSION / "window-plug-ins" / "file-png").symlink_to(found)


def gimp():
    return str(sorted(Path("/usr/bin").glob("gimp-3.*"))[-1])


def patiently(condition):
    """Wait until a condition gives something, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > end:
            shoot("too-late")
            raise TimeoutError(f"waited {PATIENCE} seconds in vain; screenshots/too-late.png shows for what")
        time.sleep(0.1)
    return found


def search_for_command(image):
    """Find the command by its name, as a person does who does not know its menu."""
    press(image, "slash")
    search = window("^Search Actions$")
    empty = xdotool("getwindowgeometry", search)
    xdotool("windowactivate", "--sync", search)
    xdotool("type", "--delay", "20", COMMAND)
    patiently(lambda: xdotool("getwindowgeometry", search) != empty)  # it grows with what it found
    press(search, "Return")


def window(name):
    """Wait for a visible window of this name."""
    return patiently(lambda: xdotool("search", "--onlyvisible", "--name", name).split("\n")[0])


def title(identifier):
    return xdotool("getwindowname", identifier)


def press(identifier, key):
    """Press a key in a window, once it has the focus."""
    xdotool("windowactivate", "--sync", identifier)
    xdotool("key", key)


def xdotool(*arguments):
    return subprocess.run(["xdotool", *arguments], capture_output=True, text=True).stdout.strip()


def shoot(name):
    """Keep what the screen shows."""
    picture = ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).convert("RGB")
    picture.save(SHOTS / f"{name}.png")
    return picture


def pixels(colour, exactly=False):
    """Count the pixels of about this colour; as few as in a thumbnail are none."""
    near = 0 if exactly else 8
    picture = ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).convert("RGB")
    counted = picture.getcolors(picture.width * picture.height)
    count = sum(n for n, seen in counted if all(abs(a - b) <= near for a, b in zip(seen, colour, strict=True)))
    return count if count > 3000 else 0


def few(colour):
    return not pixels(colour)


def workers():
    """Count the worker processes."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += b"gimp_worker" in (process / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
    return found


if __name__ == "__main__":
    main()
