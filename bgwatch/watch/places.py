"""Where the files of a watched folder are, and which folders may not be together."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bgwatch.config import located
from bgwatch.errors import SettingsError
from bgwatch.settings import Folder


@dataclass(frozen=True)
class Places:
    """Where the files of one watched folder are.

    Attributes
    ----------
    inbox, outbox, failed, review : Path
        Absolute, symbolic links resolved.
    done : Path or None
        None where originals stay or are deleted.
    keep : bool
        Whether originals stay where they are.
    behind : Path or None
        The picture that is laid behind results, if there is one.
    """

    inbox: Path
    outbox: Path
    failed: Path
    review: Path
    done: Path | None
    keep: bool
    behind: Path | None = None

    @property
    def written(self) -> list[Path]:
        """The folders that bgwatch writes to."""
        return [place for place in (self.outbox, self.done, self.failed, self.review) if place]


def places(folder: Folder) -> Places:
    """Resolve the folders of one entry of the settings."""
    outbox = _real(Path(folder.outbox))

    def inside(text: str) -> Path:
        return _real(Path(located(text, outbox)))

    done = None if folder.done in ("keep", "delete") else inside(folder.done)
    return Places(
        inbox=_real(Path(folder.inbox)),
        outbox=outbox,
        failed=inside(folder.failed),
        review=inside(folder.review),
        done=done,
        keep=folder.done == "keep",
        behind=_real(Path(folder.picture_behind)) if folder.picture_behind else None,
    )


def refuse_loops(all_places: Iterable[Places], state: Path) -> None:
    """Refuse folders whose results would be taken for originals.

    Raises
    ------
    SettingsError
        Naming the two folders.
    """
    all_places = list(all_places)
    inboxes = [place.inbox for place in all_places]
    for inbox in inboxes:
        if inboxes.count(inbox) > 1:
            raise SettingsError(f"{inbox}: is named as inbox twice; give each inbox one entry")
        if state.resolve().is_relative_to(inbox):
            raise SettingsError(f"{state}: the state folder lies inside the inbox {inbox}; name another with --state")
        for other in inboxes:
            if other != inbox and other.is_relative_to(inbox):
                raise SettingsError(f"{other}: this inbox lies inside the inbox {inbox}; give each a folder of its own")
        _refuse_to_cut_out(inbox, (place.behind for place in all_places))
        for written in (written for place in all_places for written in place.written):
            if written.is_relative_to(inbox):
                raise SettingsError(f"{written}: lies inside the inbox {inbox}; name a folder outside it")
            if inbox.is_relative_to(written):
                said = f"{inbox}: the inbox lies inside {written}, which is written to; name one outside it"
                raise SettingsError(said)


def _refuse_to_cut_out(inbox: Path, pictures: Iterable[Path | None]) -> None:
    for behind in pictures:
        if behind and behind.is_relative_to(inbox):
            said = f"{behind}: this picture for fill lies inside the inbox {inbox}, which would cut it out itself"
            raise SettingsError(f"{said}; move it elsewhere")


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise SettingsError(f"{path}: is not a folder that can be used ({error}); name another") from None
