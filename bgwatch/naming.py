"""Names of results by template: what a template may say, and what it makes of a source's name."""

import os
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from string import Formatter

from bgwatch.numbering import LONGEST_NAME, fitting

FIELDS = ("stem", "name", "folder", "number", "ext")
EXT = ".{ext}"
WIDTH = re.compile(r"(0[1-9])?d?")
PORTS = (f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³")
RESERVED = frozenset(
    ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", *PORTS)
)  # for devices on Windows, with any suffix
NAMELESS = "_"


def checked(template: str) -> str:
    """Give a template back if results can be named by it.

    It is read piece by piece and never handed to `str.format`, which would follow attributes and indices.

    Raises
    ------
    ValueError
        Saying what in it cannot be used.
    """
    if wrong := _wrong_text(template) or _wrong_fields(template) or _wrong_folders(template):
        raise ValueError(wrong)
    return template


def counts(template: str | None) -> bool:
    """Tell whether a template has a number in it."""
    return template is not None and any(field == "number" for _, field, _, _ in Formatter().parse(template))


def rendered(template: str, suffix: str, stem: str, name: str, folder: str, number: int = 0) -> str:
    """Name a result.

    Parameters
    ----------
    template : str
        One that `checked` lets pass. Slashes in it part folders.
    suffix : str
        Of the result, as ``.png``; the name ends in it, whether the template says so or not.
    stem, name : str
        Of the source's file name, without and with its suffix.
    folder : str
        Name of the folder that the source lies in.
    number : int
        Position of the source among those of one run, from 1.

    Returns
    -------
    str
        A relative path of parts that are each a valid name: neither empty nor hidden, of 255 bytes at most, and none
        that Windows keeps for itself. What is too long loses the end of its longest field.
    """
    texts = {"stem": _harmless(stem), "name": _harmless(name), "folder": _harmless(folder), "ext": suffix[1:]}
    ending = EXT if template.endswith(EXT) else suffix
    *folders, last = template.removesuffix(ending).split("/")
    return "/".join([*(_part(part, texts, number) for part in folders), _part(last, texts, number, suffix)])


def _wrong_text(template: str) -> str | None:
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in template) or "\\" in template:
        return "a name has no control characters and no backslashes; take them out, and part folders with /"
    try:
        os.fsencode(template)
    except UnicodeEncodeError:
        return "has a character that no file name can have; take it out"
    return None


def _wrong_fields(template: str) -> str | None:
    try:
        pieces = list(Formatter().parse(template))
    except ValueError:
        return "has a brace without its other one; write {{ or }} for a brace itself"
    for _, field, spec, conversion in pieces:
        if field is None:
            continue
        if field not in FIELDS or conversion:
            known = ", ".join(f"{{{known}}}" for known in FIELDS)
            return f"{{{field}{'!' + conversion if conversion else ''}}} is none of its fields; take {known}"
        if spec and not (field == "number" and WIDTH.fullmatch(spec)):
            return f"{{{field}:{spec}}} cannot be written so; only {{number}} takes a width, as in {{number:04d}}"
    return None


def _wrong_folders(template: str) -> str | None:
    parts = template.removesuffix(EXT).split("/")
    if not all(parts):
        return "has a folder or a file without a name; put a name before and after each /"
    if any(part.lstrip().startswith(".") for part in parts):
        return "leads out of the folder of results or hides them; let no part of it begin with a dot"
    return None


def _part(part: str, texts: Mapping[str, str], number: int, suffix: str = "") -> str:
    pieces = _pieces(part)
    texts = {field: text for field, text in texts.items() if any(field == used for _, used, _ in pieces)}
    while True:
        name = _valid("".join(literal + _written(field, spec, texts, number) for literal, field, spec in pieces))
        longest = max(texts, key=lambda field: len(texts[field]), default=None)
        if len(os.fsencode(name + suffix)) <= LONGEST_NAME or not (longest and texts[longest]):
            return fitting(name, suffix)
        texts[longest] = texts[longest][:-1]


@cache
def _pieces(part: str) -> list[tuple[str, str | None, str]]:
    return [(literal, field, spec or "") for literal, field, spec, _ in Formatter().parse(part)]


def _written(field: str | None, spec: str, texts: Mapping[str, str], number: int) -> str:
    if field is None:
        return ""
    return format(number, spec) if field == "number" else texts[field]


def _valid(name: str) -> str:
    name = name.lstrip(". ").rstrip(". ") or NAMELESS
    return NAMELESS + name if name.split(".")[0].rstrip().upper() in RESERVED else name


def _harmless(text: str) -> str:
    """Take out of a name what would part it, lead elsewhere or act on a terminal."""
    kept = "".join(char for char in text if char not in "/\\" and unicodedata.category(char) not in ("Cc", "Zl", "Zp"))
    return re.sub(r"\.{2,}", ".", kept)
