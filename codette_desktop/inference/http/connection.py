"""The connection to one server: its pool, token, retries, circuit breaker and time limits, and errors in words.

httpx directly, not the `ollama` package: that follows redirects with the token in its headers, has no time limits
unless told, takes OLLAMA_HOST and OLLAMA_API_KEY from the environment unasked, hands a cut-off answer on as a whole
one, and reads lines of any length; and it would serve one of two protocols only.
"""

import asyncio
import os
import random
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import httpx

from codette_desktop import __version__
from codette_desktop.domain.errors import CodetteError, ServerFailed, ServerRefused, ServerUnreachable
from codette_desktop.domain.servers import Server
from codette_desktop.inference.http import failures
from codette_desktop.inference.http.breaker import Breaker
from codette_desktop.inference.http.reading import LONGEST_BODY, Object, parse
from codette_desktop.inference.http.retries import RETRIED_STATUS, RetryPolicy, retry_after
from codette_desktop.inference.http.timeouts import CONNECT_S, LEAST_S, MOST_S, Estimator

CONNECTIONS = 10
KEPT_S = 60.0
CONTROL_S = 10.0
ERROR_BODY_BYTES = 64 * 1024
T = TypeVar("T")


class Connection:
    """Made where nothing is awaited, and silent until it is used. One event loop; ended by `aclose`."""

    def __init__(
        self,
        server: Server,
        *,
        retries: RetryPolicy | None = None,
        breaker: Breaker | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self.server = server
        self.breaker = breaker or Breaker(server.name)
        self.connecting = Estimator()
        self._retries = retries or RetryPolicy()
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._client: httpx.AsyncClient | None = None

    async def ask(
        self, path: str, body: Object | None = None, *, model: str = "", limit_s: float = CONTROL_S, retry: bool = True
    ) -> Object:
        """The JSON object at `path`: GET, or POST where there is a `body`. Raises CodetteErrors."""
        async with self.open(path, body, model=model, limit_s=limit_s, retry=retry) as response:
            try:
                async with asyncio.timeout(limit_s):
                    return parse(await _read(response, LONGEST_BODY, self.server), self.server.name)
            except TimeoutError:
                raise failures.too_slow(self.server, limit_s, begun=True) from None
            except httpx.HTTPError as error:
                raise failures.ended_early(self.server) from error

    @asynccontextmanager
    async def open(
        self, path: str, body: Object | None = None, *, model: str = "", limit_s: float, retry: bool = True
    ) -> AsyncGenerator[httpx.Response]:
        """A response whose status is a success, its body unread; what fails inside the block counts for the breaker.

        `limit_s` is the most seconds until the headers are there. Leaving the block before the body has been read
        closes the connection, by which the server knows that it may stop.
        """
        self.breaker.enter()
        try:
            response = await self._respond(path, body, model, limit_s, retry=retry)
            try:
                yield response
            finally:
                with suppress(httpx.HTTPError):
                    await response.aclose()
        except CodetteError as error:
            if isinstance(error, ServerFailed | ServerUnreachable) and error.retryable:
                self.breaker.failed(error.message)
            else:
                self.breaker.succeeded()  # it works; it only does not do this
            raise
        except BaseException:
            self.breaker.abandoned()
            raise
        else:
            self.breaker.succeeded()

    async def aclose(self) -> None:
        """Close every connection of the pool."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _respond(
        self, path: str, body: Object | None, model: str, limit_s: float, *, retry: bool
    ) -> httpx.Response:
        attempt = 0
        while True:
            asked_s: float | None = None
            try:
                response = await self._send(path, body, limit_s, first=attempt == 0)
                if response.is_success:
                    return response
                error = await self._failure(response, model)
                if response.status_code not in RETRIED_STATUS:
                    raise error
                asked_s = retry_after(response.headers.get("retry-after"))
            except (ServerUnreachable, _Lost) as lost:
                error = lost.error if isinstance(lost, _Lost) else lost
            wait = self._retries.delay(attempt, asked_s, self._chance) if retry else None
            if wait is None:
                raise _with_wait(error, asked_s)
            await self._sleep(wait)
            attempt += 1

    async def _send(self, path: str, body: Object | None, limit_s: float, *, first: bool) -> httpx.Response:
        client = self._client or self._make_client()
        connect_s = self.connecting.limit
        limits = httpx.Timeout(
            None, connect=CONNECT_S if connect_s is None else min(max(connect_s, LEAST_S), CONNECT_S), write=MOST_S
        )
        request = client.build_request(
            "GET" if body is None else "POST",
            self.server.url + path,
            json=body,
            headers=self._headers(),
            timeout=limits,
            extensions={"trace": self._timed_connect()} if first else None,
        )
        try:
            async with asyncio.timeout(limit_s):
                return await client.send(request, stream=True)
        except TimeoutError:
            raise failures.too_slow(self.server, limit_s, begun=False) from None
        except httpx.ConnectTimeout as error:
            self.connecting.timed_out()
            raise failures.of_exception(error, self.server) from error
        except (httpx.ReadError, httpx.RemoteProtocolError) as error:
            # Most often a kept connection the server had closed meanwhile. No answer has begun: it may be asked anew.
            raise _Lost(failures.of_exception(error, self.server)) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise failures.of_exception(error, self.server) from error

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": f"codette-desktop/{__version__}"}
        variable = self.server.token_env
        if not variable:
            return headers
        token = os.environ.get(variable, "").strip()
        if not token:
            raise ServerRefused(
                f"The variable {variable}, which should hold the token for {self.server.name}, is not set.",
                "Set it before the application starts.",
            )
        if not token.isascii() or not token.isprintable():
            raise ServerRefused(
                f"The variable {variable} holds no token: there are characters in it that no token has.",
                "Set it before the application starts.",
            )
        return {**headers, "Authorization": f"Bearer {token}"}

    def _make_client(self) -> httpx.AsyncClient:
        # Making the context that checks certificates takes long, and http needs none.
        secure = self.server.url.startswith("https:")
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            limits=httpx.Limits(
                max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=KEPT_S
            ),
            follow_redirects=False,  # the token would go along
            trust_env=self.server.remote,  # a proxy has no business between two processes of one computer
        )
        return self._client

    async def _failure(self, response: httpx.Response, model: str) -> CodetteError:
        body = ""
        with suppress(httpx.HTTPError, TimeoutError, ServerFailed):
            async with asyncio.timeout(LEAST_S):
                body = await _read(response, ERROR_BODY_BYTES, self.server)
        with suppress(httpx.HTTPError):
            await response.aclose()
        location = response.headers.get("location", "")
        return failures.of_status(response.status_code, location, body, self.server, model)

    def _timed_connect(self) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
        begun = 0.0

        async def trace(event: str, _details: Mapping[str, Any]) -> None:
            nonlocal begun
            if event == "connection.connect_tcp.started":
                begun = time.perf_counter()
            elif event == "connection.connect_tcp.complete":
                self.connecting.sample(time.perf_counter() - begun)

        return trace


class _Lost(Exception):
    """The connection broke before the headers came."""

    def __init__(self, error: CodetteError) -> None:
        super().__init__(error.message)
        self.error = error


async def _read(response: httpx.Response, most: int, server: Server) -> str:
    found = bytearray()
    async for chunk in response.aiter_bytes():
        found += chunk
        if len(found) > most:
            await response.aclose()
            raise ServerFailed(f"{server.name} sent more than was asked for.", "Check that it is a server of models.")
    return found.decode("utf-8", "replace")


def _with_wait(error: CodetteError, asked_s: float | None) -> CodetteError:
    if asked_s:
        error.hint = f"It asks to be left alone for {asked_s:.0f} seconds."
    return error
