"""The reference in the README: what each command's ``--help`` says. ``python tests/reference.py`` writes it anew."""

from collections.abc import Iterator
from pathlib import Path

import click

from bgwatch import cli

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- what --help says; written by tests/reference.py -->", "<!-- end of what --help says -->"
WIDTH = 110


def reference() -> str:
    """Give the part of the README between its two marks."""
    folds = [
        f"<details><summary><code>{name} --help</code></summary>\n\n```text\n{text}\n```\n\n</details>"
        for name, text in _helps(cli.bgwatch, "bgwatch")
    ]
    return "\n\n".join(["", *folds, ""])


def written() -> str:
    """Give what lies between the marks now."""
    return README.read_text().split(BEGIN)[1].split(END)[0]


def _helps(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, parent, info_name=name.split()[-1], **settings)
    if parent:
        yield name, command.get_help(context)
    for sub, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from _helps(inner, f"{name} {sub}", context)


if __name__ == "__main__":
    before, rest = README.read_text().split(BEGIN)
    README.write_text(before + BEGIN + reference() + END + rest.split(END)[1])
