"""The README is held to what it says."""

import re
from pathlib import Path

import pytest

from bgwatch import cli
from bgwatch.config import parse

README = (Path(__file__).parents[1] / "README.md").read_text()


@pytest.mark.parametrize("title", ["Run it", "Test it"])
def test_each_of_the_two_ways_in_is_one_command(title: str) -> None:
    section = README.split(f"## {title}\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert len(block.strip().splitlines()) == 1


def test_its_settings_are_settings() -> None:
    for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL):
        assert parse(block, Path("/")).folders


def test_its_table_names_every_command() -> None:
    assert set(re.findall(r"^\| `bgwatch (\w+)", README, re.MULTILINE)) == set(cli.bgwatch.commands)


def test_its_pictures_are_there() -> None:
    for path in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (Path(__file__).parents[1] / path).is_file()
