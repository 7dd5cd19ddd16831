"""The README is held to what it says."""

import re
from pathlib import Path

import numpy as np
import pytest
from reference import reference, written
from scenes import disc, opened

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


def test_its_reference_is_what_help_says() -> None:
    assert written() == reference(), "run python tests/reference.py"


def test_its_pictures_are_there() -> None:
    for path in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (Path(__file__).parents[1] / path).is_file()


@pytest.mark.slow
def test_its_plot_has_cut_outs_for_markers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code runs as it stands: the discs are in the plot, and nothing of their grey backdrop is."""
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("MPLBACKEND", "agg")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "matplotlib" in block]
    names = re.findall(r'"(\w+\.jpg)"', code)
    for name in names:
        disc().save(name)
    exec(code, {})
    plot = np.asarray(opened("plot.png").convert("RGB")).astype(int)
    red = np.abs(plot - (190, 40, 50)).max(axis=2) < 20
    grey = np.abs(plot - (188, 190, 192)).max(axis=2) < 10
    assert red.sum() > 500 * len(names)
    assert grey.sum() < red.sum() / 10, "some grey is in the letters"
