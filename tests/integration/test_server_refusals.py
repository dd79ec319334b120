"""Servers that refuse, over real connections: what is tried again, what is told at once, and in which words."""

import asyncio

import pytest

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
from codette_desktop.inference.http.connection import Connection
from codette_desktop.inference.http.provider import ServerProvider
from codette_desktop.inference.http.retries import RetryPolicy
from tests.integration.provider_contract import answer, ask, text_of
from tests.support.http_server import Exchange, serve
from tests.support.odd_server import KINDS, asked, server_with, whole, wire


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> ServerKind:
    return request.param


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
        for _ in range(5):
            with pytest.raises(ServerFailed, match="Odd said: broken"):
                await provider.connection.ask("/chat", {})
        with pytest.raises(ServerUnreachable, match="failed 5 times in a row and is left alone for 60 seconds"):
            await provider.connection.ask("/chat", {})
        assert served.paths() == ["/chat"] * 5
