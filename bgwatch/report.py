"""Outcomes in words: lines for people, JSON lines for programs, a summary at the end."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bgwatch.errors import printable
from bgwatch.inputs.sources import Source, Url, shown
from bgwatch.job import Outcome
from bgwatch.planning import Plan


def as_line(outcome: Outcome, target: Path | str | None) -> str:
    """Tell an outcome that is not simply done in one line."""
    if outcome.state == "unsure":
        said = f"unsure: {target} (confidence {outcome.confidence:.2f}): {'; '.join(outcome.reasons) or 'look at it'}"
    elif outcome.written:
        said = f"note: {target}: {'; '.join(outcome.reasons)}"
    elif outcome.state == "skipped":
        said = f"skipped: {outcome.job.called}: {'; '.join(outcome.reasons)}"
    else:
        said = f"failed: {'; '.join(outcome.reasons)}"
    return printable(said)


def as_json(outcome: Outcome, target: Path | None) -> str:
    """Tell an outcome as one JSON object on one line."""
    return json.dumps(
        {
            "source": outcome.job.source,
            "state": outcome.state,
            "result": None if target is None else str(target),
            "series": outcome.series or None,
            "confidence": None if outcome.confidence is None else round(outcome.confidence, 4),
            "reasons": list(outcome.reasons),
            "seconds": round(outcome.seconds, 3),
            "steps": [asdict(step) for step in outcome.steps],
            "evidence": outcome.evidence,
        }
    )


def resumed(plan: Plan) -> Iterator[str]:
    """Tell what an earlier run has done, and why there is nothing to do where that is so."""
    before, standing = len(plan.before), len(plan.standing)
    doubts = f", {plan.unsure_before} of them unsure" if plan.unsure_before else ""
    were, are = ("were", "are left as they are") if before > 1 else ("was", "is left as it is")
    if plan.targets:
        if before:
            yield f"{before} of {plan.found} {were} done before{doubts}, and {are}; {len(plan.targets)} to do"
    elif standing:
        done = f"{before} {were} done before{doubts}, " if before else ""
        yield f"nothing to do: {done}{standing} {'have' if standing > 1 else 'has'} a result already"
    elif before == 1:
        yield f"nothing to do: it was done before{', and is unsure' if doubts else ''}; --redo does it again"
    elif before:
        yield f"nothing to do: all {before} were done before{doubts}; --redo does them again"


def plan_lines(plan: Plan, as_json: bool) -> Iterator[str]:
    """Tell what is to become of each picture, a line for each."""
    for source, target in plan.targets.items():
        there = os.path.lexists(target)
        yield _planned(as_json, source, target, "replace" if there else "write", " (replaced)" if there else "")
    for source, made in plan.before.items():
        yield _planned(as_json, source, made.path, "keep", " (done before)")
    for source, standing in plan.standing.items():
        yield _planned(as_json, source, standing, "skip", " (skipped: it is there already)")


def _planned(as_json: bool, source: Source, target: Path, action: str, remark: str) -> str:
    if as_json:
        return json.dumps({"source": str(source), "result": str(target), "action": action})
    return f"{shown(str(source)) if isinstance(source, Url) else source} -> {target}{remark}"


def plan_summary(plan: Plan) -> str:
    """Count what is to be done, and what is not."""
    parts = [f"{len(plan.targets)} to do"]
    parts += [f"{len(plan.before)} done before"] if plan.before else []
    return ", ".join([*parts, *_left_out(len(plan.standing), plan.skipped, plan.own)]) + "; nothing was written"


def _left_out(standing: int, skipped: int, own: int) -> Iterator[str]:
    if standing:
        yield f"{standing} skipped that {'have' if standing > 1 else 'has'} a result"
    if skipped:
        yield f"{skipped} skipped that {'are no pictures' if skipped > 1 else 'is no picture'}"
    if own:
        yield f"{own} skipped that {'are results' if own > 1 else 'is a result'}"


def explanation(outcome: Outcome) -> list[str]:
    """Tell what was found on the way to a result, a line for each kind of evidence; empty where there is none."""
    found = outcome.evidence
    if found is None:
        return []
    lines = [
        f"{outcome.job.called}: {found['method']}, confidence {outcome.confidence:.2f}, {outcome.seconds:.2f} s",
        f"  backdrop: {_backdrop(found)}; {found['clusters']} colour clusters; noise {found['noise']:.1f} levels",
        f"  border: {found['border_share']:.0%} of it was taken for backdrop",
        f"  enclosed by the subject: {found['holes_opened']} opened, {found['holes_kept']} kept",
    ]
    lines += [f"  against it: {reason}" for reason in found["reasons"]]
    lines.append(f"  time: {_times((step.name, step.seconds) for step in outcome.steps)}")
    lines.append(f"  time of the segmentation: {_times((step['name'], step['seconds']) for step in found['steps'])}")
    return [printable(line) for line in lines]


def _backdrop(found: dict[str, Any]) -> str:
    return ", ".join(f"{part['colour']} {_percent(part['share'])}" for part in found["backdrop"]) or "none"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "<1%"


def _times(steps: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {_time(seconds)}" for name, seconds in steps)


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


@dataclass
class Summary:
    """Counts outcomes and tells them at the end, every doubt and failure with its reason."""

    done: int = 0
    unsure: list[tuple[Outcome, Path | str | None]] = field(default_factory=list)
    failed: list[Outcome] = field(default_factory=list)
    blocked: list[Outcome] = field(default_factory=list)
    before: int = 0
    standing: int = 0
    blocked_by: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, outcome: Outcome, target: Path | str | None = None) -> bool:
        """Count an outcome and the file it became; tell whether it is news: one cause may block thousands."""
        if outcome.state == "skipped":
            self.before += target is not None
            self.standing += target is None
            return False
        if outcome.state == "failed":
            self.failed.append(outcome)
        elif outcome.state == "blocked":
            self.blocked.append(outcome)
            known = outcome.reasons in self.blocked_by
            self.blocked_by.add(outcome.reasons)
            return not known
        elif outcome.state == "unsure":
            self.unsure.append((outcome, target))
        else:
            self.done += 1
        return True

    @property
    def count(self) -> int:
        """How many outcomes were counted."""
        return self.before + self.standing + self.done + len(self.unsure) + len(self.failed) + len(self.blocked)

    def lines(self, seconds: float, skipped: int, own: int) -> Iterable[str]:
        """Tell the whole run."""
        parts = [f"{self.done} done"]
        parts += [f"{len(self.unsure)} unsure"] if self.unsure else []
        parts += [f"{len(self.failed)} failed"] if self.failed else []
        parts += [f"{len(self.blocked)} not written"] if self.blocked else []
        parts += [f"{self.before} done before"] if self.before else []
        parts += _left_out(self.standing, skipped, own)
        written = self.done + len(self.unsure)
        rate = f", {written / seconds:.3g} pictures a second" if written > 1 and seconds else ""
        yield f"{', '.join(parts)} in {seconds:.1f} s{rate}"
        if self.count == 1:  # its line has just been read
            return
        ended = (*self.unsure, *((outcome, None) for outcome in (*self.failed, *self.blocked)))
        for line in dict.fromkeys(as_line(outcome, target) for outcome, target in ended):
            yield "  " + line
