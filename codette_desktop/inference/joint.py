"""Writing together among all models there are: those on servers are told apart, names are looked up."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from codette_desktop.domain.errors import UnsupportedModel
from codette_desktop.domain.joint import JointDropped, JointPart, JointRequest, at_places, without
from codette_desktop.inference.provider import JointProvider


class JointByName:
    """Itself a `JointProvider`. `asked_name` is what a model is really called, `on_server` whether a server has it."""

    def __init__(
        self, engine: JointProvider, asked_name: Callable[[str], str], on_server: Callable[[str], bool]
    ) -> None:
        self._engine = engine
        self._asked_name = asked_name
        self._on_server = on_server

    async def write_together(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """See `JointProvider.write_together`."""
        names = [self._asked_name(one.model) for one in request.requests]
        left = [place for place, name in enumerate(names) if not self._on_server(name)]
        told = UnsupportedModel(
            "It runs on a server, which tells no probabilities of all tokens.",
            "It can take part in every other method.",
        )
        for place in range(len(names)):
            if place not in left:
                yield JointDropped(place, told)
        if not left:
            raise told
        renamed = tuple(replace(one, model=name) for one, name in zip(request.requests, names, strict=True))
        async with aclosing(self._engine.write_together(without(replace(request, requests=renamed), left))) as parts:
            async for part in parts:
                yield at_places(part, left)
