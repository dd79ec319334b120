"""Writing together by the names that the person has given models."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from codette_desktop.domain.joint import JointPart, JointRequest
from codette_desktop.inference.provider import JointProvider


class JointByName:
    """Itself a `JointProvider`: asks `engine` by what `asked_name` makes of a model's name at that moment."""

    def __init__(self, engine: JointProvider, asked_name: Callable[[str], str]) -> None:
        self._engine = engine
        self._asked_name = asked_name

    def write_together(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """See `JointProvider.write_together`."""
        renamed = tuple(replace(one, model=self._asked_name(one.model)) for one in request.requests)
        return self._engine.write_together(replace(request, requests=renamed))
