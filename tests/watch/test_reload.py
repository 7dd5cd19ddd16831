"""Settings that are read again on a hangup."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from watching import Box, appears, drop, meanwhile, until

from bgwatch.errors import SettingsError
from bgwatch.settings import Settings
from bgwatch.watch.lock import InboxLock

Draw = Callable[..., Path]
Log = pytest.LogCaptureFixture


def test_settings_are_read_again_on_a_hangup(box: Box, draw: Draw, quick: None, caplog: Log) -> None:
    """Wrong ones are refused in one line and change nothing; good ones bring another folder and keep the first."""
    source = draw(box.root / "a.jpg")
    service = box.service()
    first = service._settings
    second = first.folders[0].model_copy(update={"inbox": str(box.root / "in2"), "outbox": str(box.root / "out2")})
    loop = first.folders[0].model_copy(update={"inbox": str(box.root / "in3"), "outbox": str(box.inbox)})
    held = first.folders[0].model_copy(update={"inbox": str(box.root / "held")})
    orders: list[Settings | SettingsError] = [
        SettingsError("c.yaml: settle_secondz: is not a setting"),
        first.model_copy(update={"folders": (first.folders[0], loop)}),
        first.model_copy(update={"folders": (first.folders[0], held)}),
        first.model_copy(update={"folders": (first.folders[0], second), "workers": 1}),
    ]

    def reread() -> Settings:
        order = orders.pop(0)
        if isinstance(order, SettingsError):
            raise order
        return order

    service._reread = reread

    def person() -> None:
        (box.root / "held").mkdir()
        lock = InboxLock(box.root / "held")
        for count, reason in enumerate(("settle_secondz", "lies inside the inbox", "is watched already"), 1):
            os.kill(os.getpid(), signal.SIGHUP)
            until(lambda: caplog.text.count("the old ones stay in force") == count, reason)  # noqa: B023
            assert reason in caplog.records[-1].getMessage()
            drop(source, box.inbox / f"{count}.jpg")
            appears(box.outbox / "done" / f"{count}.jpg")
        lock.close()
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: "the new settings are in force" in caplog.text)
        for inbox, outbox in ((box.inbox, box.outbox), (box.root / "in2", box.root / "out2")):
            drop(source, inbox / "last.jpg")
            appears(outbox / "done" / "last.jpg")

    assert meanwhile(service, person) == 0
    assert not (box.root / "in3").exists()
    assert "5 done" in caplog.text


def test_settings_that_are_read_again_make_no_folder_that_is_waited_for(
    box: Box, draw: Draw, quick: None, caplog: Log
) -> None:
    source = draw(box.root / "a.jpg")
    service = box.service()
    service._reread = lambda: service._settings

    def person() -> None:
        box.outbox.rename(box.root / "unmounted")
        until(lambda: f"{box.outbox}: is gone" in caplog.text)
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: "the new settings are in force" in caplog.text)
        assert not box.outbox.exists()
        drop(source, box.inbox / "a.jpg")
        (box.root / "unmounted").rename(box.outbox)
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(service, person) == 0
