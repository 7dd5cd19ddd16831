"""Services and daemons for one test, ended after it."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scenes import Ended
from watching import Box, Daemon, places_of

from bgwatch.watch import service as service_module
from bgwatch.watch import watched as watched_module


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


@pytest.fixture
def retry(box: Box, bgwatch: Callable[..., Ended]) -> Callable[..., Ended]:
    """Call ``bgwatch retry`` for the box."""

    def call(*arguments: object, **settings: str) -> Ended:
        return bgwatch("retry", *places_of(box, **settings), *arguments)

    return call


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after folders, and try again after a fault, without waiting."""
    for name in ("CHECK", "POLL", "PAUSE"):
        monkeypatch.setattr(watched_module, name, 0.02)
    monkeypatch.setattr(service_module, "BEAT", 0.02)
