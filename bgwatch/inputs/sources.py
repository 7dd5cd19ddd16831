"""What INPUT and OUT may name besides a path: the address of a picture, standard input and output."""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from bgwatch.errors import printable

SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
SECRET = re.compile(r"auth|cred|key|pass|pw|secret|session|sig|token", re.IGNORECASE)
LONGEST_VALUE = 24  # of a parameter that is shown: longer ones are signatures and tokens
LONGEST_SHOWN = 200
LONGEST_NAME = 200


@dataclass(frozen=True)
class Url:
    """An address as it was given; whether it can be fetched is found out by fetching it.

    It has those attributes of a path that a result's name is made of.

    Attributes
    ----------
    text : str
        The address, of any scheme.
    """

    text: str
    parent: ClassVar[Path] = Path()

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """The last part of its path as a file name: no separators or control characters, not hidden, never empty."""
        host, *parts = re.split(r"[?#]", SCHEME.sub("", self.text, count=1), maxsplit=1)[0].split("/")
        last = next((part for part in reversed(parts) if part), "")
        return _as_file_name(unquote(last[: 4 * LONGEST_NAME])) or _as_file_name(host.rpartition("@")[2]) or "picture"

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        """The name's suffix."""
        return Path(self.name).suffix


@dataclass(frozen=True)
class Stdin:
    """Standard input, which is one picture.

    Attributes
    ----------
    held : str
        The file that its bytes were put into; empty before that.
    """

    held: str = ""
    parent: ClassVar[Path] = Path()
    name: ClassVar[str] = "stdin"
    stem: ClassVar[str] = "stdin"
    suffix: ClassVar[str] = ""

    def __str__(self) -> str:
        return "-"


@dataclass(frozen=True)
class Stdout:
    """Standard output, which takes one result."""


Source = Path | Url | Stdin


def is_url(text: str) -> bool:
    """Tell whether a text is an address and no path; a path that Python has read never has two slashes in it."""
    return SCHEME.match(text) is not None


def is_folder(source: Source) -> bool:
    """Tell whether a source is a folder of this machine."""
    return isinstance(source, Path) and os.path.isdir(source)  # Path.is_dir raises for a name that is too long


def key_of(source: Source) -> str:
    """Name a source so that two names of one picture are equal, as far as can be told without opening it."""
    if isinstance(source, Path):
        return os.path.join(os.path.realpath(source.parent), source.name)  # noqa: PTH118 - realpath gives text
    return str(source).partition("#")[0]


def shown(url: str) -> str:
    """Shorten an address for a sentence: no password, no secret or long parameters, no middle of a long one."""
    place, mark, query = printable(url).partition("#")[0].partition("?")
    place = re.sub(r"(?<=://)[^/]*@", "...@", place)
    text = place + mark + "&".join(_harmless(parameter) for parameter in query.split("&"))
    if len(text) > LONGEST_SHOWN:
        text = f"{text[: LONGEST_SHOWN // 2]}...{text[-LONGEST_SHOWN // 2 :]}"
    return text


def _harmless(parameter: str) -> str:
    key, equals, value = parameter.partition("=")
    if len(parameter) > LONGEST_VALUE and not equals:
        return "..."
    return f"{key}=..." if SECRET.search(key) or len(value) > LONGEST_VALUE else parameter


def _as_file_name(text: str) -> str:
    kept = "".join(char for char in text if char not in "/\\" and unicodedata.category(char)[0] != "C")
    return kept.lstrip(". ").rstrip()[:LONGEST_NAME]
