"""Servers that misbehave, over real connections: each ends in a clear error or a whole answer, and none hangs."""

import asyncio
from contextlib import aclosing

import pytest

from codette_desktop.domain.answers import AnswerPart, FinishReason, TextChunk
from codette_desktop.domain.errors import (
    ServerFailed,
)
from codette_desktop.domain.servers import ServerKind
from codette_desktop.inference.http import provider as provider_module
from codette_desktop.inference.http.provider import ServerProvider
from codette_desktop.inference.http.timeouts import ModelTimes
from tests.integration.provider_contract import answer, ask, end_of, text_of
from tests.support.http_server import Exchange
from tests.support.odd_server import KINDS, LINES, asked, server_with, until, wire


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> ServerKind:
    return request.param


async def test_a_whole_answer_cut_anywhere_is_whole(kind: ServerKind) -> None:
    async def every_byte(exchange: Exchange) -> None:
        await exchange.begin()
        for byte in "".join(wire(kind, index) for index in range(len(LINES[kind]))).replace("two", "zwölf").encode():
            await exchange.chunk(bytes([byte]))
        await exchange.end()

    assert text_of(await asked(kind, every_byte)) == "One zwölf three"


async def test_a_duplicate_of_the_last_chunk_changes_nothing(kind: ServerKind) -> None:
    async def twice(exchange: Exchange) -> None:
        await exchange.begin()
        for index in (*range(len(LINES[kind])), len(LINES[kind]) - 1):
            await exchange.chunk(wire(kind, index))
        await exchange.end()

    parts = await asked(kind, twice)
    assert text_of(parts) == "One two three"
    assert end_of(parts).figures.completion_tokens == 3


@pytest.mark.parametrize("cut", ["line", "line, then the end", "reset", "early end"])
async def test_an_answer_that_breaks_off_is_told_and_what_came_is_kept(kind: ServerKind, cut: str) -> None:
    async def breaks(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.chunk(wire(kind, 0))
        await asyncio.sleep(0.05)
        if cut.startswith("line"):
            await exchange.chunk(wire(kind, 1)[:20])
        if cut.endswith("end"):
            await exchange.end()
        else:
            exchange.reset()

    got: list[AnswerPart] = []

    async def listen(provider: ServerProvider) -> None:
        async for part in provider.stream(ask("Odd/m")):
            got.append(part)  # noqa: PERF401 - what came before the failure must be seen

    async with server_with(kind, breaks) as (provider, _served):
        with pytest.raises(ServerFailed, match="ended in mid-answer"):
            await listen(provider)
    assert text_of(got) == "One"


@pytest.mark.parametrize(
    ("junk", "words"),
    [
        ("<html>hello</html>\n\n", "no answer: <html>hello"),
        ("data: [1, 2]\n\n", "no answer"),
        ("{]\n\n", "no answer"),
        ('{"error": "the GPU is on fire"}\n\n', "said: the GPU is on fire"),
        ("\x00\xff\n\n", "no answer"),
    ],
)
async def test_garbage_is_told(kind: ServerKind, junk: str, words: str) -> None:
    async def rubbish(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.chunk(wire(kind, 0))
        await exchange.chunk(junk.encode("latin-1"))
        await exchange.end()

    with pytest.raises(ServerFailed, match=words):
        await asked(kind, rubbish)


async def test_a_line_without_end_is_not_read_forever(kind: ServerKind) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.chunk("x" * 65536)

    with pytest.raises(ServerFailed, match="more than an answer can be"):
        await asked(kind, endless)


class Hasty(ModelTimes):
    """Half a second for everything."""

    def first_token_deadline(self, prompt_tokens: int, *, cold: bool, queued: bool) -> float:
        return 0.5

    @property
    def stall(self) -> float:
        return 0.5


@pytest.mark.parametrize("begun", [False, True])
async def test_a_server_that_falls_silent_or_drips_is_given_up(
    kind: ServerKind, begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "ModelTimes", Hasty)

    async def drips(exchange: Exchange) -> None:
        await exchange.begin()
        if begun:
            await exchange.chunk(wire(kind, 0))
        for byte in wire(kind, 1):
            await asyncio.sleep(0.1)
            await exchange.chunk(byte)

    words = "stopped in mid-answer: nothing came" if begun else "gave no first word"
    async with server_with(kind, drips) as (provider, served):
        with pytest.raises(ServerFailed, match=words):
            await asyncio.wait_for(answer(provider, ask("Odd/m")), 10)
        await until(lambda: served.left == 1)  # it was told to stop: its connection is gone


async def test_a_head_that_never_comes_is_given_up(kind: ServerKind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "ModelTimes", Hasty)

    async def silent(exchange: Exchange) -> None:
        await exchange.reader.read()

    with pytest.raises(ServerFailed, match="no first word"):
        await asked(kind, silent)


async def test_stop_strings_and_limits_hold_whatever_the_server_does(kind: ServerKind) -> None:
    async def ignores(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.chunk(wire(kind, 1))
            await asyncio.sleep(0.001)

    async with server_with(kind, ignores) as (provider, served):
        parts = await asyncio.wait_for(answer(provider, ask("Odd/m", max_tokens=4)), 10)
        assert text_of(parts) == " two" * 4
        assert end_of(parts).reason is FinishReason.LENGTH
        parts = await asyncio.wait_for(answer(provider, ask("Odd/m", stop=("o t",), max_tokens=None)), 10)
        assert text_of(parts) == " tw"
        assert end_of(parts).reason is FinishReason.STOP
        await until(lambda: served.left == 2)


async def test_closing_the_stream_closes_the_connection(kind: ServerKind) -> None:
    async def slow(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.chunk(wire(kind, 1))
            await asyncio.sleep(0.005)

    async with server_with(kind, slow) as (provider, served):
        async with aclosing(provider.stream(ask("Odd/m", max_tokens=None))) as parts:
            async for part in parts:
                if isinstance(part, TextChunk):
                    break
        await until(lambda: served.left == 1, 1.0)
