"""What can go wrong, and the exit code each kind ends a command with.

::

    BgwatchError            1   base of all that bgwatch raises on purpose
    ├── PictureError        1   one picture: missing, broken, too large, no picture at all
    │   └── UnfinishedError 1   perhaps not whole yet, or not to be read just now: worth another attempt
    ├── SettingsError       2   wrong usage, a wrong option or a wrong settings file
    └── FolderError         3   the environment: a folder missing, not writable, or watched already

A message is one sentence that says what, where, what was found and what to do.
"""

import unicodedata


def printable(text: str) -> str:
    """Escape what a terminal would act on, and bytes that are no UTF-8."""
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char)[0] == "C" or unicodedata.category(char) in ("Zl", "Zp")
        else char
        for char in text
    )


class BgwatchError(Exception):
    """Base of all errors raised on purpose; its text is fit to be shown to a user."""

    exit_code = 1


class PictureError(BgwatchError):
    """One picture cannot be cut out; others are not touched by this."""


class UnfinishedError(PictureError):
    """One picture is cut short, empty or cannot be read now; where it is still being copied it may be whole later."""


class SettingsError(BgwatchError):
    """A setting, an option or the way a command was called is wrong."""

    exit_code = 2


class FolderError(BgwatchError):
    """A folder or a file around the pictures is missing, not writable or in use."""

    exit_code = 3
