"""What is done with an errand on a Dask worker, without one."""

import pickle
from types import SimpleNamespace

import distributed
import pytest

from bgwatch import __version__
from bgwatch.cluster import errand
from bgwatch.cluster.errand import Errand, carry_out


def act(task: str) -> str:
    while task == "hang":
        pass
    return f"did {task}"


def died(task: str, reason: str) -> str:
    return f"{task} died: {reason}"


def wanted(task: str) -> bool:
    raise OSError(f"nobody can tell whether {task} is wanted")


def parcel(task: str) -> bytes:
    return pickle.dumps(Errand(act, died, died, wanted, task, 60, 2048))


def test_an_errand_never_gets_the_result_of_one_that_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "get_worker", lambda: SimpleNamespace(status=SimpleNamespace(name="running")))
    monkeypatch.setattr(errand, "LOOKING", 0.01)
    with pytest.raises(OSError, match="nobody can tell whether hang is wanted"):
        carry_out(__version__, parcel("hang"))
    monkeypatch.setattr(errand, "LOOKING", 60.0)
    assert carry_out(__version__, parcel("one")) == "did one"
    errand._here.workers.stop()
