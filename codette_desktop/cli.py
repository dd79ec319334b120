"""The command line: the same services without a window. Exit status 0 done, 1 the work failed, 2 wrong usage."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import click

from codette_desktop import __version__
from codette_desktop.commands.answer_fields import answer_fields
from codette_desktop.commands.cache import cache
from codette_desktop.commands.common import common, opened
from codette_desktop.commands.compare import compare
from codette_desktop.commands.comparisons import comparisons
from codette_desktop.commands.config import config
from codette_desktop.commands.embed import embed
from codette_desktop.commands.evaluate import evaluate
from codette_desktop.commands.experiments import experiments
from codette_desktop.commands.leaderboard import leaderboard
from codette_desktop.commands.metrics import metrics
from codette_desktop.commands.models import models
from codette_desktop.commands.report import report
from codette_desktop.commands.roles import asked_as, roles
from codette_desktop.commands.servers import servers
from codette_desktop.commands.votes import votes
from codette_desktop.doctor import as_text, diagnose
from codette_desktop.domain.answers import AnswerEnd, SwitchedModel, TextChunk
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.errors import CodetteError, InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.dispatch import Plan
from codette_desktop.paths import DATA_DIR_VARIABLE, data_dir


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="codette-desktop")
@click.option(
    "--data-dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Keep all state there (also: the variable {DATA_DIR_VARIABLE}).",
)
@click.pass_context
def main(context: click.Context, folder: Path | None) -> None:
    """Run, compare, rate, improve and watch language models on your own computer.

    Without a command the window opens.
    """
    if context.invoked_subcommand is not None:
        return
    if not _display():
        raise click.ClickException(
            "There is no display to open a window on. Try 'codette-desktop ask \"How do I compare two models?\"' "
            "or 'codette-desktop tour pictures'."
        )
    from codette_desktop.gui.app import run  # Qt is loaded only for the window

    sys.exit(run(data_dir(folder)))


def _display() -> bool:
    offscreen = os.environ.get("QT_QPA_PLATFORM", "")
    if sys.platform in ("win32", "darwin") or offscreen:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@main.command()
@click.argument("prompt")
@click.option("--model", default="", help='Name of a model, path of a .gguf file, or "auto". Default: as chosen.')
@click.option("--role", default="", help="Who the model is to be: see 'codette-desktop roles list'.")
@click.option("--system", default="", help="System prompt.")
@click.option("--temperature", type=float, help="0 is the most probable answer every time.")
@click.option("--seed", type=int, help="The same seed gives the same answer.")
@click.option("--max-tokens", type=int, help="Longest answer, in tokens.")
@click.option(
    "--json-schema", type=click.File(encoding="utf-8"), help="File with a JSON schema the answer must follow."
)
@click.option("--grammar", type=click.File(encoding="utf-8"), help="File with a GBNF grammar the answer must follow.")
@click.option("--fresh", is_flag=True, help="Ask the model itself, even where its answer is in the response cache.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the text.")
@common
def ask(prompt: str, folder: Path, as_json: bool, **options: Any) -> None:
    """Ask a model. PROMPT "-" is read from standard input. The answer is kept in the history."""
    text = sys.stdin.buffer.read().decode("utf-8", "replace") if prompt == "-" else prompt
    asyncio.run(_ask(folder, text, as_json, options))


def _sampling(options: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        key: options[key] for key in ("temperature", "seed", "max_tokens") if options[key] is not None
    }
    for key in ("json_schema", "grammar"):
        if options[key] is not None:
            chosen[key] = _read_text(options[key])
    Sampling(**chosen)  # wrong ranges are told before anything is opened
    return chosen


def _read_text(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{file.name} is not UTF-8 text.", "Save it as UTF-8.") from error


async def _ask(folder: Path, text: str, as_json: bool, options: dict[str, Any]) -> None:
    explicit = _sampling(options)
    async with opened(folder) as application:
        asked = asked_as(application, options["role"], options["model"], options["system"], explicit)
        conversation = await asyncio.wrap_future(
            application.store.conversations.create(
                model=asked.model, system_prompt=asked.system, sampling=asked.sampling
            )
        )
        pieces: list[str] = []
        live = sys.stdout.isatty() and not as_json  # a program gets the answer that counts, whole
        end: AnswerEnd | None = None
        plan: Plan | None = None
        quantisation = ""
        async for part in application.chat.send(conversation.id, text, fresh=options["fresh"]):
            if isinstance(part, Plan):
                plan = part
                if not as_json:
                    click.echo(f"Auto asks {part.model.label}: {'; '.join(part.reasons)}.", err=True)
            elif isinstance(part, SwitchedModel):
                pieces.clear()
                if live:
                    click.echo(f"\n[{part.failed} could not answer: {part.error.message}]", err=True)
            elif isinstance(part, TextChunk):
                pieces.append(part.text)
                if live:
                    click.echo(part.text, nl=False)
            elif isinstance(part, AnswerEnd):
                end = part
            elif isinstance(part, Node) and part.generation is not None:
                quantisation = part.generation.quantisation
    if end is None:
        raise CodetteError("The model gave no answer.")
    if as_json:
        click.echo(json.dumps(answer_fields("".join(pieces), end, quantisation, plan), ensure_ascii=False))
        return
    click.echo("" if live else "".join(pieces))
    if end.note:
        click.echo(end.note, err=True)
    figures = end.figures
    speed = "cached" if figures.cached else f"{figures.tokens_per_second:.0f} tok/s"
    click.echo(
        f"{end.model_label} · {figures.completion_tokens} tokens · {speed} · "
        f"first token {figures.time_to_first_token_ms:.0f} ms · seed {end.seed}",
        err=True,
    )


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def doctor(folder: Path, as_json: bool) -> None:
    """Say what was found on this computer, what is wrong, and how to mend it."""
    found = diagnose(folder)
    click.echo(json.dumps(found.to_dict(), ensure_ascii=False) if as_json else as_text(found))
    if not found.healthy:
        sys.exit(1)


@main.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def tour(directory: Path, folder: Path, as_json: bool) -> None:  # noqa: ARG001 - the tour has a data folder of its own
    """Do the main jobs for real in a hidden window, and save a picture of every tab into DIRECTORY.

    The history and the settings are left alone: the tour starts with an empty data folder and removes it.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from codette_desktop.gui.tour import run_tour  # Qt is loaded only for the window

    taken = run_tour(directory)
    if as_json:
        click.echo(json.dumps(taken.to_dict(), ensure_ascii=False))
        return
    click.echo(taken.as_text())


main.add_command(cache)
main.add_command(compare)
main.add_command(comparisons)
main.add_command(embed)
main.add_command(evaluate)
main.add_command(experiments)
main.add_command(leaderboard)
main.add_command(config)
main.add_command(metrics)
main.add_command(models)
main.add_command(report)
main.add_command(roles)
main.add_command(servers)
main.add_command(votes)
