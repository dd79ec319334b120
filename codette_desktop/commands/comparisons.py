"""`comparisons`: what was asked of several models, found again, shown, deleted and written as a table."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.commands.compare_batch import check_out
from codette_desktop.commands.compared import Compared
from codette_desktop.domain.comparisons import Comparison, OpenedComparison

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def comparisons() -> None:
    """Comparisons that were kept: those of 'compare', of its batches, and of the window."""


@comparisons.command("list")
@click.option("--query", default="", help="Only those that hold all these words.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@_JSON
@common
def list_comparisons(query: str, limit: int, folder: Path, as_json: bool) -> None:
    """List them, the newest first."""
    found = asyncio.run(_list(folder, query, limit))
    if as_json:
        click.echo(json.dumps({"comparisons": [_fields(item) for item in found]}, ensure_ascii=False))
        return
    for item in found:
        when = f"{item.created_at.astimezone():%Y-%m-%d %H:%M}"
        head = f"{item.id}  {when}  {len(item.setup.members)} · {item.setup.method.value:9}"
        click.echo(f"{head}  {item.prompt[:80]}")


@comparisons.command()
@click.argument("id_", metavar="ID")
@_JSON
@common
def show(id_: str, folder: Path, as_json: bool) -> None:
    """Show one, with all its answers."""
    found = asyncio.run(_open(folder, id_))
    told = Compared.of(found)
    if as_json:
        fields = _fields(found.comparison) | {"prompt": found.question.message.content}
        click.echo(json.dumps(told.fields() | fields, ensure_ascii=False))
        return
    click.echo(f"{found.question.message.content}\n\n{told.text()}")


@comparisons.command()
@click.argument("id_", metavar="ID")
@_JSON
@common
def delete(id_: str, folder: Path, as_json: bool) -> None:
    """Delete one. It is gone for good after 30 days."""
    asyncio.run(_delete(folder, id_))
    click.echo(json.dumps({"deleted": id_}, ensure_ascii=False) if as_json else "Deleted.")


@comparisons.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--batch", default="", help="Only those of the batch with this ID, in its order.")
@click.option("--query", default="", help="Only those that hold all these words.")
@_JSON
@common
def export(file: Path, batch: str, query: str, folder: Path, as_json: bool) -> None:
    """Write them to FILE: .csv, a row a prompt (all must have the same members), or .jsonl."""
    if batch and query:
        raise click.UsageError("Give either --batch or --query.")
    check_out(file)
    rows = asyncio.run(_export(folder, file, batch, query))
    click.echo(json.dumps({"rows": rows, "out": str(file)}) if as_json else f"{rows:,} rows were written to {file}.")


async def _list(folder: Path, query: str, limit: int) -> list[Comparison]:
    async with opened(folder) as application:
        return application.comparisons.list(query, limit)


async def _open(folder: Path, comparison_id: str) -> OpenedComparison:
    async with opened(folder) as application:
        return application.comparisons.open(comparison_id)


async def _delete(folder: Path, comparison_id: str) -> None:
    async with opened(folder) as application:
        application.comparisons.open(comparison_id)  # one that is there, and no chat
        await application.comparisons.delete(comparison_id)


async def _export(folder: Path, file: Path, batch_id: str, query: str) -> int:
    async with opened(folder) as application:
        if batch_id:
            return application.batches.export(application.batches.get(batch_id).id, file)
        return application.comparisons.export(file, query)


def _fields(item: Comparison) -> dict[str, Any]:
    return {
        "id": item.id,
        "prompt": item.prompt,
        "asked_at": item.created_at.isoformat(timespec="seconds"),
        "method": item.setup.method.value,
        "asked": [member.spec for member in item.setup.members],
        "answer": item.outcome.text if item.outcome else None,
        "chosen": item.chosen,
        "batch": item.batch_id,
    }
