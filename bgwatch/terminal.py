"""What the command line says, and a bar where a person looks at a terminal."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from bgwatch.errors import printable

if TYPE_CHECKING:
    from rich.progress import Progress


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a person reads a stream; one that was closed before the start is None."""
    return stream is not None and stream.isatty()


def say(text: str) -> None:
    """Print words to standard error, a line or more."""
    for line in text.split("\n"):
        click.echo(printable(line), err=True)


def echo(lines: Iterable[str]) -> None:
    """Print lines to standard output."""
    for line in lines:
        click.echo(printable(line))


class Plain:
    """Prints results and words, and shows no bar."""

    def result(self, text: str) -> None:
        """Print a result: exactly as it is for a program, made harmless for a terminal."""
        click.echo(printable(text) if is_terminal(sys.stdout) else os.fsencode(text))

    def say(self, text: str) -> None:
        """Print words, a line or more."""
        say(text)

    def advance(self, failed: bool = False) -> None:
        """Count one picture."""


class Bar(Plain):
    """Prints above a bar that counts the pictures, and says how fast they come and how many failed."""

    def __init__(self, progress: "Progress", total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total, rate="", failed="")
        self._failed = 0

    def result(self, text: str) -> None:
        """Print a result: above the bar where both go to the terminal."""
        if is_terminal(sys.stdout):
            self.say(text)
        else:
            super().result(text)

    def say(self, text: str) -> None:
        """Print words above the bar."""
        for line in text.split("\n"):
            self._progress.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    def advance(self, failed: bool = False) -> None:
        """Count one picture."""
        self._failed += failed
        self._progress.advance(self._task)
        task = self._progress.tasks[self._task]
        speed = task.finished_speed or task.speed
        rate = f"{speed:.3g}/s" if speed else ""
        self._progress.update(self._task, rate=rate, failed=f"{self._failed} failed" if self._failed else "")


@contextmanager
def progress(total: int) -> Iterator[Plain]:
    """Show a bar where a person looks at a terminal, and nothing elsewhere."""
    if total < 2 or not is_terminal(sys.stderr):
        yield Plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[failed]}", style="red"),
    )
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False) as progress:
        yield Bar(progress, total)
