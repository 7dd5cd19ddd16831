"""YAML text to Settings; every problem at once, each with its dotted path."""

from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
import yaml
from pydantic import ValidationError

from bgwatch.errors import FolderError, SettingsError
from bgwatch.problems import problems
from bgwatch.settings import Folder, FolderDefaults, Model, Settings

MAX_BYTES = 1_000_000

M = TypeVar("M", bound=Model)


def default_path() -> Path:
    """Where the settings file of this user is looked for when none is named."""
    return platformdirs.user_config_path("bgwatch", appauthor=False) / "config.yaml"


def load(path: Path) -> Settings:
    """Read a settings file; inboxes and outboxes are taken relative to it.

    Raises
    ------
    SettingsError
        Naming the file and every problem in it.
    FolderError
        When it is to be found from a working directory that has gone.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        from_here(str(path))  # tells of a working directory that has gone
        said = f"{path}: the settings file cannot be read ({error.strerror}); name another with -c"
        raise SettingsError(said) from None
    if len(data) > MAX_BYTES:
        raise SettingsError(f"{path}: a settings file may have 1 MB at most; name the right file with -c")
    try:
        return parse(data.decode("utf-8"), path.resolve().parent)
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: a settings file must be UTF-8 text; name the right file with -c") from None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def parse(text: str, base: Path) -> Settings:
    """Turn YAML into settings.

    Parameters
    ----------
    text : str
        The settings file's content.
    base : Path
        The folder that relative inboxes and outboxes start from.

    Raises
    ------
    SettingsError
        One message with every problem, each as ``dotted.path: what is wrong``.
    """
    try:
        raw = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader that also refuses duplicate keys
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        said = " ".join(str(error).replace('in "<unicode string>", ', "in ").split())
        raise SettingsError(f"not readable as YAML: {said}") from None
    raw = {} if raw is None else raw
    if not isinstance(raw, dict):
        raise SettingsError(f"must be a mapping of settings, got {type(raw).__name__}; see config.example.yaml")
    raw = with_fill_found({str(key): value for key, value in raw.items()}, partial(located, base=base))
    entries = raw.pop("folders", None)
    found: list[str] = []
    top = _validated(Settings, raw, "", found)
    defaults = {key: value for key, value in raw.items() if top and key in FolderDefaults.model_fields}
    folders = tuple(_folders(entries, defaults, base, found))
    if found or top is None:
        raise SettingsError("\n  ".join(["", *found]) if len(found) > 1 else found[0])
    whole = _validated(Settings, {**raw, "folders": folders}, "", found)
    if whole is None:
        raise SettingsError("; ".join(found))
    return whole


def _folders(entries: Any, defaults: dict[str, Any], base: Path, found: list[str]) -> list[Folder]:
    if entries is None:
        return []
    if not isinstance(entries, list):
        found.append(f"folders: must be a list of entries with inbox and outbox, got {type(entries).__name__}")
        return []
    folders = []
    for number, entry in enumerate(entries):
        at = f"folders.{number}"
        if not isinstance(entry, dict):
            found.append(f"{at}: must be a mapping with inbox and outbox, got {type(entry).__name__}")
            continue
        named = with_fill_found({str(key): value for key, value in entry.items()}, partial(located, base=base))
        folder = _validated(Folder, {**defaults, **named}, at, found)
        if folder:
            try:
                there = {key: located(getattr(folder, key), base) for key in ("inbox", "outbox")}
                folders.append(folder.model_copy(update=there))
            except SettingsError as error:
                found.append(f"{at}: {error}")
    return folders


def in_force(path: Path | None, pair: tuple[str, ...], given: dict[str, Any]) -> Settings:
    """Put a settings file, a pair of folders and options of the command line together; the command line wins.

    Parameters
    ----------
    path : Path or None
        The settings file.
    pair : tuple of str
        ``(INBOX, OUTBOX)`` in place of the file's folders, or empty. With neither it is ``./inbox`` and ``./outbox``.
    given : dict
        Options of the command line.

    Raises
    ------
    SettingsError, FolderError
        As `load` does.
    """
    settings = load(path) if path else Settings()
    given = with_fill_found(given, from_here)
    for_folders = {key: value for key, value in given.items() if key in FolderDefaults.model_fields}
    if not pair and not settings.folders:
        pair = ("inbox", "outbox")
    if pair:
        inbox, outbox = map(from_here, pair)
        defaults = settings.model_dump(include=set(FolderDefaults.model_fields))
        entries = [{**defaults, "inbox": inbox, "outbox": outbox}]
    else:
        entries = [folder.model_dump() for folder in settings.folders]
    found: list[str] = []
    folders = tuple(_validated(Folder, {**entry, **for_folders}, "", found) for entry in entries)
    whole = None if found else _validated(Settings, {**settings.model_dump(), **given, "folders": folders}, "", found)
    if whole is None:
        raise SettingsError("; ".join(dict.fromkeys(found)))
    return whole


def located(text: str, base: Path) -> str:
    """Expand ``~`` and take a relative path from ``base``."""
    try:
        return str(base / Path(text).expanduser())
    except RuntimeError:
        raise SettingsError(f"{text}: the home folder it names is not known; write the whole path") from None


def with_fill_found(values: dict[str, Any], find: Callable[[str], str]) -> dict[str, Any]:
    """Give the picture that is to be laid behind, if there is one, its whole path, which ``find`` makes."""
    fill = values.get("fill")
    if not isinstance(fill, str) or fill in ("", "transparent") or fill.startswith("#"):
        return values
    return {**values, "fill": find(fill)}


def from_here(text: str) -> str:
    """Expand ``~`` and take a relative path from the working directory.

    Raises
    ------
    SettingsError
        When the home folder that it names is not known.
    FolderError
        When the working directory has gone.
    """
    path = Path(located(text, Path()))
    try:
        return str(path if path.is_absolute() else Path.cwd() / path)
    except FileNotFoundError:
        said = "is to be found from the working directory, which has gone; change to a folder that is there"
        raise FolderError(f"{text}: {said}, or give the whole path") from None


def _validated(model: type[M], values: dict[str, Any], at: str, found: list[str]) -> M | None:
    try:
        return model(**values)
    except ValidationError as error:
        found.extend(problems(error, model, at))
        return None


class _Loader(yaml.SafeLoader):
    """A SafeLoader that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice; keep one", key_node.start_mark
                )
            if isinstance(key, Hashable):
                seen.add(key)
        return super().construct_mapping(node, deep)
