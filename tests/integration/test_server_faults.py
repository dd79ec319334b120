"""Servers that misbehave, over real connections: each ends in a clear error or a whole answer, and none hangs."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from codette_desktop.domain.answers import AnswerPart, FinishReason, TextChunk
from codette_desktop.domain.errors import (
    CodetteError,
    InvalidRequest,
    ModelNotFound,
    PromptTooLong,
    ServerFailed,
    ServerRefused,
    ServerUnreachable,
)
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.inference.http import provider as provider_module
from codette_desktop.inference.http.connection import Connection
from codette_desktop.inference.http.provider import ServerProvider
from codette_desktop.inference.http.retries import RetryPolicy
from codette_desktop.inference.http.timeouts import ModelTimes
from tests.integration.provider_contract import answer, ask, end_of, text_of
from tests.support.http_server import Exchange, Served, serve

Chat = Callable[[Exchange], Awaitable[None]]
KINDS = (ServerKind.OLLAMA, ServerKind.OPENAI)
LINES = {
    ServerKind.OLLAMA: [
        *({"message": {"role": "assistant", "content": word}, "done": False} for word in ("One", " two", " three")),
        {
            "message": {"content": ""},
            "done": True,
            "done_reason": "stop",
            "eval_count": 3,
            "prompt_eval_count": 9,
        },
    ],
    ServerKind.OPENAI: [
        *({"choices": [{"delta": {"content": word}, "finish_reason": None}]} for word in ("One", " two", " three")),
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
    ],
}


def wire(kind: ServerKind, index: int) -> str:
    """A line of the answer as the protocol sends it."""
    text = json.dumps(LINES[kind][index])
    return f"{text}\n" if kind is ServerKind.OLLAMA else f"data: {text}\n\n"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> ServerKind:
    return request.param


@asynccontextmanager
async def server_with(
    kind: ServerKind, chat: Chat, *, retries: int = 0, token_env: str = ""
) -> AsyncIterator[tuple[ServerProvider, Served]]:
    """A provider of a server that does everything well but chats as `chat` does."""

    async def handle(exchange: Exchange) -> None:
        match exchange.path:
            case "/api/version":
                await exchange.json({"version": "1.0"})
            case "/api/tags":
                await exchange.json({"models": [{"name": "m", "details": {"context_length": 4096}}]})
            case "/api/ps":
                await exchange.json({"models": []})
            case "/v1/models":
                await exchange.json({"data": [{"id": "m", "max_model_len": 4096, "owned_by": "vllm"}]})
            case _:
                await chat(exchange)

    async with serve(handle) as served:
        server = Server("Odd", served.url, kind, token_env)
        policy = RetryPolicy(retries=retries, base_s=0.01, patience_s=1.5)
        provider = ServerProvider(server, connection=Connection(server, retries=policy, chance=random.Random(1)))
        try:
            yield provider, served
        finally:
            await provider.aclose()


async def asked(kind: ServerKind, chat: Chat, **options: int) -> list[AnswerPart]:
    async with server_with(kind, chat, **options) as (provider, _served):
        return await asyncio.wait_for(answer(provider, ask("Odd/m")), 20)


async def whole(exchange: Exchange, kind: ServerKind) -> None:
    await exchange.begin()
    for index in range(len(LINES[kind])):
        await exchange.chunk(wire(kind, index))
    await exchange.end()


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


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_may_pass_is_tried_again(kind: ServerKind, status: int) -> None:
    calls = 0

    async def third_time(exchange: Exchange) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            await exchange.json({"error": "busy"}, status)
        else:
            await whole(exchange, kind)

    assert text_of(await asked(kind, third_time, retries=3)) == "One two three"
    assert calls == 3


async def test_a_kept_connection_that_was_closed_is_opened_anew(kind: ServerKind) -> None:
    calls = 0

    async def hangs_up(exchange: Exchange) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            exchange.reset()
        else:
            await whole(exchange, kind)

    assert text_of(await asked(kind, hangs_up, retries=3)) == "One two three"


@pytest.mark.parametrize(("status", "error"), [(500, ServerFailed), (400, InvalidRequest), (418, ServerFailed)])
async def test_what_will_not_pass_is_told_at_once(kind: ServerKind, status: int, error: type[CodetteError]) -> None:
    calls = 0

    async def fails(exchange: Exchange) -> None:
        nonlocal calls
        calls += 1
        await exchange.json({"error": {"message": "no such luck"}}, status)

    with pytest.raises(error, match="Odd said: no such luck"):
        await asked(kind, fails, retries=3)
    assert calls == 1


async def test_nothing_is_asked_again_once_the_answer_has_begun(kind: ServerKind) -> None:
    calls = 0

    async def breaks(exchange: Exchange) -> None:
        nonlocal calls
        calls += 1
        await exchange.begin()
        await exchange.chunk(wire(kind, 0))
        await asyncio.sleep(0.05)
        exchange.reset()

    with pytest.raises(ServerFailed):
        await asked(kind, breaks, retries=3)
    assert calls == 1


@pytest.mark.parametrize(("asks", "least_s"), [("1", 1.0), ("600", 0.0)])
async def test_a_wait_the_server_asks_for_is_kept_or_told(kind: ServerKind, asks: str, least_s: float) -> None:
    calls = 0

    async def busy(exchange: Exchange) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await exchange.json({"error": "slow down"}, 429, Retry_After=asks)
        else:
            await whole(exchange, kind)

    loop = asyncio.get_running_loop()
    begun = loop.time()
    if least_s:
        assert text_of(await asked(kind, busy, retries=3)) == "One two three"
        assert loop.time() - begun >= least_s
    else:
        with pytest.raises(ServerFailed) as caught:
            await asked(kind, busy, retries=3)
        assert caught.value.hint == "It asks to be left alone for 600 seconds."


async def test_a_redirect_is_not_followed_and_the_token_goes_nowhere(
    kind: ServerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_TOKEN", "secret")
    async with serve(lambda exchange: exchange.json({})) as elsewhere:

        async def redirects(exchange: Exchange) -> None:
            await exchange.json("", 307, Location=elsewhere.url)

        async with server_with(kind, redirects, token_env="ODD_TOKEN") as (provider, served):
            with pytest.raises(ServerRefused, match=f"sends on to {elsewhere.url}"):
                await answer(provider, ask("Odd/m"))
            assert {request.headers["authorization"] for request in served.requests} == {"Bearer secret"}
        assert elsewhere.connections == 0


@pytest.mark.parametrize("token_env", ["", "ODD_TOKEN"])
async def test_a_missing_and_a_wrong_token_are_told_apart(
    kind: ServerKind, token_env: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_TOKEN", "wrong")

    async def refuses(exchange: Exchange) -> None:
        await exchange.json({"error": {"message": "who are you?"}}, 401)

    async with server_with(kind, refuses, token_env=token_env) as (provider, _served):
        words = "does not accept the token" if token_env else "needs a token"
        with pytest.raises(ServerRefused, match=words) as caught:
            await answer(provider, ask("Odd/m"))
    assert "wrong" not in str(caught.value)


async def test_a_variable_that_is_not_set_is_told_before_anything_is_sent(kind: ServerKind) -> None:
    async with server_with(kind, lambda e: whole(e, kind), token_env="NOT_SET_ANYWHERE") as (provider, served):
        with pytest.raises(ServerRefused, match="NOT_SET_ANYWHERE, which should hold the token for Odd, is not set"):
            await answer(provider, ask("Odd/m"))
    assert served.requests == []


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"type": "exceed_context_size_error", "message": "long", "n_prompt_tokens": 5005, "n_ctx": 1024}},
        {"error": "the input length exceeds the context length 4096"},
        {"error": '{"error":{"type":"exceed_context_size_error","n_prompt_tokens":5005,"n_ctx":1024}}'},
        {"error": {"message": "This model's maximum context length is 4096 tokens."}},
    ],
)
async def test_a_prompt_too_long_for_the_server_is_known_as_such(kind: ServerKind, said: object) -> None:
    with pytest.raises(PromptTooLong, match=r"\d"):
        await asked(kind, lambda exchange: exchange.json(said, 400))


async def test_a_server_that_is_not_running_is_told(kind: ServerKind) -> None:
    async with serve(lambda exchange: exchange.json({})) as served:
        pass
    server = Server("Gone", served.url, kind)
    provider = ServerProvider(server, connection=Connection(server, retries=RetryPolicy(retries=1, base_s=0.01)))
    with pytest.raises(ServerUnreachable, match=r"Gone \(127.0.0.1:\d+\) is not running") as caught:
        await answer(provider, ask("Gone/m"))
    assert caught.value.hint == "Start the server, or check the address in the settings."
    await provider.aclose()


async def test_a_model_that_is_gone_is_told(kind: ServerKind) -> None:
    with pytest.raises(ModelNotFound, match="Odd has no model 'm'"):
        await asked(kind, lambda exchange: exchange.json({"error": "model 'm' not found"}, 404))


async def test_five_failures_in_a_row_rest_the_server(kind: ServerKind) -> None:
    async with server_with(kind, lambda exchange: exchange.json({"error": "broken"}, 500)) as (provider, served):
        for _ in range(20):
            with pytest.raises(CodetteError) as caught:
                await provider.connection.ask("/chat", {})
            if isinstance(caught.value, ServerUnreachable):
                break
        assert served.paths().count("/chat") == 5
        assert "failed 5 times in a row and is left alone for 60 seconds. Odd said: broken." in str(caught.value)


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


async def until(done: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.01)
