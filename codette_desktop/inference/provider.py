"""What every provider of answers offers, wherever its models run."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from codette_desktop.domain.answers import AnswerPart, ContextUse
from codette_desktop.domain.errors import UnsupportedModel
from codette_desktop.domain.joint import JointPart, JointRequest
from codette_desktop.domain.requests import ChatRequest


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that answers without being loaded first, as the status line shows it.

    `context_used` and `context_length` in tokens; `resident_bytes` is weights and KV cache together, computed from the
    model's shape, not measured. `device` is "CPU" or the name of the GPU.
    """

    name: str
    label: str
    device: str
    threads: int
    context_used: int
    context_length: int
    resident_bytes: int
    busy: bool = False


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """A model as its provider would run it now.

    `traits`, which JSON can say, are all that can change an answer besides the request: the provider, the weights, the
    engine and its settings; never a name alone.
    """

    name: str
    label: str
    traits: Mapping[str, Any]


@runtime_checkable
class Provider(Protocol):
    """Something that answers requests.

    Every method raises `CodetteError`s alone. One object may be used from one event loop, by many tasks at once.
    """

    def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerPart, None]:
        """Answer: first `PromptRead`, then `TextChunk`s, last `AnswerEnd`.

        Closing the generator, or cancelling the task that reads it, stops the engine within 50 ms and returns when it
        has stopped.
        """
        ...

    async def count(self, request: ChatRequest) -> ContextUse:
        """How the request would fill the context: exactly what `stream` would report, without answering."""
        ...

    async def load(self, model: str) -> LoadedModel:
        """Have `model` ready. Cancelling the task stops the load."""
        ...

    async def unload(self, model: str) -> bool:
        """Free `model`'s memory once it has finished what it is doing; False where it was not loaded."""
        ...

    def loaded(self) -> list[LoadedModel]:
        """The models in memory, most recently used first. Quick, from any thread."""
        ...

    async def aclose(self) -> None:
        """Stop everything and free everything; nothing may be asked afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector of unit length (float32 values) for each text, in their order.

    `pooling` says how a text's tokens were made one vector: "mean", "cls", "last", or "" where a server does not say.
    `tokens` counts those of all texts together; 0 where that is not known.
    """

    vectors: list[list[float]]
    pooling: str
    model_hash: str
    tokens: int


@runtime_checkable
class EmbeddingProvider(Protocol):
    """Something that turns texts into vectors."""

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """Embed them. Raises UnsupportedModel where the model gives none, InvalidRequest for a text too long or empty.

        Cancelling the task stops the work.
        """
        ...


class JointProvider(Protocol):
    """Something whose models can write one answer together, token by token."""

    def write_together(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """Write: `JointDropped` for each that takes no part, `JointBegun`, `JointToken`s, last `JointEnd`.

        Raises InvalidRequest, and the last member's error where nobody is left. Closing it stops the engine within
        50 ms.
        """
        ...


def embedder_of(provider: object, model: str) -> EmbeddingProvider:
    """The provider, as one that embeds. Raises UnsupportedModel."""
    if isinstance(provider, EmbeddingProvider):
        return provider
    raise UnsupportedModel(f"{model} gives no embeddings.")


class CacheableProvider(Provider, Protocol):
    """A provider that can say when two of its answers must be equal."""

    def identity(self, model: str) -> ModelIdentity | None:
        """What `model` is now; None where that cannot be said. Any thread; may read the disk. Raises CodetteError."""
        ...
