"""What the two protocols have in common, seen from the provider: a dialect says it in its server's words."""

import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.messages import Message
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.http.reading import Object, items_of

UNKNOWN_CONTEXT_TOKENS = 32_768  # where a server does not say; it refuses what is too long


@dataclass(frozen=True, slots=True)
class Details:
    """One model as its server runs it now. `cold`: it must be loaded first. `counts`: the server counts tokens."""

    model: ServerModel
    context_length: int
    cold: bool = False
    counts: bool = False
    memory_bytes: int = 0
    build: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A chat request in the server's words."""

    path: str
    body: Object


@dataclass(frozen=True, slots=True)
class Delta:
    """What one line of an answer adds. Counts are 0 where they were not told; `reason` comes once."""

    text: str = ""
    thought: str = ""
    reason: FinishReason | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reused_tokens: int = 0
    load_ms: float = 0.0
    decode_ms: float = 0.0
    log_probabilities: tuple[float, ...] = ()  # of the tokens of this line, natural logs


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors in the order of their texts, and the tokens of all, 0 where they were not told."""

    vectors: list[list[float]]
    tokens: int = 0


class Dialect(Protocol):
    """Speaks with one server. All methods raise CodetteErrors; names of models are the server's own."""

    async def models(self) -> list[ServerModel]:
        """What the server can answer with."""
        ...

    async def details(self, model: str) -> Details:
        """One of them. Raises ModelNotFound."""
        ...

    async def count(self, model: str, messages: Sequence[Message]) -> int:
        """The tokens of a prompt, counted by the server; only where `Details.counts`."""
        ...

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
        """The request; `scored` asks for the tokens' probabilities. Raises InvalidRequest for what cannot be done."""
        ...

    def read(self, lines: AsyncIterator[str]) -> AsyncGenerator[Delta]:
        """The answer. Raises the error a server puts in the middle of it."""
        ...

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """The vectors of texts, as the server gives them."""
        ...

    async def load(self, details: Details) -> None:
        """Have the model in memory where the server can be told to."""
        ...

    async def unload(self, model: str) -> None:
        """Free its memory where the server can be told to."""
        ...

    async def check(self) -> str:
        """The server's name and version, by its cheapest request."""
        ...


def log_probabilities_of(items: object) -> tuple[float, ...]:
    """Those of [{"token": ..., "logprob": ...}, ...], as both protocols write them; () for anything else."""
    told = [item.get("logprob") for item in items_of(items)]
    return tuple(float(value) for value in told if isinstance(value, int | float) and math.isfinite(value))


def roles(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages as both protocols write them."""
    return [{"role": message.role.value, "content": message.content} for message in messages]
