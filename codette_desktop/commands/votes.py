"""`votes`: what was voted, listed, taken back, written to files and read from them; and whether it is untouched."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.votes import Vote, VoteFilter
from codette_desktop.rating.exporting import Exported, Format, Usable
from codette_desktop.rating.votes import Imported
from codette_desktop.rating.words import votes_words
from codette_desktop.store.audit_check import AuditReport

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_EXPERIMENT = click.option("--experiment", default="", help="Only those of the experiment with this ID.")
_FILE = click.Path(path_type=Path)


@click.group()
def votes() -> None:
    """Votes on duels, comparisons and answers of chats, and those read from files."""


@votes.command("list")
@_EXPERIMENT
@click.option("--task", default="", help="Only those on prompts of this kind.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@_JSON
@common
def list_votes(experiment: str, task: str, limit: int, folder: Path, as_json: bool) -> None:
    """List them, the newest first."""
    found = asyncio.run(_list(folder, VoteFilter(experiment_id=experiment, task=task), limit))
    if as_json:
        click.echo(json.dumps({"votes": [vote_fields(item) for item in found]}, ensure_ascii=False))
        return
    for item in found:
        click.echo(_line(item))
    if not found:
        click.echo("No vote fits." if experiment or task else "There are no votes yet.")


@votes.command("import")
@click.argument("file", type=_FILE)
@_JSON
@common
def import_votes(file: Path, folder: Path, as_json: bool) -> None:
    """Read the votes of FILE, a table with the columns model_a, model_b and winner.

    winner is model_a, model_b, tie or both_bad. Other columns of 'votes export' are read where they are there.
    """
    done = asyncio.run(_import(folder, file))
    if as_json:
        click.echo(json.dumps({"votes": done.votes, "known": done.known, "file_hash": done.file_hash}))
        return
    click.echo(f"{votes_words(done.votes)} {'was' if done.votes == 1 else 'were'} imported from {file}.")
    if done.known:
        click.echo(f"  {votes_words(done.known)} of it had been kept already and still count once.", err=True)


@votes.command()
@click.argument("file", type=_FILE)
@click.option(
    "--format",
    "kind",
    type=click.Choice([item.value for item in Format]),
    default=Format.CSV.value,
    show_default=True,
    help="csv: a table for statistics; dpo, kto, sft: lines of JSON for tuning.",
)
@click.option("--all", "everything", is_flag=True, help="In a table, also votes that do not count, with the reason.")
@_EXPERIMENT
@_JSON
@common
def export(file: Path, kind: str, everything: bool, experiment: str, folder: Path, as_json: bool) -> None:
    """Write votes to FILE. A table has names, hashes and figures; what is for tuning has the texts too."""
    if everything and kind != Format.CSV.value:
        raise click.UsageError("--all belongs to --format csv.")
    if not file.resolve().parent.is_dir():
        raise InvalidRequest(f"The folder of {file} does not exist.", "Make it first, or choose another.")
    wanted = VoteFilter(experiment_id=experiment)
    done, found = asyncio.run(_export(folder, file, Format(kind), wanted, everything))
    if as_json:
        why = {reason.value: count for reason, count in found.unusable} if found else {}
        click.echo(json.dumps({"rows": done.rows, "left_out": done.left_out, "why": why, "out": str(file)}))
        return
    click.echo(f"{done.rows:,} {'row was' if done.rows == 1 else 'rows were'} written to {file}.")
    if found is not None and kind == Format.DPO.value:
        for reason, count in found.unusable:
            click.echo(f"  {votes_words(count)} left out: {reason.value}", err=True)
    elif done.left_out:
        click.echo(f"  {votes_words(done.left_out)} gave no row.", err=True)


@votes.command("take-back")
@click.argument("id_", metavar="ID")
@_JSON
@common
def take_back(id_: str, folder: Path, as_json: bool) -> None:
    """Have a vote count for nothing. It stays in the list, marked."""
    done = asyncio.run(_take_back(folder, id_))
    click.echo(json.dumps(vote_fields(done), ensure_ascii=False) if as_json else "Taken back.")


@votes.command()
@click.option("--accept", is_flag=True, help="Say that the trail ends where it ends, after a copy was put back.")
@_JSON
@common
def verify(accept: bool, folder: Path, as_json: bool) -> None:
    """Check that no vote and no experiment was changed behind the application's back."""
    found = asyncio.run(_verify(folder, accept))
    if as_json:
        click.echo(json.dumps(audit_fields(found), ensure_ascii=False))
    else:
        for problem in found.problems:
            click.echo(problem.what, err=True)
        click.echo(
            f"{found.entries:,} entries: {'nothing was changed' if found.whole else 'not as they were written'}."
        )
    if not found.whole:
        sys.exit(1)


def audit_fields(found: AuditReport) -> dict[str, Any]:
    """What was found in the audit trail, for JSON."""
    problems = [{"fault": item.fault.value, "what": item.what, "entry": item.seq} for item in found.problems]
    return {
        "whole": found.whole,
        "entries": found.entries,
        "head": found.head,
        "first_broken": found.first_broken,
        "problems": problems,
    }


def vote_fields(item: Vote) -> dict[str, Any]:
    """A vote for JSON."""
    right = item.right
    return {
        "id": item.id,
        "cast_at": item.cast_at.isoformat(timespec="microseconds"),
        "source": item.source.value,
        "preference": item.preference.value,
        "left": item.left.contestant.label,
        "left_key": item.left.contestant.key,
        "right": right.contestant.label if right else None,
        "right_key": right.contestant.key if right else None,
        "counts": item.counts,
        "exclusion": item.exclusion.value,
        "taken_back_at": item.taken_back_at.isoformat(timespec="microseconds") if item.taken_back_at else None,
        "experiment": item.experiment_id,
        "duel": item.duel_id,
        "prompt_hash": item.prompt_hash,
        "task": item.task,
        "tags": list(item.tags),
        "correction": item.correction,
        "leaks": list(item.leaks),
        "seconds": item.seconds,
        "seed": item.seed,
        "swapped": item.swapped,
    }


def _line(item: Vote) -> str:
    when = f"{item.cast_at.astimezone():%Y-%m-%d %H:%M}"
    sides = (
        f"{item.left.contestant.label}  |  {item.right.contestant.label}" if item.right else item.left.contestant.label
    )
    note = "taken back" if item.taken_back_at else item.exclusion.value
    head = f"{item.id}  {when}  {item.source.value:9} {item.preference.value.replace('_', ' '):9}"
    return f"{head} {sides}{f'  ({note})' if note else ''}"


async def _list(folder: Path, wanted: VoteFilter, limit: int) -> list[Vote]:
    async with opened(folder) as application:
        return application.votes.list(wanted, limit)


async def _import(folder: Path, file: Path) -> Imported:
    async with opened(folder) as application:
        return await application.votes.import_file(file)


async def _export(
    folder: Path, file: Path, kind: Format, wanted: VoteFilter, everything: bool
) -> tuple[Exported, Usable | None]:
    async with opened(folder) as application:
        done = application.votes.export(file, kind, wanted, everything=everything)
        return done, None if kind is Format.CSV else application.votes.usable(wanted)


async def _take_back(folder: Path, vote_id: str) -> Vote:
    async with opened(folder) as application:
        return await application.votes.take_back(vote_id)


async def _verify(folder: Path, accept: bool) -> AuditReport:
    async with opened(folder) as application:
        if accept:
            await asyncio.wrap_future(application.store.audit.accept())
        return application.store.audit.verify()
