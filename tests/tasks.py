"""What worker processes are given to do in tests: hang, die, eat memory."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from bgwatch.process import THREAD_VARIABLES
from bgwatch.workers import Workers


def act(task: str) -> str:
    """Do what a task says; runs in the worker."""
    verb, _, argument = task.partition(" ")
    return VERBS[verb](argument) if verb in VERBS else f"did {task}"


def die(_: str = "") -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a dead process goes on")


def die_once(mark: str) -> str:
    if not Path(mark).exists():
        Path(mark).touch()
        die()
    return f"did die-once {mark}"


def die_twice(mark: str) -> str:
    for number in (1, 2):
        if not Path(f"{mark}-{number}").exists():
            Path(f"{mark}-{number}").touch()
            die()
    return f"did die-twice {mark}"


def die_counted(deaths: str) -> str:
    with Path(deaths).open("a") as file:
        file.write("x")
    return die()


def be_alone(mark: str) -> str:
    """Die the first time, once all three are under way; then say whether another is under way."""
    own, others = Path(mark), [Path(mark).with_name(name) for name in ("a", "b", "c")]
    if not own.exists():
        own.touch()
        while not all(other.exists() for other in others):
            os.sched_yield()
        die()
    own.with_suffix(".running").touch()
    seen = [other for other in others if other != own and other.with_suffix(".running").exists()]
    for _ in range(1000):
        os.sched_yield()
    own.with_suffix(".running").unlink()
    return f"saw {seen}" if seen else f"did be-alone {mark}"


def eat(size: str) -> str:
    try:
        bytearray(int(size))
    except MemoryError:
        return "refused memory"
    return f"did eat {size}"


def complain(reason: str) -> str:
    raise OSError(reason)


def hang(_: str) -> str:
    while True:
        signal.pause()


VERBS: dict[str, Callable[[str], str]] = {
    "die": die,
    "die-once": die_once,
    "die-twice": die_twice,
    "die-counted": die_counted,
    "be-alone": be_alone,
    "eat": eat,
    "raise": complain,
    "hang": hang,
    "print": lambda text: str(os.write(1, text.encode())),
    "threads": lambda _: ",".join(os.environ[name] for name in THREAD_VARIABLES),
    "signals": lambda _: (
        f"blocked: {list(signal.pthread_sigmask(signal.SIG_BLOCK, ()))}, "
        f"SIGINT: {int(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)}"
    ),
    "pid": lambda number: f"{number} {os.getpid()}",
}


def died(task: str, reason: str) -> str:
    return f"{task} died: {reason}"


def unstarted(task: str, reason: str) -> str:
    return f"{task} not begun: {reason}"


def done(workers: "Workers[str, str]", *tasks: str) -> set[str]:
    for task in tasks:
        workers.submit(task)
    results: list[str] = []
    try:
        while workers.busy:
            results += workers.collect(60)
    finally:
        workers.stop()
    assert len(results) == len(tasks)
    return set(results)


def make(seconds: int = 60, count: int = 2) -> "Workers[str, str]":
    return Workers(act, died, unstarted, count, seconds, 2048)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
