"""What comes over the wire, cut into lines and objects. Nothing a server sends is trusted to be short or JSON."""

import codecs
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, cast

from codette_desktop.domain.errors import ServerFailed, UnsupportedModel

LONGEST_LINE = 4 * 2**20
LONGEST_ANSWER = 256 * 2**20
LONGEST_BODY = 32 * 2**20

Object = Mapping[str, Any]


async def lines(chunks: AsyncIterator[bytes], server: str) -> AsyncGenerator[str]:
    """The lines of a body, without their ends. Raises ServerFailed beyond the limits.

    A last one without an end counts only if it is whole: else the connection ended in the middle of it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    waiting: list[str] = []
    length = total = 0
    async for chunk in chunks:
        total += len(chunk)
        *whole, rest = decoder.decode(chunk).split("\n")
        for line in whole:
            yield "".join((*waiting, line)).removesuffix("\r")
            waiting, length = [], 0
        waiting.append(rest)
        length += len(rest)
        if length > LONGEST_LINE or total > LONGEST_ANSWER:
            raise ServerFailed(f"{server} sent more than an answer can be.", "Ask again, or choose another model.")
    last = "".join((*waiting, decoder.decode(b"", final=True)))
    if _is_whole(last.removeprefix("data:").strip()):
        yield last


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text == "[DONE]"
    return True


async def objects(found: AsyncIterator[str], server: str) -> AsyncGenerator[Object]:
    """NDJSON: a JSON object on each line. Raises ServerFailed for anything else."""
    async for line in found:
        if line.strip():
            yield parse(line, server)


async def events(found: AsyncIterator[str], server: str) -> AsyncGenerator[Object]:
    """Server-sent events whose data are JSON objects, until "[DONE]". Comments and other fields are passed over."""
    data: list[str] = []
    async for line in found:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            text, data = "\n".join(data), []
            if text.strip() == "[DONE]":
                return
            yield parse(text, server)
        elif line.startswith("{"):  # an error some servers send in place of an event
            yield parse(line, server)
        elif line and line[0] != ":" and not line.startswith(("event:", "id:", "retry:", "error:")):
            raise no_answer(server, line)
        elif line.startswith("error:"):  # llama.cpp's server, before its form of 2025
            yield {"error": parse(line[6:], server)}
    if data and "".join(data).strip() != "[DONE]":
        yield parse("\n".join(data), server)


def parse(text: str, server: str) -> Object:
    """A JSON object. Raises ServerFailed."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise no_answer(server, text)
    return cast("Object", value)


def no_answer(server: str, text: str) -> ServerFailed:
    """What came is nothing a server of models sends."""
    shown = "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in " ".join(text.split())[:80])
    return ServerFailed(
        f"{server} sent something that is no answer: {shown}" if shown else f"{server} sent an empty answer.",
        "Check that the address is that of a server of models, and its kind.",
    )


def field(item: Object, *path: str) -> Any:
    """A value somewhere inside; None where any step of the path is missing."""
    value: Any = item
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = cast("Object", value).get(name)
    return value


def text_of(value: object) -> str:
    """`value` where it is text, else ""."""
    return value if isinstance(value, str) else ""


def number_of(value: object) -> float:
    """`value` where it is a number that counts something, else 0."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e18 else 0


def items_of(value: object) -> list[Object]:
    """The objects of a list; [] for anything else."""
    if not isinstance(value, list):
        return []
    return [cast("Object", item) for item in cast("list[object]", value) if isinstance(item, dict)]


def vectors_of(value: object, count: int) -> list[list[float]]:
    """`count` lists of numbers, all of one length and none of zeros, at unit length; raises UnsupportedModel."""
    rows = cast("list[object]", value) if isinstance(value, list) else []
    found = [[_signed(each) for each in cast("list[object]", row)] for row in rows if isinstance(row, list)]
    lengths = [math.sqrt(math.fsum(each * each for each in row)) for row in found]
    sound = all(lengths) and all(map(math.isfinite, lengths)) and len({len(row) for row in found}) == 1
    if len(found) != count or not sound:
        raise UnsupportedModel(f"The server gave no embeddings for the {count:,} texts.", "Choose an embedding model.")
    return [[each / length for each in row] for row, length in zip(found, lengths, strict=True)]


def _signed(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
