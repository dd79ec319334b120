"""A scripted provider that says what its model is, and short ways to ask through a cache."""

from typing import Any

from codette_desktop.domain.answers import AnswerEnd, AnswerPart
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import ChatRequest, Sampling
from codette_desktop.inference.provider import ModelIdentity, Provider
from tests.support.scripted_provider import ScriptedProvider


class ScriptedModel(ScriptedProvider):
    """Its answers may be kept. `traits` is what they depend on, None: that cannot be said."""

    def __init__(self) -> None:
        super().__init__()
        self.traits: dict[str, Any] | None = {"provider": "script", "model_hash": "one"}

    def identity(self, model: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`."""
        return None if self.traits is None else ModelIdentity(model, model.title(), self.traits)


def question(text: str = "What is a token?", *, fresh: bool = False, **sampling: Any) -> ChatRequest:
    """A greedy request unless `sampling` says otherwise."""
    chosen = Sampling().with_changes(**{"temperature": 0.0, **sampling})
    return ChatRequest("script", (Message(Role.USER, text),), chosen, fresh=fresh)


async def answer(provider: Provider, request: ChatRequest) -> list[AnswerPart]:
    """All parts."""
    return [part async for part in provider.stream(request)]


async def is_cached(provider: Provider, request: ChatRequest) -> bool:
    """Ask, and say whether the answer was there already."""
    end = (await answer(provider, request))[-1]
    assert isinstance(end, AnswerEnd)
    return end.figures.cached
