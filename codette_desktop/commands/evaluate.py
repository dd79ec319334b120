"""`evaluate`: how right models are on a suite of questions, with intervals."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.commands.proved import (
    SAMPLING,
    answer_lines,
    proof_fields,
    proof_text,
    read_methods,
    write_lines,
)
from codette_desktop.domain.ensembles import Method
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.evaluation.comparison import FEWEST, Interval
from codette_desktop.evaluation.runner import Comparison, Result, compare, run_suite
from codette_desktop.evaluation.suites import Suite, find_suite, load_suite
from codette_desktop.proof.service import MEASURED_METHODS, Measurement


@click.command()
@click.argument("suite")
@click.option("--models", "names", default="", help="Names of models, with commas between. Default: as chosen.")
@click.option(
    "--methods", default="", help=f"Measure ensembles of these members: all, or {', '.join(MEASURED_METHODS)}."
)
@click.option("--learn", is_flag=True, help="With --methods: let the weights of members rest on what was measured.")
@click.option(
    "--answers", type=click.Path(dir_okay=False, path_type=Path), help="Also write every answer there, JSONL."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def evaluate(
    suite: str, names: str, methods: str, learn: bool, folder: Path, answers: Path | None, as_json: bool
) -> None:
    """Ask models every question of SUITE and say how right they are, with 95 % intervals.

    SUITE is a file of JSON lines, or one that comes with the application: arithmetic, choice, guide.

    With --methods, members may be written as for compare (MODEL#ROLE?temperature=1&seed=7), and it is said what each
    method gains over the best of them alone, what that costs, and what to use.
    """
    found = load_suite(find_suite(suite))
    listed = [name.strip() for name in names.split(",") if name.strip()]
    if methods:
        measured = asyncio.run(_measure(folder, found, listed, read_methods(methods), learn))
        click.echo(json.dumps(proof_fields(measured), ensure_ascii=False) if as_json else proof_text(measured))
        if answers is not None:
            write_lines(answers, answer_lines(measured))
        return
    results = asyncio.run(_run(folder, found, listed))
    against = compare(results)
    click.echo(json.dumps(_fields(found, results, against), ensure_ascii=False) if as_json else _text(results, against))
    if answers is not None:
        _write(answers, found, results)


async def _run(folder: Path, suite: Suite, names: list[str]) -> list[Result]:
    async with opened(folder) as application:
        models = [application.catalogue.find_model(name) for name in names or [""]]
        if len({model.name for model in models}) < len(models):
            raise InvalidRequest("A model was given twice.", "Name each once.")
        return [
            await run_suite(
                application.provider, suite, application.catalogue.name_for(model), model.label, progress=_tell_progress
            )
            for model in models
        ]


async def _measure(folder: Path, suite: Suite, specs: list[str], methods: list[Method], learn: bool) -> Measurement:
    async with opened(folder) as application:
        members = application.members.read_all(specs or [""], sampling=SAMPLING)
        return await application.proofs.measure(suite, members, methods, progress=_tell_progress, learn=learn)


def _tell_progress(label: str, done: int, count: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{label}: {done} of {count}", nl=done == count, err=True)


def _write(path: Path, suite: Suite, results: list[Result]) -> None:
    lines = [
        {"model": result.model, "prompt": question.prompt, "reference": list(question.references),
         "answer": answer.text, "score": answer.score, "error": answer.error}
        for result in results
        for question, answer in zip(suite.questions, result.answers, strict=True)
    ]  # fmt: skip
    write_lines(path, lines)


def _fields(suite: Suite, results: list[Result], against: list[Comparison]) -> dict[str, Any]:
    return {
        "suite": suite.name,
        "questions": len(suite.questions),
        "models": [
            {
                "model": result.model,
                "label": result.label,
                "score": _interval(result.mean),
                "failed": result.failed,
                "seconds": round(result.seconds, 2),
                "completion_tokens": sum(answer.tokens for answer in result.answers),
            }
            for result in results
        ],
        "best_against": [
            {
                "model": item.model,
                "difference": _interval(item.difference),
                "excludes_zero": item.difference.excludes_zero,
                "error_avoided": round(item.error_avoided, 4),
            }
            for item in against
        ],
    }


def _interval(found: Interval) -> dict[str, float]:
    return {"value": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4)}


def _text(results: list[Result], against: list[Comparison]) -> str:
    lines = [f"{'model':32} {'score':>7}  {'95 % interval':>16} {'failed':>7} {'seconds':>8}"]
    for result in sorted(results, key=lambda item: -item.mean.value):
        mean = result.mean
        interval = f"{100 * mean.low:.1f} to {100 * mean.high:.1f}"
        lines.append(
            f"{result.label:32} {100 * mean.value:6.1f} %  {interval:>16} {result.failed:7} {result.seconds:8.1f}"
        )
    for item in against:
        found = item.difference
        verdict = "settled" if found.excludes_zero else "too close to call"
        if len(results[0].answers) < FEWEST:
            verdict = f"too few questions to tell (at least {FEWEST})"
        lines.append(
            f"The best is {100 * found.value:.1f} points ({100 * found.low:.1f} to {100 * found.high:.1f}) above "
            f"{item.model}: {verdict}."
        )
    return "\n".join(lines)
