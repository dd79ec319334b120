"""`codette-desktop roles`, and what a role means for a question."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from codette_desktop.application import Application
from codette_desktop.commands.common import common
from codette_desktop.configuration.file import Configuration, configuration_path
from codette_desktop.configuration.roles import Roles
from codette_desktop.domain.models import AUTO
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.roles import Role
from codette_desktop.ensemble.members import merged

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def roles() -> None:
    """Roles: who a model can be asked to be. Those that ship, and those of the configuration file."""


@roles.command("list")
@_JSON
@common
def list_roles(folder: Path, as_json: bool) -> None:
    """List them."""
    known = _roles(folder)
    if as_json:
        click.echo(json.dumps({"roles": [_fields(known, role) for role in known.all()]}, ensure_ascii=False))
        return
    for role in known.all():
        click.echo(f"{role.name:24} {role.title:26} {role.description}".rstrip())


@roles.command()
@click.argument("name")
@_JSON
@common
def show(name: str, folder: Path, as_json: bool) -> None:
    """Show a role with its prompt."""
    known = _roles(folder)
    role = known.find(name)
    if as_json:
        click.echo(json.dumps({**_fields(known, role), "prompt": role.prompt}, ensure_ascii=False))
        return
    click.echo(f"{role.title}. {role.description}".strip())
    if role.model:
        click.echo(f"Model: {role.model}")
    for key, value in known.sampling_of(role).items():
        click.echo(f"{key}: {value}")
    click.echo(f"\n{role.prompt}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is asked with: the name of a model, the system prompt, the sampling parameters."""

    model: str
    system: str
    sampling: Sampling


def asked_as(application: Application, role: str, model: str, system: str, explicit: dict[str, Any]) -> Asked:
    """What was typed, with what the role and the model bring along.

    A role's prompt stands before `system`; its model is asked unless `model` is given. Sampling: the model's defaults,
    under the role's, under what is `explicit`. Raises InvalidRequest, ModelError.
    """
    found = application.roles.find(role) if role else None
    name = application.catalogue.name_to_ask(model or (found.model if found else ""))
    prompts = [found.prompt if found else "", system]
    own: Mapping[str, Any] = {} if name == AUTO else application.configuration.sampling_for(name)
    sampling = merged((own, application.roles.sampling_of(found) if found else {}, explicit))
    return Asked(name, "\n\n".join(text for text in prompts if text.strip()), sampling)


def _roles(folder: Path) -> Roles:
    configuration = Configuration(configuration_path(folder))
    for problem in configuration.problems:
        click.echo(f"{configuration.path.name}, {problem}", err=True)
    return Roles(lambda: configuration.settings)


def _fields(known: Roles, role: Role) -> dict[str, Any]:
    return {
        "name": role.name,
        "title": role.title,
        "description": role.description,
        "model": role.model,
        "sampling": dict(known.sampling_of(role)),
        "shipped": known.is_shipped(role),
    }
