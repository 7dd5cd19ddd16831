import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bgwatch.config import in_force, load, parse
from bgwatch.errors import SettingsError
from bgwatch.settings import Folder, FolderDefaults, Settings

EXAMPLE = Path(__file__).parents[1] / "config.example.yaml"
HERE = Path("/somewhere")


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as told:
        parse(text, HERE)
    return str(told.value)


def test_the_example_shows_every_setting_with_its_default() -> None:
    shown = yaml.safe_load(EXAMPLE.read_text())
    folders = shown.pop("folders")
    defaults = Settings().model_dump(mode="json", exclude={"folders"})
    assert shown == defaults
    assert list(shown) == list(defaults)
    assert {"inbox", "outbox"} <= set(folders[0])
    parse(EXAMPLE.read_text(), HERE)


def test_the_example_gives_each_setting_its_help() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for name, field in {**Settings.model_fields, **Folder.model_fields}.items():
        at = next(number for number, line in enumerate(lines) if re.match(rf"(  [- ] )?{name}:", line))
        assert lines[at - 1].strip().lstrip("# ") == field.description, name


def test_a_folder_takes_the_defaults_and_may_override_them() -> None:
    settings = parse(
        "method: kmeans\nsettle_seconds: 2\nfolders:\n  - {inbox: a, outbox: /b}\n"
        "  - {inbox: c, outbox: d, method: auto, done: keep}\n",
        HERE,
    )
    first, second = settings.folders
    assert (first.inbox, first.outbox, first.method, first.settle_seconds) == ("/somewhere/a", "/b", "kmeans", 2)
    assert (second.method, second.done, second.settle_seconds) == ("auto", "keep", 2)


def test_a_scheduler_that_strangers_may_reach_is_refused_in_a_file() -> None:
    assert refused("scheduler: tcp://10.0.0.1:8786\n").startswith("scheduler: tcp://10.0.0.1:8786 is neither tls://")
    assert parse("scheduler: tcp://10.0.0.1:8786\ninsecure_scheduler: true\n", HERE).scheduler == "tcp://10.0.0.1:8786"


def test_merged_mappings_work() -> None:
    text = "folders:\n  - &a {inbox: a, outbox: b, holes: open}\n  - {<<: *a, inbox: c}\n"
    assert [(folder.inbox, folder.holes) for folder in parse(text, HERE).folders] == [
        ("/somewhere/a", "open"),
        ("/somewhere/c", "open"),
    ]


def test_all_problems_come_at_once_with_dotted_paths() -> None:
    said = refused("setle_seconds: 1\nclusters: 0\nfolders:\n  - {inbox: a, outbox: b, hole: open}\n  - {inbox: c}\n")
    assert "setle_seconds: is not a setting; did you mean 'settle_seconds'?" in said
    assert "clusters: must be greater than or equal to 1, got 0" in said
    assert "folders.0.hole: is not a setting; did you mean 'holes'?" in said
    assert "folders.1.outbox: is missing" in said


def test_a_wrong_default_is_told_once() -> None:
    assert refused("clusters: 0\nfolders:\n  - {inbox: a, outbox: b}\n").count("clusters") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clusters: 3\nclusters: 4\n", "'clusters' is given twice"),
        ("folders:\n - {inbox: a, outbox: b, inbox: c}\n", "'inbox' is given twice"),
        ("- a\n- b\n", "must be a mapping"),
        ("a: [", "not readable as YAML"),
        ("folders: 3\n", "folders: must be a list"),
        ("folders: [3]\n", "folders.0: must be a mapping"),
        ("folders:\n - {inbox: a, outbox: b}\n - {inbox: a, outbox: c}\n", "named twice"),
        ("method: !!python/object/apply:os.system ['true']\n", "not readable as YAML"),
        ("workers: 0\n", "workers: must be"),
        ("worker_seconds: 99999999999\n", "worker_seconds: must be less than or equal to 86400"),
        ("backdrop: #ff0000\n", "backdrop: must be a valid string, got None; write it in quotes"),
        ("done: no\n", "done: must be a valid string, got False; write it in quotes"),
        ("folders:\n - {inbox: ~nobody-here/x, outbox: b}\n - {inbox: c}\n", "folders.1.outbox: is missing"),
        ("? [a]\n: 1\n", "unhashable key"),
    ],
)
def test_refused(text: str, said: str) -> None:
    assert said in refused(text)


def test_a_settings_file_of_more_than_1_mb_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(b"# " + b"x" * 1_000_000)
    with pytest.raises(SettingsError, match="1 MB at most"):
        load(file)


def test_a_settings_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.yaml: the settings file cannot be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"method: \xff\xfe")
    with pytest.raises(SettingsError, match="UTF-8"):
        load(tmp_path / "bytes.yaml")


@given(st.text(alphabet=st.sampled_from("abfolders:inbout -[]{}'\"#&*!|>?,\n 01.~\x00é"), max_size=80))
@example("folders:\n- {inbox: ~nobody-here/x, outbox: b}")
@example("&a [*a]")
@example("2001-99-99: x")
def test_any_text_is_settings_or_refused(text: str) -> None:
    try:
        settings = parse(text, HERE)
    except SettingsError:
        return
    assert isinstance(settings, Settings)


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("method: kmeans\nclusters: 5\nfolders:\n  - {inbox: a, outbox: b, method: threshold}\n")
    settings = in_force(file, (), {"method": "auto", "workers": 3})
    assert (settings.folders[0].method, settings.folders[0].clusters, settings.workers) == ("auto", 5, 3)


def test_without_anything_it_is_inbox_and_outbox_here(at_home: Path) -> None:
    (folder,) = in_force(None, (), {}).folders
    assert (folder.inbox, folder.outbox) == (str(at_home / "inbox"), str(at_home / "outbox"))
    assert folder.model_dump(include=set(FolderDefaults.model_fields)) == FolderDefaults().model_dump()
