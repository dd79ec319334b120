"""`codette-desktop embed`: texts as vectors, and how alike they are."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.inference.provider import Embeddings, embedder_of

_SHOWN_CHARACTERS = 60


@click.command()
@click.argument("texts", nargs=-1, metavar="TEXT...")
@click.option("--model", default="", help="Name of a model, or the path of a .gguf file. Default: the one last chosen.")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with more texts, one a line.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with the vectors.")
@common
def embed(texts: tuple[str, ...], model: str, path: Path | None, folder: Path, as_json: bool) -> None:
    """Turn texts into vectors, and say how alike they are: 1 is the same meaning, 0 nothing in common."""
    asyncio.run(_embed(folder, [*texts, *_lines(path)], model, as_json))


async def _embed(folder: Path, texts: Sequence[str], model: str, as_json: bool) -> None:
    if not texts:
        raise click.UsageError("Give a TEXT, or a file with --file.")
    async with opened(folder) as application:
        chosen = application.catalogue.name_for(application.catalogue.find_model(model))
        found = await embedder_of(application.provider, chosen).embed(chosen, texts)
    if as_json:
        fields = {"model": chosen, "dimensions": len(found.vectors[0]), "pooling": found.pooling}
        fields |= {"tokens": found.tokens, "model_hash": found.model_hash, "vectors": found.vectors}
        click.echo(json.dumps(fields))
        return
    pooling = f", {found.pooling} pooling" if found.pooling else ""
    click.echo(f"{chosen}: {len(texts)} texts, {len(found.vectors[0])} dimensions{pooling}", err=True)
    for line in _similarities(texts, found):
        click.echo(line)


def _similarities(texts: Sequence[str], found: Embeddings) -> list[str]:
    """A line for each pair, the most alike first. Cosines, since the vectors have unit length."""
    vectors = found.vectors
    pairs = [
        (sum(a * b for a, b in zip(vectors[left], vectors[right], strict=True)), left, right)
        for left in range(len(texts))
        for right in range(left + 1, len(texts))
    ]
    return [f"{cosine:6.3f}  {_short(texts[left])} · {_short(texts[right])}" for cosine, left, right in _sorted(pairs)]


def _sorted(pairs: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path.name} is not UTF-8 text.", "Save it as UTF-8.") from error
