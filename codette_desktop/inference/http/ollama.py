"""Ollama's own protocol. Recorded on 0.33: NDJSON, durations in nanoseconds, errors as {"error": "..."} even after 200.

Ollama cuts a prompt that is too long without a word, and its default context is far below the model's. So `num_ctx` is
always set, `truncate` and `shift` are switched off where it knows them (since 0.12), and what it says it has read is
compared with what it was sent (see `provider`).
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import InvalidRequest, ServerError
from codette_desktop.domain.messages import Message
from codette_desktop.domain.models import ServerModel, is_cloud
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.http import failures
from codette_desktop.inference.http.connection import Connection
from codette_desktop.inference.http.dialect import Asked, Delta, Details, Embedded, log_probabilities_of, roles
from codette_desktop.inference.http.reading import (
    Object,
    field,
    items_of,
    no_answer,
    number_of,
    objects,
    text_of,
    vectors_of,
)
from codette_desktop.inference.http.timeouts import COLD_LOAD_S

MOST_DEFAULT_CONTEXT = 8192
SMALL_CONTEXT = 4096  # Ollama's own, where a model does not say
_NS_PER_MS = 1e6
_LOAD_NOISE_MS = 50.0  # "load_duration" is never 0, also where nothing was loaded
_UNITS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


class Ollama:
    """Speaks with one Ollama server. `context_length` is what the person chose for models (0: as long as is usual)."""

    def __init__(self, connection: Connection, context_length: Callable[[], int] = lambda: 0) -> None:
        self._connection = connection
        self._server = connection.server
        self._chosen = context_length
        self._shown: dict[str, Object] = {}
        self._listed: dict[str, ServerModel] = {}
        self._build = ""

    async def models(self) -> list[ServerModel]:
        """See `Dialect.models`."""
        answer = await self._connection.ask("/api/tags")
        if not isinstance(answer.get("models"), list):
            raise no_answer(self._server.name, str(dict(answer)))
        found = [self._model(item) for item in items_of(answer.get("models"))]
        self._listed = {model.display_name: model for model in found if model.display_name}
        self._shown.clear()  # a model of the same name may be another one by now
        return list(self._listed.values())

    async def details(self, model: str) -> Details:
        """See `Dialect.details`."""
        known = await self._known(model)
        own = known.context_length if known else 0
        if not own:
            if model not in self._shown:
                self._shown[model] = await self._connection.ask("/api/show", {"model": model}, model=model)
            own = _context_of(self._shown[model])
        await self.check()
        running = await self._running(model)
        loaded_with = int(number_of(running.get("context_length"))) if running else 0
        return Details(
            known or ServerModel.unseen(self._server, model),
            # A model that is loaded with another length would be loaded anew.
            loaded_with or min(self._chosen() or MOST_DEFAULT_CONTEXT, own or SMALL_CONTEXT),
            cold=running is None,
            memory_bytes=int(number_of(running.get("size"))) if running else 0,
            build=self._build,
        )

    async def count(self, model: str, messages: Sequence[Message]) -> int:
        """Ollama counts only by answering."""
        raise NotImplementedError

    def ask(
        self,
        details: Details,
        messages: Sequence[Message],
        sampling: Sampling,
        seed: int,
        most_tokens: int,
        *,
        scored: bool = False,
    ) -> Asked:
        """See `Dialect.ask`."""
        if sampling.grammar:
            raise InvalidRequest(
                "Ollama cannot follow a grammar.", "Give a JSON schema instead, or choose a model on this computer."
            )
        body: dict[str, object] = {
            "model": details.model.display_name,
            "messages": roles(messages),
            "stream": True,
            "truncate": False,
            "shift": False,
            "options": {
                "num_ctx": details.context_length,
                "num_predict": most_tokens,
                "seed": seed,
                "temperature": sampling.temperature,
                "top_k": sampling.top_k,
                "top_p": sampling.top_p,
                "min_p": sampling.min_p,
                "repeat_penalty": sampling.repeat_penalty,
                "repeat_last_n": sampling.penalty_window,
                "frequency_penalty": sampling.frequency_penalty,
                "presence_penalty": sampling.presence_penalty,
                "stop": list(sampling.stop),
            },
        }
        if scored:  # from Ollama 0.12.11 on; earlier ones do not know the word and leave it out
            body["logprobs"] = True
        if sampling.json_schema:
            body["format"] = schema_of(sampling.json_schema)
        return Asked("/api/chat", body)

    async def read(self, lines: AsyncIterator[str]) -> AsyncGenerator[Delta]:
        """See `Dialect.read`. Ends at the first object that says it is the last."""
        async with aclosing(objects(lines, self._server.name)) as items:
            async for item in items:
                error = failures.error_in(item)
                if error is not None:
                    raise failures.of_message(error, self._server)
                message = item.get("message")
                done = item.get("done") is True
                if not done and not isinstance(message, dict):
                    raise no_answer(self._server.name, str(dict(item)))
                text = text_of(field(item, "message", "content"))
                thought = text_of(field(item, "message", "thinking"))
                probabilities = log_probabilities_of(item.get("logprobs"))
                if not done:
                    yield Delta(text, thought, log_probabilities=probabilities)
                    continue
                load_ms = number_of(item.get("load_duration")) / _NS_PER_MS
                yield Delta(
                    text,
                    thought,
                    FinishReason.LENGTH if item.get("done_reason") == "length" else FinishReason.STOP,
                    int(number_of(item.get("prompt_eval_count"))),
                    int(number_of(item.get("eval_count"))),
                    load_ms=load_ms if load_ms > _LOAD_NOISE_MS else 0.0,
                    decode_ms=number_of(item.get("eval_duration")) / _NS_PER_MS,
                    log_probabilities=probabilities,
                )
                return

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """See `Dialect.embed`. A text that is too long is refused, not cut."""
        body = {"model": model, "input": list(texts), "truncate": False}
        answer = await self._connection.ask("/api/embed", body, model=model, limit_s=COLD_LOAD_S)
        return Embedded(
            vectors_of(answer.get("embeddings"), len(texts)), int(number_of(answer.get("prompt_eval_count")))
        )

    async def load(self, details: Details) -> None:
        """A request without a prompt loads."""
        body = {
            "model": details.model.display_name,
            "stream": False,
            "options": {"num_ctx": details.context_length},
        }
        await self._connection.ask("/api/generate", body, model=details.model.display_name, limit_s=COLD_LOAD_S)

    async def unload(self, model: str) -> None:
        """A request that keeps the model for no time unloads."""
        await self._connection.ask("/api/generate", {"model": model, "keep_alive": 0, "stream": False}, model=model)

    async def check(self) -> str:
        """See `Dialect.check`."""
        if not self._build:
            version = text_of((await self._connection.ask("/api/version")).get("version"))
            self._build = f"Ollama {version}"
        return self._build

    async def _known(self, model: str) -> ServerModel | None:
        """As listed; a model that is not listed may have come since."""
        for fresh in (False, True):
            if fresh or not self._listed:
                await self.models()
            if found := self._listed.get(model) or self._listed.get(f"{model}:latest"):
                return found
        return None

    async def _running(self, model: str) -> Object | None:
        try:
            found = items_of((await self._connection.ask("/api/ps")).get("models"))
        except ServerError:
            return None  # older than 0.1.33, or somebody who only resembles Ollama
        return next((item for item in found if item.get("name") in (model, f"{model}:latest")), None)

    def _model(self, item: Object) -> ServerModel:
        name = text_of(item.get("name")) or text_of(item.get("model"))
        quantisation = text_of(field(item, "details", "quantization_level"))
        return ServerModel(
            name=f"{self._server.name}/{name}",
            display_name=name,
            server=self._server.name,
            # A server on this computer may pass a model's questions on to another: then they leave it all the same.
            remote=self._server.remote or is_cloud(name) or bool(item.get("remote_host") or item.get("remote_model")),
            quantisation="" if quantisation == "unknown" else quantisation,
            parameters=_parameters(text_of(field(item, "details", "parameter_size"))),
            size_bytes=int(number_of(item.get("size"))),
            context_length=int(number_of(field(item, "details", "context_length"))),
        )


def schema_of(text: str) -> Object:
    """A JSON schema as an object. Raises InvalidRequest."""
    try:
        value: object = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"The JSON schema is not JSON: {error}.", "Correct it, or remove it.") from None
    if not isinstance(value, dict):
        raise InvalidRequest("The JSON schema is no JSON object.", "It should begin with {.")
    return cast("Object", value)


def _context_of(shown: Object) -> int:
    """ "qwen3.context_length" of /api/show, whatever the architecture is called."""
    info = shown.get("model_info")
    if isinstance(info, dict):
        for key, value in cast("Object", info).items():
            if key.endswith(".context_length"):
                return int(number_of(value))
    return int(number_of(field(shown, "details", "context_length")))


def _parameters(text: str) -> int:
    """ "7.6B" as a number; 0 where it is none."""
    number, unit = text[:-1], text[-1:].upper()
    try:
        return round(float(number) * _UNITS[unit]) if unit in _UNITS else round(float(text))
    except (ValueError, OverflowError):
        return 0
