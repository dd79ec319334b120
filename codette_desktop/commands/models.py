"""`models`: what can answer, on this computer and on the servers."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import click

from codette_desktop.application import Application
from codette_desktop.commands.common import common, opened
from codette_desktop.commands.model_settings import fit_fields, set_settings, show
from codette_desktop.domain.errors import ModelError
from codette_desktop.domain.models import AnyModel, ModelInfo
from codette_desktop.inference.providers import ServerState
from codette_desktop.models.adapters import AdapterInfo

LOCAL = "local"


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def models(folder: Path, as_json: bool) -> None:
    """List the models that can answer, those of the servers too."""
    if click.get_current_context().invoked_subcommand is None:
        asyncio.run(_list(folder, as_json))


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def list_models(folder: Path, as_json: bool) -> None:
    """List them. The servers the person added are asked what they have."""
    asyncio.run(_list(folder, as_json))


async def _list(folder: Path, as_json: bool) -> None:
    async with opened(folder) as application:
        states = await application.servers.refresh()
        found: list[AnyModel] = [*application.library.list(), *_of_servers(application, states)]
        embedders = application.library.embedders()
        adapters = application.library.adapters()
        problems = application.library.problems()
        named = list(application.configuration.settings.models.values())
        fits = await asyncio.to_thread(_fits, application, found) if as_json else {}
    broken = [state for state in states if state.error is not None]
    if as_json:
        told = [{"path": str(problem.path), "problem": str(problem.error)} for problem in problems]
        told += [{"server": state.server.name, "problem": str(state.error)} for state in broken]
        listed = [_fields(model) | fits.get(model.name, {}) for model in found]
        put = [_adapter_fields(adapter) for adapter in adapters]
        own = [{"name": item.name, "model": item.model} for item in named]
        fields = {"models": listed, "names": own, "adapters": put, "problems": told}
        fields["embedders"] = [_fields(model) for model in embedders]
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    for model in found:
        click.echo(_line(model))
    for item in named:
        click.echo(f"{item.name:24} a name of your own for {item.model}")
    for model in embedders:
        click.echo(f"{_line(model)}  embeds only")
    for adapter in adapters:
        click.echo(f"{adapter.name:24} adapter, rank {adapter.rank}, for {adapter.architecture}: MODEL+{adapter.name}")
    for problem in problems:
        click.echo(f"{problem.path.name}: {problem.error}", err=True)
    for state in broken:
        click.echo(str(state.error), err=True)


def _fits(application: Application, models: list[AnyModel]) -> dict[str, dict[str, Any]]:
    """By the name of each model in a file, whether it fits into memory now."""
    fits: dict[str, dict[str, Any]] = {}
    for model in models:
        if isinstance(model, ModelInfo):
            with contextlib.suppress(ModelError):  # the file has gone meanwhile
                fits[model.name] = {"fit": fit_fields(application.fit(model))}
    return fits


def _of_servers(application: Application, states: list[ServerState]) -> list[AnyModel]:
    """Only what can answer now: models of a server that cannot be reached are not listed."""
    reached = {state.server.name for state in states if state.error is None}
    return [model for model in application.servers.models() if model.server in reached]


def _fields(model: AnyModel) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": model.name,
        "provider": LOCAL if isinstance(model, ModelInfo) else model.server,
        "label": model.label,
        "quantisation": model.quantisation,
        "parameters": model.parameters,
        "bytes": model.size_bytes,
        "context_length": model.context_length,
        "remote": not isinstance(model, ModelInfo) and model.remote,
    }
    if isinstance(model, ModelInfo):
        fields |= {"architecture": model.architecture, "path": str(model.path)}
    return fields


def _adapter_fields(adapter: AdapterInfo) -> dict[str, Any]:
    return {
        "name": adapter.name,
        "display_name": adapter.display_name,
        "architecture": adapter.architecture,
        "rank": adapter.rank,
        "alpha": adapter.alpha,
        "quantisation": adapter.quantisation,
        "bytes": adapter.size_bytes,
        "hash": adapter.file_hash,
        "path": str(adapter.path),
    }


def _line(model: AnyModel) -> str:
    parameters = f"{model.parameters / 1e6:9,.1f} M" if model.parameters else f"{'':11}"
    size = f"{model.size_bytes / 1e6:9,.1f} MB" if model.size_bytes else f"{'':12}"
    context = f"context {model.context_length:,}" if model.context_length else ""
    return f"{model.name:24} {model.label:28} {parameters}  {size}  {context}".rstrip()


models.add_command(show)
models.add_command(set_settings)
