"""Standard input as a picture, and standard output for a result."""

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bgwatch.errors import FolderError, SettingsError
from bgwatch.inputs.lists import is_list
from bgwatch.inputs.sources import Source, Stdin, Stdout, is_folder

CHUNK = 2**20


@dataclass(frozen=True)
class Ends:
    """Where pictures come from and results go to.

    Attributes
    ----------
    inputs : tuple of Source
        What INPUT names; standard input is held in a file.
    out : Path or None
        What OUT names; a temporary folder for what goes to standard output.
    streamed : bool
        Whether the result goes to standard output.
    """

    inputs: tuple[Source, ...]
    out: Path | None
    streamed: bool

    def named(self, result: Path | None) -> Path | str | None:
        """Name a result in a sentence."""
        return "standard output" if self.streamed and result else result

    def hand_over(self, result: Path | None, text: str, show: Callable[[str], None]) -> None:
        """Write a result to standard output, or else show what is said of it."""
        if self.streamed and result:
            with result.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer, CHUNK)
            sys.stdout.buffer.flush()
        elif text:
            show(text)


def refuse_streams(inputs: Sequence[Source], out: Path | Stdout | None) -> None:
    """Raise SettingsError where standard input or output is to be planned: the one has no name, the other is taken."""
    if isinstance(out, Stdout) or any(isinstance(source, Stdin) for source in inputs):
        raise SettingsError("--dry-run: standard input and output have no names that could be planned; leave - out")


@contextlib.contextmanager
def ends(
    inputs: Sequence[Source], out: Path | Stdout | None, max_bytes: int, here: bool = True, words: bool = False
) -> Iterator[Ends]:
    """Put standard input into a file, and give what goes to standard output a folder, for as long as they are needed.

    Parameters
    ----------
    inputs : sequence of Source
        What INPUT names.
    out : Path, Stdout or None
        What OUT names. Without it the result of standard input goes to standard output.
    max_bytes : int
        One byte more than this is read at most.
    here : bool, optional
        Whether pictures are cut out by processes of this machine.
    words : bool, optional
        Whether something else is to be written to standard output.

    Raises
    ------
    SettingsError
        When a terminal is in the place of a picture, or OUT cannot take what INPUT gives.
    """
    read = sum(isinstance(source, Stdin) for source in inputs)
    streamed = isinstance(out, Stdout) or (out is None and read > 0)
    if not read and not streamed:
        yield Ends(tuple(inputs), None if isinstance(out, Stdout) else out, False)
        return
    _refuse(inputs, out, read, streamed, here, words)
    with TemporaryDirectory(prefix="bgwatch-") as folder:
        held = tuple(_held(source, folder, max_bytes) if isinstance(source, Stdin) else source for source in inputs)
        yield Ends(held, Path(folder, "out") if isinstance(out, Stdout) or streamed else out, streamed)


def _refuse(
    inputs: Sequence[Source], out: Path | Stdout | None, read: int, streamed: bool, here: bool, words: bool
) -> None:
    if not here:
        raise SettingsError("-: standard input and output are of this machine alone; leave --scheduler out")
    if read > 1:
        raise SettingsError("-: standard input is one picture; name it once")
    if read and sys.stdin is None:
        raise SettingsError("-: standard input is closed; pipe a picture into it")
    if read and sys.stdin.isatty():
        raise SettingsError("-: standard input is a terminal; pipe a picture into it, as in `cat a.jpg | bgwatch ...`")
    if not streamed:
        return
    if len(inputs) > 1 or is_folder(inputs[0]) or is_list(inputs[0]):
        raise SettingsError("-o -: standard output takes the result of one picture; name a folder with -o for more")
    if words:
        raise SettingsError(
            "-o -: standard output takes the result and not --json too; leave that out, or name a file with -o"
        )
    if sys.stdout is None:
        raise SettingsError("-o -: standard output is closed; send it to a file with >, or name one with -o")
    if sys.stdout.isatty():
        raise SettingsError("-o -: standard output is a terminal; send it to a file with >, or name one with -o")


def _held(source: Stdin, folder: str, max_bytes: int) -> Stdin:
    held = Path(folder, source.stem)
    left = max_bytes + 1
    try:
        with held.open("wb") as file:
            while left and (chunk := sys.stdin.buffer.read(min(left, CHUNK))):
                file.write(chunk)
                left -= len(chunk)
    except OSError as error:
        raise FolderError(f"-: standard input cannot be put into {folder} ({error.strerror}); check both") from None
    return Stdin(str(held))
