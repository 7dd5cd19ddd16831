"""How many of the tests that drive a real GIMP ran, told at the end; BGWATCH_REQUIRE_GIMP=1 asks for all of them."""

import os
from typing import Any

import pytest

REQUIRED = os.environ.get("BGWATCH_REQUIRE_GIMP") == "1"


class GimpTests:
    """A plugin of pytest: with pytest-xdist its processes collect the tests, and the first one is told what ran."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._ran: set[str] = set()

    @pytest.hookimpl(tryfirst=True)  # before -m and -k leave any out
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if item.get_closest_marker("gimp"):
                self._known.add(item.nodeid)
                item.add_marker(pytest.mark.xdist_group("gimp"))  # one process drives the one GIMP

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.outcome in ("passed", "failed"):
            self._ran.add(report.nodeid.removesuffix("@gimp"))  # which pytest-xdist appends

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._known.update(getattr(node, "workeroutput", {}).get("gimp", ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["gimp"] = [*self._known]
        elif self._missing and not session.exitstatus and not session.config.option.collectonly:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._known:
            return
        why = ": fewer than there are, and BGWATCH_REQUIRE_GIMP=1 asks for all" if self._missing else ""
        told = f"GIMP tests: {len(self._ran & self._known)} ran of {len(self._known)}{why}"
        terminalreporter.write_line(told, red=self._missing)

    @property
    def _missing(self) -> bool:
        return REQUIRED and bool(self._known - self._ran)
