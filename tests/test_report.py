"""Outcomes in words, word for word."""

import json
from dataclasses import asdict
from pathlib import Path

from bgwatch import Report
from bgwatch.job import Job, Outcome
from bgwatch.report import Summary, as_json, explanation
from bgwatch.segment.laps import Lap
from bgwatch.segment.palette import BackdropColour

JOB = Job("a.jpg", "a.tmp", {}, 1)
BACKDROP = BackdropColour("#b4b6b8", 0.71), BackdropColour("#a09e9c", 0.2871), BackdropColour("#000000", 0.0029)
FOUND = Report("auto", BACKDROP, 8, 0.9, 1.94, 1, 2, ("it is odd",), (Lap("look", 0.0121), Lap("matte", 1.5)))
TOOK = Lap("decode", 0.0004), Lap("segmentation", 1.5121)
OUTCOME = Outcome(JOB, "unsure", ("it is odd",), 0.4, None, 1.6, asdict(FOUND), TOOK)


def test_an_explanation_tells_all_that_was_found() -> None:
    assert explanation(OUTCOME) == [
        "a.jpg: auto, confidence 0.40, 1.60 s",
        "  backdrop: #b4b6b8 71%, #a09e9c 29%, #000000 <1%; 8 colour clusters; noise 1.9 levels",
        "  border: 90% of it was taken for backdrop",
        "  enclosed by the subject: 1 opened, 2 kept",
        "  against it: it is odd",
        "  time: decode 0 ms, segmentation 1.51 s",
        "  time of the segmentation: look 12 ms, matte 1.50 s",
    ]


def test_no_backdrop_is_none() -> None:
    evidence = {**asdict(FOUND), "backdrop": (), "clusters": 0}
    outcome = Outcome(JOB, "unsure", (), 0.0, evidence=evidence)
    assert explanation(outcome)[1] == "  backdrop: none; 0 colour clusters; noise 1.9 levels"


def test_where_there_is_no_result_nothing_is_explained() -> None:
    assert explanation(Outcome(JOB, "failed", ("no",))) == []


def test_json_has_the_evidence_and_the_steps() -> None:
    told = json.loads(as_json(OUTCOME, Path("a.png")))
    assert told["steps"] == [{"name": "decode", "seconds": 0.0004}, {"name": "segmentation", "seconds": 1.5121}]
    assert told["evidence"] == {
        "method": "auto",
        "backdrop": [
            {"colour": "#b4b6b8", "share": 0.71},
            {"colour": "#a09e9c", "share": 0.2871},
            {"colour": "#000000", "share": 0.0029},
        ],
        "clusters": 8,
        "border_share": 0.9,
        "noise": 1.94,
        "holes_opened": 1,
        "holes_kept": 2,
        "reasons": ["it is odd"],
        "steps": [{"name": "look", "seconds": 0.0121}, {"name": "matte", "seconds": 1.5}],
    }


def test_what_blocks_many_pictures_is_told_once() -> None:
    summary = Summary()
    full, gone = (Outcome(JOB, "blocked", (reason,)) for reason in ("out: is full", "in: has gone"))
    assert [summary.add(outcome) for outcome in (full, full, gone, full)] == [True, False, True, False]
    assert list(summary.lines(1, 0, 0)) == [
        "0 done, 4 not written in 1.0 s",
        "  failed: out: is full",
        "  failed: in: has gone",
    ]


def test_the_summary_names_what_is_unsure_and_what_failed_with_reasons() -> None:
    summary = Summary()
    failed = Outcome(JOB, "failed", ("b.jpg: is broken",))
    for outcome, target in ((failed, None), (OUTCOME, Path("a.png")), (Outcome(JOB, "done"), Path("c.png"))):
        assert summary.add(outcome, target)
    assert list(summary.lines(4, 2, 0)) == [
        "1 done, 1 unsure, 1 failed, 2 skipped that are no pictures in 4.0 s, 0.5 pictures a second",
        "  unsure: a.png (confidence 0.40): it is odd",
        "  failed: b.jpg: is broken",
    ]


def test_the_summary_of_one_picture_does_not_repeat_its_line() -> None:
    summary = Summary()
    summary.add(OUTCOME, Path("a.png"))
    assert list(summary.lines(0.5, 0, 0)) == ["0 done, 1 unsure in 0.5 s"]
