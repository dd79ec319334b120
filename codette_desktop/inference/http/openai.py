"""OpenAI's protocol, as LM Studio, llama.cpp's server, vLLM and remote services speak it.

The servers differ in what they add: llama.cpp's counts tokens (`/chat/completions/input_tokens`, or template and
tokenizer apart in older builds) and tells its timings; it and vLLM tell the context length in the list of models,
LM Studio in a list of its own. Only fields that a server is known to understand are sent to it: others refuse them.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import CodetteError, InvalidRequest, ModelNotFound, ServerError
from codette_desktop.domain.messages import Message
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.http import failures
from codette_desktop.inference.http.connection import Connection
from codette_desktop.inference.http.dialect import (
    UNKNOWN_CONTEXT_TOKENS,
    Asked,
    Delta,
    Details,
    Embedded,
    log_probabilities_of,
    roles,
)
from codette_desktop.inference.http.ollama import schema_of
from codette_desktop.inference.http.reading import (
    Object,
    events,
    field,
    items_of,
    no_answer,
    number_of,
    text_of,
    vectors_of,
)
from codette_desktop.inference.http.timeouts import COLD_LOAD_S

LLAMA_CPP, VLLM, LM_STUDIO, OTHER = "llama.cpp", "vLLM", "LM Studio", "OpenAI-compatible"
MOST_STOPS = 4  # of OpenAI's own service; the provider sees to the rest


class OpenAi:
    """Speaks with one server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._server = connection.server
        self._ids: dict[str, str] = {}
        self._listed: dict[str, ServerModel] = {}
        self._product = OTHER
        self._fingerprint = ""
        self._counting = "/chat/completions/input_tokens"

    async def models(self) -> list[ServerModel]:
        """See `Dialect.models`."""
        answer = await self._connection.ask("/v1/models")
        if not isinstance(answer.get("data"), list):
            raise no_answer(self._server.name, str(dict(answer)))
        found = items_of(answer.get("data"))
        owners = {text_of(item.get("owned_by")) for item in found}
        self._product = LLAMA_CPP if "llamacpp" in owners else VLLM if "vllm" in owners else self._product
        models = [self._model(item) for item in found if text_of(item.get("id"))]
        if self._product in (OTHER, LM_STUDIO) and models and not any(model.context_length for model in models):
            models = await self._with_lm_studio(models)
        self._listed = {model.display_name: model for model in models}
        return models

    async def details(self, model: str) -> Details:
        """See `Dialect.details`."""
        name = next((name for name, own in self._ids.items() if model in (name, own)), "")
        if name not in self._listed:
            await self.models()
            name = next((name for name, own in self._ids.items() if model in (name, own)), "")
        if name not in self._listed:
            have = ", ".join(list(self._listed)[:5])
            hint = f"It has: {have}." if have else "It lists no model at all."
            raise ModelNotFound(f"{self._server.name} has no model '{model}'.", hint)
        known = self._listed[name]
        return Details(
            known,
            known.context_length or UNKNOWN_CONTEXT_TOKENS,
            counts=self._product == LLAMA_CPP and bool(self._counting),
            memory_bytes=known.size_bytes,
            build=await self.check(),
        )

    async def count(self, model: str, messages: Sequence[Message]) -> int:
        """See `Dialect.count`."""
        if self._counting == "/tokenize":
            return await self._count_apart(messages)
        try:
            body = {"model": self._ids[model], "messages": roles(messages)}
            counted = await self._connection.ask(self._counting, body)
            return int(number_of(counted.get("input_tokens")))
        except ServerError:
            self._counting = "/tokenize"
            return await self._count_apart(messages)

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
        body: dict[str, object] = {
            "model": self._ids[details.model.display_name],
            "messages": roles(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
            "seed": seed,
        }
        if sampling.max_tokens is not None or details.counts:
            body["max_tokens"] = most_tokens
        if scored:
            body["logprobs"] = True
        if sampling.stop:
            body["stop"] = list(sampling.stop[:MOST_STOPS])
        if self._product != OTHER:
            repeat = "repetition_penalty" if self._product == VLLM else "repeat_penalty"
            # vLLM's word for "no limit" is -1.
            top_k = sampling.top_k or (-1 if self._product == VLLM else 0)
            body |= {"top_k": top_k, "min_p": sampling.min_p, repeat: sampling.repeat_penalty}
        if self._product == LLAMA_CPP:
            body |= {"repeat_last_n": sampling.penalty_window}
        body |= self._form(sampling)
        return Asked("/v1/chat/completions", body)

    async def read(self, lines: AsyncIterator[str]) -> AsyncGenerator[Delta]:
        """See `Dialect.read`. The usage comes after the reason, so this reads to the end."""
        async with aclosing(events(lines, self._server.name)) as items:
            async for item in items:
                error = failures.error_in(item)
                if error is not None:
                    raise failures.of_message(error, self._server)
                choices = items_of(item.get("choices"))
                if not choices and "choices" not in item and "usage" not in item:
                    raise no_answer(self._server.name, str(dict(item)))
                self._fingerprint = text_of(item.get("system_fingerprint")) or self._fingerprint
                choice: Object = choices[0] if choices else {}
                reason = choice.get("finish_reason")
                yield Delta(
                    text_of(field(choice, "delta", "content")),
                    _thought(choice),
                    None if not reason else FinishReason.LENGTH if reason == "length" else FinishReason.STOP,
                    int(number_of(field(item, "usage", "prompt_tokens"))),
                    int(number_of(field(item, "usage", "completion_tokens"))),
                    int(number_of(field(item, "usage", "prompt_tokens_details", "cached_tokens"))),
                    decode_ms=number_of(field(item, "timings", "predicted_ms")),
                    log_probabilities=log_probabilities_of(field(choice, "logprobs", "content")),
                )

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """See `Dialect.embed`."""
        known = (await self.details(model)).model.display_name
        body = {"model": self._ids[known], "input": list(texts), "encoding_format": "float"}
        answer = await self._connection.ask("/v1/embeddings", body, model=model, limit_s=COLD_LOAD_S)
        items = sorted(items_of(answer.get("data")), key=lambda item: number_of(item.get("index")))
        found = vectors_of([item.get("embedding") for item in items], len(texts))
        return Embedded(found, int(number_of(field(answer, "usage", "prompt_tokens"))))

    async def load(self, details: Details) -> None:
        """These servers load what they are asked for, when they are asked."""

    async def unload(self, model: str) -> None:
        """These servers cannot be told to."""

    async def check(self) -> str:
        """See `Dialect.check`."""
        if not self._listed:
            await self.models()
        if self._product == LLAMA_CPP and not self._fingerprint:
            with suppress(CodetteError):
                self._fingerprint = text_of((await self._connection.ask("/props")).get("build_info"))
        return f"{self._product} {self._fingerprint}".strip()

    def _form(self, sampling: Sampling) -> dict[str, object]:
        if sampling.grammar:
            if self._product != LLAMA_CPP:
                raise InvalidRequest(
                    f"{self._server.name} cannot follow a grammar.",
                    "Give a JSON schema instead, or choose a model on this computer.",
                )
            return {"grammar": sampling.grammar}
        if sampling.json_schema:
            named = {"name": "answer", "strict": True, "schema": schema_of(sampling.json_schema)}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        return {}

    async def _count_apart(self, messages: Sequence[Message]) -> int:
        prompt = text_of((await self._connection.ask("/apply-template", {"messages": roles(messages)})).get("prompt"))
        body = {"content": prompt, "add_special": True, "parse_special": True}
        tokens = (await self._connection.ask("/tokenize", body)).get("tokens")
        return len(tokens) if isinstance(tokens, list) else 0  # pyright: ignore[reportUnknownArgumentType]

    def _model(self, item: Object) -> ServerModel:
        own = text_of(item.get("id"))
        name = own.replace("\\", "/").rsplit("/", 1)[-1] if own.casefold().endswith(".gguf") else own
        name = own if self._ids.get(name, own) != own else name
        self._ids[name] = own
        known = ServerModel.unseen(self._server, name)
        return replace(
            known,
            quantisation=text_of(field(item, "meta", "ftype")),
            parameters=int(number_of(field(item, "meta", "n_params"))),
            size_bytes=int(number_of(field(item, "meta", "size"))),
            context_length=int(
                number_of(field(item, "meta", "n_ctx"))
                or number_of(item.get("max_model_len"))
                or number_of(field(item, "meta", "n_ctx_train"))
            ),
        )

    async def _with_lm_studio(self, models: list[ServerModel]) -> list[ServerModel]:
        """LM Studio's own list tells more; nobody else has it."""
        try:
            told = items_of((await self._connection.ask("/api/v0/models", retry=False)).get("data"))
        except CodetteError:
            return models
        by_id = {text_of(item.get("id")): item for item in told}
        if not by_id:
            return models
        self._product = LM_STUDIO
        return [_more(model, by_id.get(self._ids[model.display_name], {})) for model in models]


def _thought(choice: Object) -> str:
    """What a model thinks: llama.cpp, vLLM and LM Studio call it one thing, OpenRouter another."""
    return text_of(field(choice, "delta", "reasoning_content")) or text_of(field(choice, "delta", "reasoning"))


def _more(model: ServerModel, item: Object) -> ServerModel:
    length = number_of(item.get("loaded_context_length")) or number_of(item.get("max_context_length"))
    return replace(model, quantisation=text_of(item.get("quantization")), context_length=int(length))
