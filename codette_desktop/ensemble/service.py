"""The service: one question to several members, streamed side by side, and one answer made of theirs."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from codette_desktop.domain.ensembles import EnsemblePart, EnsembleRequest, Member, Method, Outcome
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.messages import Role
from codette_desktop.ensemble.asking import Asking, EnsembleServices
from codette_desktop.ensemble.methods import method_run


class EnsembleService:
    """Starts runs. One event loop."""

    def __init__(self, services: EnsembleServices) -> None:
        self._services = services

    def start(self, request: EnsembleRequest) -> "EnsembleRun":
        """Raises InvalidRequest for a question that cannot be asked like this."""
        if not request.messages or request.messages[-1].role is not Role.USER:
            raise InvalidRequest("There is no question.", "Write something first.")
        if not request.messages[-1].content.strip():
            raise InvalidRequest("The question is empty.", "Type something first.")
        if not request.members:
            raise InvalidRequest("Nobody is asked.", "Choose at least one model.")
        if request.method is not Method.NONE and len(request.members) < 2:
            raise InvalidRequest("One member is no ensemble.", "Add another, or choose no method.")
        return EnsembleRun(Asking(request, self._services))

    def learn(self, member: Member, kind: str, correct: float, asked: int) -> object:
        """Note how often a member was right at questions whose answers are known. Blocking."""
        key = self._services.key(member)
        return self._services.standings.update(key, kind, lambda known: known.measured(correct, asked))


class EnsembleRun:
    """One question on its way. `parts` may be read once; closing it stops everybody."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    @property
    def request(self) -> EnsembleRequest:
        """What is asked of whom."""
        return self._asking.request

    def drop(self, place: int) -> None:
        """Stop one member; the others go on."""
        self._asking.gathering.drop(place)

    async def parts(self) -> AsyncGenerator[EnsemblePart, None]:
        """Parts of all members as they come, and last the `Outcome` (none for Method.NONE).

        Raises the first member's error where an answer of all was wanted and nobody has answered.
        """
        asking = self._asking
        await asking.begin()
        try:
            async with aclosing(method_run(asking)) as parts:
                async for part in parts:
                    yield replace(part, seconds=asking.spent_s) if isinstance(part, Outcome) else part
            asking.learn()
        finally:
            await asking.gathering.close()
