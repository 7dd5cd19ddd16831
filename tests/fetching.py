"""Fetching as the tests of it do: into a folder that stays empty."""

from pathlib import Path
from typing import Any

import pytest

from bgwatch.errors import PictureError
from bgwatch.inputs import fetch
from bgwatch.settings import FetchLimits


def got(url: str, folder: Path, max_bytes: int = 10**6, private: bool = True, seconds: float = 60) -> bytes:
    limits = FetchLimits.model_construct(fetch_seconds=seconds, allow_private_hosts=private)
    with fetch.fetch(url, folder, max_bytes, limits) as file:
        assert not list(folder.iterdir()), "the file has no name that a kill could leave behind"
        return file.read()


def refused(url: str, folder: Path, **options: Any) -> str:
    with pytest.raises(PictureError) as told:
        got(url, folder, **options)
    assert not list(folder.iterdir())
    said = str(told.value)
    assert "\n" not in said
    return said
