"""Services and daemons for one test, ended after it."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from watching import Box, Daemon


@pytest.fixture
def box(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Box:
    caplog.set_level(logging.INFO, "bgwatch")
    return Box(tmp_path)


@pytest.fixture
def start() -> Iterator[Callable[..., Daemon]]:
    running: list[Daemon] = []

    def begin(*arguments: object, **how: Any) -> Daemon:
        running.append(Daemon(*arguments, **how))
        return running[-1]

    yield begin
    for daemon in running:
        daemon.close()
