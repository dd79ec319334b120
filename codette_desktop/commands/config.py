"""`codette-desktop config`: the configuration file, checked, shown and changed."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import click

from codette_desktop.application import Application
from codette_desktop.commands.common import common, tell_notes
from codette_desktop.configuration import rendering
from codette_desktop.configuration.document import parse, plain
from codette_desktop.configuration.file import Configuration, configuration_path
from codette_desktop.configuration.problems import Path as KeyPath
from codette_desktop.configuration.problems import Problem, parse_path
from codette_desktop.configuration.settings import Settings
from codette_desktop.domain.errors import ConfigurationError

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_VALUE_KEY = "value"


class _KeyPath(click.ParamType[KeyPath]):
    """`models.writer.priority`."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> KeyPath:
        """The keys of a path."""
        try:
            return parse_path(str(value))
        except ValueError:
            self.fail(
                f'{value!r} is no path. Write it like models.writer.priority or servers."My box".url.', param, ctx
            )


@click.group()
def config() -> None:
    """The configuration file: models, servers, roles, tasks and fallbacks in one text file."""


@config.command("path")
@_JSON
@common
def path_command(folder: Path, as_json: bool) -> None:
    """Print where the file is, or would be."""
    path = configuration_path(folder)
    click.echo(json.dumps({"path": str(path), "exists": path.exists()}) if as_json else str(path))


@config.command()
@_JSON
@common
def init(folder: Path, as_json: bool) -> None:
    """Write a file in which everything is explained and nothing is set yet."""
    path = configuration_path(folder)
    Configuration(path).create()
    click.echo(json.dumps({"path": str(path)}) if as_json else f"Wrote {path}. Everything in it is a comment still.")


@config.command()
@_JSON
@common
def check(folder: Path, as_json: bool) -> None:
    """Tell all mistakes of the file, with their lines. Exit status 1 where there are any."""
    application = Application.open(folder)
    try:
        tell_notes(application)
        path, exists = application.configuration.path, application.configuration.exists
        problems = application.configuration.check()
    finally:
        application.store.close()
    if as_json:
        click.echo(json.dumps({"path": str(path), "problems": _told(problems)}, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(f"{path}:{problem.line}:{problem.column}: {problem.words}")
        if not problems:
            click.echo(f"Nothing is wrong with {path}." if exists else f"There is no file {path}, and none is needed.")
    if problems:
        sys.exit(1)


@config.command()
@_JSON
@common
def show(folder: Path, as_json: bool) -> None:
    """Show what the file says, with its variables filled in. Exit status 1 where it has mistakes."""
    configuration = Configuration(configuration_path(folder))
    fields = _fields(configuration.settings)
    if as_json:
        head = {"path": str(configuration.path), "exists": configuration.exists}
        told = _told(configuration.problems)
        click.echo(json.dumps({**head, **fields, "problems": told}, ensure_ascii=False))
    else:
        click.echo(f"# {configuration.path}{'' if configuration.exists else ' (there is no such file)'}")
        for key, value in fields.items():
            click.echo("\n".join(rendering.lines(key, value, 0)))
        for problem in configuration.problems:
            click.echo(f"{configuration.path.name}, {problem}", err=True)
    if any(problem.grave for problem in configuration.problems):
        sys.exit(1)


@config.command("get")
@click.argument("path", type=_KeyPath())
@_JSON
@common
def get_command(path: KeyPath, folder: Path, as_json: bool) -> None:
    """Print what the file says at PATH, as it is written there. Exit status 1 where it says nothing."""
    value = Configuration(configuration_path(folder)).get(path)
    if value is None:
        raise ConfigurationError("The file says nothing there.")
    if as_json:
        click.echo(json.dumps({_VALUE_KEY: value}, ensure_ascii=False))
    elif isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        click.echo("\n".join(line for key, item in items for line in rendering.lines(key, item, 0)))
    else:
        click.echo(value if isinstance(value, str) else rendering.inline(value))


@config.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("path", type=_KeyPath())
@click.argument("value")
@_JSON
@common
def set_command(path: KeyPath, value: str, folder: Path, as_json: bool) -> None:
    """Write VALUE at PATH. VALUE is read as YAML: 5, true, [a, b], "5", '${VAR}'."""
    found = _value(value)
    configuration = Configuration(configuration_path(folder))
    configuration.edit(path, found)
    told = {"path": str(configuration.path), _VALUE_KEY: found}
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else f"Changed {configuration.path}.")


@config.command("unset")
@click.argument("path", type=_KeyPath())
@_JSON
@common
def unset_command(path: KeyPath, folder: Path, as_json: bool) -> None:
    """Take away what stands at PATH. Comments stay."""
    configuration = Configuration(configuration_path(folder))
    configuration.remove(path)
    click.echo(json.dumps({"path": str(configuration.path)}) if as_json else f"Changed {configuration.path}.")


def _value(text: str) -> Any:
    """What a person typed: YAML where it is any, else the text itself."""
    root, problems = parse(f"{_VALUE_KEY}: {text}\n")
    found = cast("dict[str, Any]", plain(root))
    if problems or root is None or root.kind != "mapping" or list(found) != [_VALUE_KEY]:
        return text
    value = found[_VALUE_KEY]
    return text if value is None and text not in ("null", "~") else value


def _told(problems: tuple[Problem, ...]) -> list[dict[str, Any]]:
    keys = ("line", "column", "path", "message", "hint")
    return [{key: getattr(problem, key) for key in keys} for problem in problems]


def _fields(settings: Settings) -> dict[str, Any]:
    """Without what the file leaves open."""
    fields = asdict(settings)
    routing = {key: fields[key] for key in ("local_only", "fallback", "remote")}
    sections = {key: fields[key] for key in ("models", "servers", "roles", "tasks", "fallbacks")}
    return {key: _set(value) for key, value in {**sections, "routing": routing}.items()}


def _set(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {str(key): _set(item) for key, item in items if item not in (None, "", {})}
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value
