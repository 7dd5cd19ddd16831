"""``remove`` with addresses and lists of them."""

import json
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from scenes import Ended, files, opened
from serving import Server, failing, leading, saying, sending

from bgwatch import planning
from bgwatch.errors import SettingsError
from bgwatch.inputs.sources import Url
from bgwatch.sheet import CELL, LINE, MARGIN

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]


def test_addresses_come_out_in_the_current_folder_or_in_out(
    server: Server, picture: bytes, draw: Draw, bgwatch: Bgwatch
) -> None:
    server.routes["/pics/anna.png"] = sending(picture)
    server.routes["/old"] = leading("/pics/anna.png")
    ended = bgwatch("remove", server.url("/pics/anna.png"), "--allow-private-hosts")
    assert (ended.code, ended.out) == (0, "anna.cutout.png\n")
    local = draw("local.png")
    both = (server.url("/old?x=1"), server.url("/pics/anna.png#top"), server.url("/pics/anna.png"), local)
    ended = bgwatch("remove", *both, "-o", "out", "--allow-private-hosts", "--workers", 2)
    assert sorted(ended.out.split()) == ["out/anna.png", "out/local.png", "out/old.png"]
    assert files() == ["anna.cutout.png", "local.png", "out/anna.png", "out/local.png", "out/old.png"]
    assert Path("out/old.png").read_bytes() == Path("anna.cutout.png").read_bytes() == Path("out/anna.png").read_bytes()


def test_bad_addresses_fail_alone(server: Server, picture: bytes, bgwatch: Bgwatch) -> None:
    server.routes |= {"/a.png": sending(picture), "/gone.png": failing(404), "/cut.png": sending(picture[:900])}
    server.routes["/page.png"] = sending(b"<html>log in")
    server.routes["/text.png"] = sending(b"no picture")
    urls = [server.url(f"/{name}.png?token=secret") for name in ("gone", "cut", "page", "text", "a")]
    ended = bgwatch("remove", *urls, "ftp://example.org/a.png", "-o", "out", "--allow-private-hosts")
    assert (ended.code, ended.out) == (1, "out/a.png\n")
    assert "secret" not in ended.err
    said = sorted(line.strip() for line in ended.err.splitlines()[-5:])
    assert [re.sub(r".*\?token=\.\.\.: |failed: ", "", line).split(" (")[0] for line in said] == [
        "ftp://example.org/a.png: cannot be fetched: only http and https can; for a file of this machine give its path",
        "the picture is broken or cut short",
        "its server answered 404 Not Found; check the address",
        "is an HTML page and no picture; give the address of the picture itself",
        "not a picture bgwatch reads",
    ]
    assert files() == ["out/a.png"]


def test_this_machine_is_not_asked_unless_that_is_said(server: Server, bgwatch: Bgwatch) -> None:
    ended = bgwatch("remove", server.url("/a.png"), "-o", "out")
    assert ended.code == 1
    assert f"{server.url('/a.png')}: its host 127.0.0.1 is 127.0.0.1, an address of this machine" in ended.err
    assert not server.asked
    assert not files()


def test_limits_hold_for_addresses(server: Server, picture: bytes, bgwatch: Bgwatch) -> None:
    server.routes |= {"/a.png": sending(picture), "/endless.png": saying(b"HTTP/1.1 200 OK\r\n\r\n", picture)}
    urls = (server.url("/a.png"), server.url("/endless.png"))
    ended = bgwatch("remove", *urls, "-o", "out", "--allow-private-hosts", "--max-bytes", 10**6, "--json")
    assert ended.code == 1
    rows = {row["source"]: row for row in map(json.loads, ended.out.splitlines())}
    assert rows[urls[0]]["result"] == "out/a.png"
    assert [step["name"] for step in rows[urls[0]]["steps"]] == ["start", "fetch", "decode", "segmentation", "encode"]
    assert "is larger than max_bytes (1000000)" in rows[urls[1]]["reasons"][0]


def test_a_csv_of_addresses_and_paths(server: Server, picture: bytes, draw: Draw, bgwatch: Bgwatch) -> None:
    server.routes["/b.png"] = sending(picture)
    draw("lists/a.png")
    rows = [
        "name,img",
        "Anna,a.png",
        f"Ben,{server.url('/b.png')}",
        f"Ben,{server.url('/b.png')}",
        "Cleo,",
        "Dora,d.png",
    ]
    Path("lists/people.csv").write_text("\n".join(rows))
    ended = bgwatch("remove", "lists/people.csv", "--column", "img", "--allow-private-hosts")
    assert ended.code == 1
    assert sorted(ended.out.split()) == ["b.cutout.png", "lists/a.cutout.png"]
    assert "lists/people.csv: 1 row has nothing in the column 'img'; skipped" in ended.err
    assert "failed: lists/d.png: there is no such file" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("people.csv", "--column", "photo", "-o", "out"),
            1,
            "people.csv: has no column 'photo'; name one of 'img', 'b'",
        ),
        (("none.csv", "-o", "out"), 1, "none.csv: the list cannot be read (No such file or directory)"),
        (("people.csv", "-o", "out.png"), 2, "out.png: people.csv is a list, so OUT must be a folder"),
        (("a.png", "--column", "img"), 2, "--column img: no INPUT is a CSV file"),
        (("people.csv", "-o", "-"), 2, "-o -: standard output takes the result of one picture"),
    ],
)
def test_a_list_that_cannot_be_used_is_told(
    draw: Draw, bgwatch: Bgwatch, arguments: tuple[str, ...], code: int, said: str
) -> None:
    draw("a.png")
    Path("people.csv").write_text("img,b\na.png,c\n")
    ended = bgwatch("remove", *arguments)
    assert ended.code == code
    assert said in ended.err
    assert "a.png" not in ended.out


def test_a_bad_list_leaves_the_rest_to_be_done(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.png")
    ended = bgwatch("remove", "none.csv", "a.png", "-o", "out")
    assert (ended.code, ended.out) == (1, "out/a.png\n")


def test_lists_in_folders_are_not_followed(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("in/a.png")
    Path("in/people.csv").write_text("img\n../b.png\n")
    ended = bgwatch("remove", "in", "-o", "out")
    assert (ended.code, ended.out) == (0, "out/a.png\n")
    assert "1 skipped that is no picture" in ended.err


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    Path("in").mkdir()
    for number in range(50):
        Path(f"in/{number:02}.png").touch()
    Path("more.txt").write_text("\n".join(f"https://example.org/{number}.png" for number in range(50)))
    inputs = [Path("in"), Path("more.txt")]

    def chosen(sample: int | None, seed: int = 0) -> list[str]:
        return [
            str(source) for source in planning.plan(inputs, Path("out"), column=None, sample=sample, seed=seed).targets
        ]

    found = chosen(None)
    assert chosen(20) == chosen(20) == [found[place] for place in sorted(random.Random(0).sample(range(100), 20))]
    assert len(set(chosen(20))) == 20
    assert chosen(20, 1) != chosen(20)
    assert chosen(1000) == found


def test_a_list_of_many_rows_is_planned() -> None:
    """Also where all have one name: finding the next free number must not begin at 2 each time."""
    rows = [f"{number},https://example.org/{number}/photo.jpg" for number in range(20_000)]
    Path("many.csv").write_text("\n".join(["number,img", *rows]))
    targets = planning.plan([Path("many.csv")], Path("out")).targets
    assert targets[Url("https://example.org/19999/photo.jpg")] == Path("out/photo-20000.png")
    assert len(set(targets.values())) == 20_000


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_killed_while_it_fetches_it_leaves_nothing(server: Server, number: int) -> None:
    asked = threading.Event()

    def route(handler: BaseHTTPRequestHandler) -> None:
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1999999999\r\n\r\n" + bytes(10**6))(handler)
        asked.set()
        handler.connection.recv(1)

    server.routes["/a.png"] = route
    command = [sys.executable, "-m", "bgwatch", "remove", server.url("/a.png"), "-o", "out", "--allow-private-hosts"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert asked.wait(60)
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGTERM else -number)
    assert not files()


def test_a_sheet_shows_what_was_fetched(server: Server, picture: bytes, draw: Draw, bgwatch: Bgwatch) -> None:
    server.routes["/a.png"] = sending(picture)
    draw("b.png")
    Path("people.csv").write_text(f"name,img\nAnna,{server.url('/a.png')}\nBen,b.png\nCleo,{server.url('/gone.png')}\n")
    ended = bgwatch("sheet", "people.csv", "-o", "sheet.png", "--column", "img", "--allow-private-hosts")
    assert ended.code == 1
    assert "2 done, 1 failed" in ended.err
    assert f"failed: {server.url('/gone.png')}: its server answered 404 Not Found" in ended.err
    sheet = np.asarray(opened("sheet.png"))
    first, second, third = (sheet[LINE + MARGIN : -LINE, n * (CELL + MARGIN) :][:, MARGIN:CELL] for n in range(3))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)
    assert sorted(path for path, _ in server.asked) == ["/a.png", "/gone.png"], "each once"
    assert files() == ["b.png", "people.csv", "sheet.png"]


def test_a_seed_of_the_sample_is_not_negative(bgwatch: Bgwatch) -> None:
    assert bgwatch("remove", "a.png", "--sample", 0).code == 2
    assert bgwatch("remove", "a.png", "--sample-seed", -1).code == 2


def test_an_address_is_no_csv_file() -> None:
    with pytest.raises(SettingsError, match="no INPUT is a CSV file"):
        planning.plan([Url("https://example.org/a.csv")], None, column="img")
