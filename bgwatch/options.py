"""Options of the command line: fields of the settings models, and what they add up to."""

import os
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from bgwatch.errors import SettingsError

if TYPE_CHECKING:
    from bgwatch.journal import Journal
    from bgwatch.settings import FetchLimits, Machines, Model, Naming, Output, PictureLimits, Settings

Command = Callable[..., None]


class PathType(click.Path):
    """A path of the command line; an empty one is a variable that was not set, not the current folder.

    A shell completes it with the names of files.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make a path of the text."""
        if not value:
            self.fail("is empty; name a file or a folder", param, ctx)
        return super().convert(value, param, ctx)


as_path = PathType(readable=False, path_type=Path)


class TextOrFile(click.types.StringParamType):
    """A text that may name a file, as which a shell completes it."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Have the shell offer files."""
        return [CompletionItem(incomplete, type="file")]


class SourceType(PathType):
    """An INPUT: a path, the address of a picture, or ``-`` for standard input."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make a source of the text."""
        from bgwatch.inputs.sources import Stdin, Url, is_url

        if value == "-":
            return Stdin()
        return Url(value) if is_url(value) else super().convert(value, param, ctx)


class OutType(PathType):
    """An OUT: a path, or ``-`` for standard output."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make a path of the text, if it is one."""
        from bgwatch.inputs.sources import Stdout

        return Stdout() if value == "-" else super().convert(value, param, ctx)


as_source = SourceType(readable=False, path_type=Path)
as_out = OutType(readable=False, path_type=Path)


class SettingsCommand(click.Command):
    """A command whose options are fields of models of `bgwatch.settings`, read only when the command is asked for.

    Reading the models costs a tenth of a second, which ``bgwatch --help`` need not pay.
    """

    def __init__(self, *args: Any, models: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._models = models

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give the declared parameters and one for each field."""
        if self._models:
            from bgwatch import settings

            self.params.extend(_options([getattr(settings, name) for name in self._models]))
            self._models = ()
        return super().get_params(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of the settings under what they are about."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)):
                heading = param.heading if isinstance(param, SettingsOption) else "Options"
                sections.setdefault(heading, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


class SettingsOption(click.Option):
    """An option that is a field of a model, with the heading that it stands under."""

    def __init__(self, *args: Any, heading: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heading = heading


def _options(models: list["type[Model]"]) -> Iterator[click.Parameter]:
    for model in models:
        for name, given in model.model_json_schema()["properties"].items():
            if name not in ("folders", "workers", "scheduler", "insecure_scheduler"):
                owner: Any = next(one for one in model.__mro__ if name in one.__annotations__)
                yield _option(name, given, owner.heading)


def _option(name: str, given: dict[str, Any], heading: str) -> click.Option:
    kind: click.ParamType[Any]
    metavar = None
    flag = "--" + name.replace("_", "-")
    given = {**given, **next((one for one in given.get("anyOf", ()) if one["type"] != "null"), {})}
    shown = "" if given["default"] is None else f"  [default: {given['default']}]"
    if given["type"] == "boolean":
        return SettingsOption([f"{flag}/--no{flag[1:]}"], default=None, help=given["description"], heading=heading)
    if "enum" in given:
        kind = click.Choice(given["enum"])
    elif given["type"] == "integer":
        kind, metavar = click.IntRange(given.get("minimum"), given.get("maximum")), "N"
    elif given["type"] == "number":
        kind, metavar = click.FloatRange(given.get("minimum"), given.get("maximum")), "X"
    else:
        kind = TextOrFile() if name == "fill" else click.STRING
    return SettingsOption([flag], type=kind, metavar=metavar, help=given["description"] + shown, heading=heading)


def _adds(*options: Callable[..., Any]) -> Callable[[Command], Command]:
    return lambda command: reduce(lambda given, option: option(given), reversed(options), command)


# say where pictures are cut out
with_places = _adds(
    click.option(
        "--workers", metavar="N", type=click.IntRange(1, 256), help="Worker processes.", show_default="one for each CPU"
    ),
    click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers do it, in place of processes."),
    click.option("--insecure-scheduler", is_flag=True, default=None, help="Take a scheduler without tls://."),
)

# say which pictures of those that are named are taken
with_choice = _adds(
    click.option("--column", metavar="NAME", help="The column of a CSV that has the URLs or paths."),
    click.option("--sample", metavar="N", type=click.IntRange(1), help="Take N of the pictures, chosen at random."),
    click.option(
        "--sample-seed", metavar="N", type=click.IntRange(0), default=0, show_default=True, help="Seed of --sample."
    ),
)


def folder_settings(folders: tuple[Path, ...], config: Path | None, given: dict[str, Any]) -> "Settings":
    """Put the settings file that is named or found, a pair of folders and options that were given together."""
    from bgwatch.config import default_path, in_force

    if len(folders) not in (0, 2):
        raise click.UsageError("give both INBOX and OUTBOX, or neither")
    if config is None and not folders and os.path.exists(default_path()):
        config = default_path()
    return in_force(config, tuple(map(str, folders)), {key: value for key, value in given.items() if value is not None})


def picture_settings(given: dict[str, Any]) -> tuple[dict[str, Any], "PictureLimits", "Machines"]:
    """Split the options of a command into those of the segmentation, the limits of a picture, and the machines."""
    from bgwatch.settings import Machines, PictureLimits, Segmentation

    return (
        Segmentation.of(_of(Segmentation, given)).model_dump(),
        PictureLimits(**_of(PictureLimits, given)),
        Machines.of(_of(Machines, given)),
    )


def output_settings(given: dict[str, Any], file: Path | None) -> "Output":
    """Take from the options of a command what results are to be.

    Parameters
    ----------
    given : dict
        The options.
    file : Path or None
        The one file that was named as result; its suffix asks for a format.

    Raises
    ------
    SettingsError
        When options contradict each other, or the format has no name of that kind.
    """
    from bgwatch.config import from_here, with_fill_found
    from bgwatch.settings import RESULT_SUFFIXES, Output

    options = with_fill_found(_of(Output, given), from_here)
    if file:
        suffix = file.suffix.lower()
        named = next((name for name, suffixes in RESULT_SUFFIXES.items() if suffix in suffixes), None)
        if named is None:
            said = ", ".join(suffixes[0] for suffixes in RESULT_SUFFIXES.values())
            raise SettingsError(f"{file}: results are not written as {suffix}; let OUT end in one of {said}")
        if options.setdefault("format", named) != named:
            raise SettingsError(f"{file}: is named as {named}, and --format is {options['format']}; leave one out")
    made = Output.of(options)
    if made.picture_behind and not os.access(made.picture_behind, os.R_OK):
        said = "there is no file that can be read; name a picture, or a colour like '#ffffff'"
        raise SettingsError(f"fill: {made.picture_behind}: {said}")
    return made


def naming_settings(given: dict[str, Any], file: Path | None) -> "Naming":
    """Take from the options of a command under which names results appear.

    Parameters
    ----------
    given : dict
        The options.
    file : Path or None
        The one file that was named as result; it is replaced unless something else is asked for.

    Raises
    ------
    SettingsError
        When a template cannot be used, or there is another name already.
    """
    from bgwatch.settings import Naming

    options = _of(Naming, given)
    if file:
        if "name" in options:
            raise SettingsError(f"{file}: is the name of the result, and --name is another; leave one out")
        options.setdefault("on_conflict", "overwrite")
    return Naming.of(options)


def journal_of(settings: dict[str, Any], output: "Output", writes: bool) -> "Journal":
    """Give the memory of earlier runs: for settings on which results depend, and whether it may write."""
    from bgwatch.journal import Journal, default_file

    return Journal(default_file(), {**settings, "output": output.model_dump()}, output.picture_behind, writes)


def _of(model: "type[Model]", given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in model.model_fields if given.get(name) is not None}


def fetch_limits(given: dict[str, Any]) -> "FetchLimits":
    """Take from the options of a command how pictures are fetched."""
    from bgwatch.settings import FetchLimits

    return FetchLimits(**_of(FetchLimits, given))
