"""`compare`: one prompt to several models, side by side, and one answer made of theirs; or a file of prompts."""

import asyncio
import json
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import click

from codette_desktop.application import Application
from codette_desktop.commands.common import common, opened
from codette_desktop.commands.compare_batch import BatchDone, Wanted, run_batch
from codette_desktop.commands.compared import Compared
from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.comparisons import ComparisonSetup
from codette_desktop.domain.ensembles import MemberAnswer, Method
from codette_desktop.domain.errors import Cancelled, CodetteError
from codette_desktop.domain.requests import Sampling
from codette_desktop.ensemble.prompts_file import Prompts

_FILE = click.Path(dir_okay=False, path_type=Path)
_EXPLAINED = "\n".join(
    f"  {method.value:10} {words}"
    for method, words in {
        Method.NONE: "side by side only",
        Method.VOTE: "the answer most of them give: numbers, choices, yes or no, JSON",
        Method.WEIGHTED: "as vote, by how often each was right and how sure it is",
        Method.CONSENSUS: "the answer most like all others; with --judge a model may write one from them",
        Method.HYBRID: "asks as few as it takes, and says why",
        Method.TOKEN: "they write one answer, piece by piece; models on this computer",
    }.items()
)


@click.command(epilog="\b\nMethods:\n" + _EXPLAINED)
@click.argument("prompt", required=False)
@click.option("--models", "names", default="", help="Members, with commas between: MODEL#ROLE?temperature=1&seed=7.")
@click.option("--method", type=click.Choice([method.value for method in Method]), default="none", show_default=True)
@click.option("--kind", type=click.Choice([kind.value for kind in AnswerKind]), help="What sort of answer it has.")
@click.option("--judge", default="", help="The model that may write one answer where the members differ.")
@click.option("--system", default="", help="System prompt for all, after that of a role.")
@click.option("--temperature", type=float, help="0 is the most probable answer every time.")
@click.option("--seed", type=int, help="The same seed gives the same answer.")
@click.option("--max-tokens", type=int, help="Longest answer, in tokens.")
@click.option(
    "--budget", type=click.FloatRange(min=0), default=120.0, show_default=True, help="Seconds that hybrid may spend."
)
@click.option("--fresh", is_flag=True, help="Ask the models themselves, even where answers are in the cache.")
@click.option("--batch", type=_FILE, help="Ask every prompt of this file: .csv, .tsv, .jsonl, or one a line.")
@click.option("--column", default="", help="The column of that file that holds the prompts.")
@click.option("--out", type=_FILE, help="Where the batch's answers are written: .csv or .jsonl.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def compare(prompt: str | None, folder: Path, as_json: bool, **options: Any) -> None:
    """Ask several models, and make one answer of theirs. PROMPT "-" is read from standard input.

    A member is MODEL#ROLE?PARAMETERS, of which all but one may be left out: guide-s, guide-s#devops,
    'guide-s?temperature=1&seed=2', '#security-architect'. Without --models it is all starter models.

    With --batch and --out, and without PROMPT, all prompts of a file are asked. Stopped in the middle, the same
    command goes on where it was. All is kept in the history: see 'codette-desktop comparisons'.
    """
    _check_usage(prompt, options)
    explicit = {key: options[key] for key in ("temperature", "seed", "max_tokens") if options[key] is not None}
    Sampling(**explicit)  # wrong ranges are told before anything is opened
    if prompt is None:
        wanted = Wanted(options["batch"], options["column"], options["out"], options["fresh"])
        prompts = wanted.read()  # and so are mistakes in the file
        try:
            done = asyncio.run(_batch(folder, wanted, prompts, explicit, options))
        except KeyboardInterrupt:
            raise Cancelled("Stopped.", "The same command goes on where it was.") from None
        click.echo(json.dumps(done.fields(), ensure_ascii=False) if as_json else done.text())
        if done.batch.failed == done.batch.prompts:
            raise CodetteError("No prompt was answered.", "The errors stand in the file that was written.")
        return
    text = sys.stdin.buffer.read().decode("utf-8", "replace") if prompt == "-" else prompt
    asked = asyncio.run(_compare(folder, text, explicit, options))
    click.echo(json.dumps(asked.fields(), ensure_ascii=False) if as_json else asked.text())
    if asked.outcome is None and not any(answer.usable for answer in asked.answers):
        raise asked.error or CodetteError("Nobody gave an answer.")


def _check_usage(prompt: str | None, options: dict[str, Any]) -> None:
    batch, out = options["batch"], options["out"]
    if (prompt is None) == (batch is None):
        raise click.UsageError("Give either PROMPT or --batch FILE.")
    if batch is None and (out is not None or options["column"]):
        raise click.UsageError("--out and --column belong to --batch.")
    if batch is not None and out is not None and Path(out).resolve() == Path(batch).resolve():
        raise click.UsageError("--out is the file of the prompts: the answers would be written over them.")
    if batch is not None and out is None:
        raise click.UsageError("Say with --out where the batch's answers are to be written.")


async def _compare(folder: Path, text: str, explicit: dict[str, Any], options: dict[str, Any]) -> Compared:
    async with opened(folder) as application:
        setup = _setup(application, explicit, options)
        run = application.comparisons.start(text, setup, fresh=options["fresh"])
        found = Compared(setup, [MemberAnswer(member, asked=False) for member in setup.members], [])
        try:
            async with aclosing(run.parts()) as parts:
                async for part in parts:
                    found.take(part)
        except CodetteError as error:
            found.error = error
            if found.id:
                found.take(application.comparisons.open(found.id))
        return found


async def _batch(
    folder: Path, wanted: Wanted, prompts: Prompts, explicit: dict[str, Any], options: dict[str, Any]
) -> BatchDone:
    async with opened(folder) as application:
        return await run_batch(application, wanted, prompts, _setup(application, explicit, options))


def _setup(application: Application, explicit: dict[str, Any], options: dict[str, Any]) -> ComparisonSetup:
    specs = options["names"].split(",") if options["names"].strip() else _starters(application)
    members = application.members.read_all(specs, options["system"], explicit)
    judge = application.catalogue.name_to_ask(options["judge"]) if options["judge"] else ""
    kind = AnswerKind(options["kind"]) if options["kind"] else None
    return ComparisonSetup(members, Method(options["method"]), kind, judge, options["budget"])


def _starters(application: Application) -> list[str]:
    return [model.name for model in application.library.list() if model.starter]
