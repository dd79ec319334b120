"""What a server's failure is called, and what the person can do about it. Every text of this package's errors that
speaks of the connection or of a status stands here.
"""

import errno
import socket
import ssl
from collections.abc import Iterator
from typing import cast

import httpx

from codette_desktop.domain.errors import (
    CodetteError,
    InvalidRequest,
    ModelNotFound,
    PromptTooLong,
    ServerError,
    ServerFailed,
    ServerRefused,
    ServerUnreachable,
)
from codette_desktop.domain.servers import Server
from codette_desktop.inference.http.reading import Object, field, number_of, parse, text_of

_TOO_LONG = (
    "exceed_context_size",
    "exceeds the context length",
    "exceeds the available context",
    "context_length_exceeded",
)
_TOO_LONG_VLLM = "maximum context length"


def of_exception(error: Exception, server: Server) -> ServerError:
    """The error of a request that got no response, or lost it."""
    place = f"{server.name} ({server.host})"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return _no_connection(error, server)
    if isinstance(error, httpx.PoolTimeout):
        return ServerUnreachable(f"{place} is busy with ten requests of ours.", "Try again when one has ended.")
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return ServerUnreachable(f"{place} does not answer.", "It may be busy. Try again, or restart the server.")
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError):
        return ServerFailed(f"{place} closed the connection without answering.", "See the server's own log.")
    return ServerFailed(f"{place} sent something that is no answer: {error}", "Check the address and the kind.")


def _no_connection(error: Exception, server: Server) -> ServerUnreachable:
    place = f"{server.name} ({server.host})"
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return ServerUnreachable(
                f"No computer is known by the name in {place}.", "Check the address, and that the network is there."
            )
        if isinstance(cause, ssl.SSLError):
            return ServerUnreachable(
                f"{place} could not prove who it is: {cause.reason or cause}.", "Check the address and its certificate."
            )
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return ServerUnreachable(f"{place} is not running: nothing listens at that address.", _start_hint(server))
    if isinstance(error, httpx.ConnectTimeout):
        return ServerUnreachable(f"{place} did not answer in time.", "Check the address, and that the server runs.")
    return ServerUnreachable(f"{place} cannot be reached.", _start_hint(server))


def _start_hint(server: Server) -> str:
    if server.remote:
        return "Start the server on that computer, and check the address and its firewall."
    return "Start the server, or check the address in the settings."


def _causes(error: BaseException | None, depth: int = 0) -> Iterator[BaseException]:
    """The error and what caused it, groups unpacked."""
    if error is None or depth > 8:
        return
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in cast("tuple[BaseException, ...]", error.exceptions):  # pyright: ignore[reportUnknownMemberType]
            yield from _causes(inner, depth + 1)
    yield from _causes(error.__cause__ or error.__context__, depth + 1)


def of_status(status: int, location: str, body: str, server: Server, model: str = "") -> CodetteError:
    """The error of a response that is not a success."""
    said = message_in(body)
    if 300 <= status < 400:
        return ServerRefused(
            f"{server.name} sends on to {location or 'another address'}. That is not followed.",
            "If you trust that address, give it as the server's own.",
        )
    if status in (401, 403):
        return _refused(status, server, said)
    if status == 407:
        return ServerRefused(f"The proxy before {server.name} wants a password.", "Reach the server without the proxy.")
    return of_message(said or f"status {status}", server, model, status=status)


def _refused(status: int, server: Server, said: str) -> ServerRefused:
    words = f" It said: {said}" if said else ""
    if not server.token_env:
        hint = "Add the server again with the name of the environment variable that holds its token."
        return ServerRefused(f"{server.name} needs a token ({status}).{words}", hint)
    hint = f"Check what the variable {server.token_env} holds, and start the application again."
    return ServerRefused(f"{server.name} does not accept the token ({status}).{words}", hint)


def of_message(said: str, server: Server, model: str = "", *, status: int = 0) -> CodetteError:
    """The error of words a server sent: with a status, or in the middle of an answer (`status` 0)."""
    low = said.casefold()
    if any(words in low for words in _TOO_LONG) or (status == 400 and _TOO_LONG_VLLM in low):
        return PromptTooLong(f"The prompt is too long for {model or 'the model'}: {_inner(said)}")
    if model and (status == 404 or ("model" in low and "not found" in low)):
        return ModelNotFound(f"{server.name} has no model '{model}'.", "Choose one of the models it lists.")
    words = f"{server.name} said: {_inner(said)}"
    if status in (400, 413, 422):
        return InvalidRequest(words, "Change the chat's settings, or choose another model.")
    if status == 404:
        return ServerFailed(words, "Check the address, and the kind of server.", retryable=False)
    if status == 429:
        return ServerFailed(words, "It gets too many requests. Try again later.")
    return ServerFailed(words, "See the server's own log, try again, or choose another model.")


def message_in(body: str) -> str:
    """The words in an error's body, whichever form it has; "" where there are none worth showing."""
    text = body.strip()
    if not text.startswith("{"):
        return "" if text.startswith("<") else " ".join(text.split())[:300]
    try:
        item = parse(text, "")
        return error_in(item) or text_of(item.get("detail")) or text_of(item.get("message"))
    except ServerFailed:
        return ""


def error_in(item: Object) -> str | None:
    """The words of an object that is an error; None for one that is none."""
    error = item.get("error")
    if not error:
        return None
    if isinstance(error, str):
        return error
    words = text_of(field(item, "error", "message")) or str(error)[:300]
    kind = text_of(field(item, "error", "type"))
    tokens, most = number_of(field(item, "error", "n_prompt_tokens")), number_of(field(item, "error", "n_ctx"))
    if kind.startswith("exceed_context") and tokens and most:
        return f"exceed_context_size: {tokens:,} tokens, where the context holds {most:,}."
    return words


def _inner(said: str) -> str:
    """Ollama hands on the errors of the server inside it as JSON in a string."""
    inner = message_in(said) if said.lstrip().startswith("{") else said
    words = " ".join((inner or said).split()).removeprefix("exceed_context_size: ")[:300]
    return words if words.endswith((".", "!", "?")) else f"{words}."


def ended_early(server: Server) -> ServerFailed:
    """The connection ended before the answer did."""
    return ServerFailed(
        f"{server.name} ended in mid-answer.", "What came is kept. Ask again; see the server's own log."
    )


def too_slow(server: Server, waited_s: float, *, begun: bool) -> ServerFailed:
    """The deadline for the first token, or the one between two tokens, ran out."""
    what = "stopped in mid-answer: nothing came" if begun else "gave no first word"
    hint = "It may be overloaded, or its model too large for it. Try again: it will be given more time."
    return ServerFailed(f"{server.name} {what} for {waited_s:.0f} seconds.", hint)
