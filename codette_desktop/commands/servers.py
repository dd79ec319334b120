"""`servers`: other places that answer, over HTTP. Nothing is contacted except by `test`, and by `find`."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.domain.servers import OUTSIDE, Server, ServerKind
from codette_desktop.inference.providers import ServerState

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def servers() -> None:
    """Add and test servers of models: Ollama, LM Studio, llama.cpp's server, vLLM, a remote machine.

    Their models are named NAME/model everywhere.
    """


@servers.command()
@click.argument("name")
@click.argument("url")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in ServerKind]),
    default="auto",
    help="Default: found out.",
)
@click.option("--token-env", default="", metavar="VAR", help="Environment variable that holds its token.")
@_JSON
@common
def add(name: str, url: str, kind: str, token_env: str, folder: Path, as_json: bool) -> None:
    """Add the server at URL under NAME. It is not contacted; `servers test NAME` does that."""
    server = Server.checked(name, url, kind, token_env)
    asyncio.run(_add(folder, server))
    click.echo(json.dumps(_fields(server)) if as_json else f"Added {server.place}.")


@servers.command("list")
@_JSON
@common
def list_servers(folder: Path, as_json: bool) -> None:
    """List the servers."""
    found = asyncio.run(_list(folder))
    if as_json:
        click.echo(json.dumps({"servers": [_fields(server) for server in found]}, ensure_ascii=False))
        return
    for server in found:
        token = f"token from {server.token_env}" if server.token_env else ""
        notes = ", ".join(note for note in (token, OUTSIDE if server.remote else "") if note)
        click.echo(f"{server.name:20} {server.url:36} {server.kind.value:8} {notes}".rstrip())


@servers.command()
@click.argument("name")
@_JSON
@common
def test(name: str, folder: Path, as_json: bool) -> None:
    """Ask the server what it is and what models it has. Exit status 1 where it does not answer."""
    state = asyncio.run(_test(folder, name))
    if as_json:
        click.echo(json.dumps(_state_fields(state), ensure_ascii=False))
    elif state.error is None:
        count = len(state.models)
        click.echo(f"{state.server.name} answers: {state.product}, {count} {'model' if count == 1 else 'models'}.")
        for model in state.models:
            click.echo(f"  {model.name}")
    if state.error is not None:
        click.echo(f"Error: {state.error}", err=True)
        sys.exit(1)


@servers.command()
@click.argument("name")
@_JSON
@common
def remove(name: str, folder: Path, as_json: bool) -> None:
    """Forget a server. What its models answered stays in the history."""
    server = asyncio.run(_remove(folder, name))
    click.echo(json.dumps({"removed": server.name}, ensure_ascii=False) if as_json else f"Removed {server.name}.")


@servers.command()
@_JSON
@common
def find(folder: Path, as_json: bool) -> None:
    """Look for servers on the well-known ports of this computer. Adds nothing."""
    found = asyncio.run(_find(folder))
    if as_json:
        click.echo(json.dumps({"servers": [_fields(server) for server in found]}, ensure_ascii=False))
        return
    for server in found:
        click.echo(f'{server.place}. To add it: codette-desktop servers add "{server.name}" {server.url}')
    if not found:
        click.echo("No server answers on the well-known ports that is not in the list already.")


async def _add(folder: Path, server: Server) -> None:
    async with opened(folder) as application:
        await application.servers.add(server)


async def _list(folder: Path) -> list[Server]:
    async with opened(folder) as application:
        return application.servers.servers()


async def _test(folder: Path, name: str) -> ServerState:
    async with opened(folder) as application:
        return await application.servers.test(application.servers.server(name))


async def _remove(folder: Path, name: str) -> Server:
    async with opened(folder) as application:
        return await application.servers.remove(name)


async def _find(folder: Path) -> list[Server]:
    async with opened(folder) as application:
        return await application.servers.find_local()


def _fields(server: Server) -> dict[str, Any]:
    return {
        "name": server.name,
        "url": server.url,
        "kind": server.kind.value,
        "token_env": server.token_env,
        "remote": server.remote,
    }


def _state_fields(state: ServerState) -> dict[str, Any]:
    return {
        **_fields(state.server),
        "ok": state.error is None,
        "product": state.product,
        "models": [model.name for model in state.models],
        "problem": str(state.error) if state.error else "",
    }
