"""The service: measure an ensemble on a suite, its members alone and every method, and say what to use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from codette_desktop.domain.ensembles import Member, Method
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.reliability import OPEN
from codette_desktop.ensemble.case import Case
from codette_desktop.evaluation.gains import Measured, Proof, prove
from codette_desktop.evaluation.suites import Question, Suite
from codette_desktop.inference.provider import Provider
from codette_desktop.proof.gathering import Answered, Progress, ask, gather
from codette_desktop.proof.replay import Replayed, replay
from codette_desktop.proof.standings import crossed, overall
from codette_desktop.proof.together import Start, write

MEASURED_METHODS = tuple(method for method in Method if method is not Method.NONE)

Learn = Callable[[Member, str, float, int], object]
ModelOf = Callable[[str], tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of it: the proof, and the answers to each question of every member and method, by name."""

    proof: Proof
    suite: Suite
    answers: dict[str, tuple[str, ...]]
    errors: dict[str, int]


class ProofService:
    """`model_of` gives who answers to a model's name and the bytes it takes in memory now (0: unknown).

    `learn` notes how often a member was right, `start` asks an ensemble.
    """

    def __init__(self, provider: Callable[[], Provider], model_of: ModelOf, learn: Learn, start: Start) -> None:
        self._provider = provider
        self._model_of = model_of
        self._learn = learn
        self._start = start

    async def measure(
        self,
        suite: Suite,
        members: Sequence[Member],
        methods: Sequence[Method] = MEASURED_METHODS,
        *,
        progress: Progress = lambda _who, _done, _all: None,
        learn: bool = False,
    ) -> Measurement:
        """Ask every member every question once, and let every method decide on these answers; TOKEN writes its own.

        With `learn`, what was found out of the members counts in WEIGHTED and HYBRID from now on. Cancelling it stops
        everything. Raises InvalidRequest, and the CodetteError of a model that cannot be loaded.
        """
        _check(members, methods)
        provider = self._provider()
        memory: dict[str, tuple[str, int]] = {}
        for model in dict.fromkeys(member.model for member in members):
            await provider.load(model)
            memory[model] = self._model_of(model)
        rows = await gather(provider, suite, members, progress)
        kinds = [_kind_of(question, [row[at] for row in rows]) for at, question in enumerate(suite.questions)]
        made = {method: await self._by_method(method, suite, rows, kinds, provider, progress) for method in methods}
        alone = [
            Measured(member.label, tuple(item.score for item in row), sum(item.seconds for item in row),
                     memory[member.model][1], len(row))
            for member, row in zip(members, rows, strict=True)
        ]  # fmt: skip
        everybody = sum(dict(memory.values()).values())
        together = [_measured(method, suite, replies, everybody) for method, replies in made.items()]
        if learn:
            self._note(members, rows, kinds)
        texts = {
            member.label: tuple(item.answer.text for item in row) for member, row in zip(members, rows, strict=True)
        }
        texts |= {method.value: tuple(reply.text for reply in replies) for method, replies in made.items()}
        errors = {
            member.label: sum(item.answer.error is not None for item in row)
            for member, row in zip(members, rows, strict=True)
        }
        return Measurement(prove(suite.name, alone, together), suite, texts, errors)

    async def _by_method(
        self,
        method: Method,
        suite: Suite,
        rows: Sequence[Sequence[Answered]],
        kinds: Sequence[str],
        provider: Provider,
        progress: Progress,
    ) -> list[Replayed]:
        standings = crossed(rows, kinds)
        replies: list[Replayed] = []
        for at, question in enumerate(suite.questions):
            sample = partial(ask, provider, question)
            answers = [row[at] for row in rows]
            if method is Method.TOKEN:
                members = [item.answer.member for item in answers]
                replies.append(await write(self._start, question, members, standings[at]))
                progress(method.value, at + 1, len(suite.questions))
                continue
            replies.append(await replay(method, question.prompt, answers, standings[at], question.options, sample))
            progress(method.value, at + 1, len(suite.questions))
        return replies

    def _note(self, members: Sequence[Member], rows: Sequence[Sequence[Answered]], kinds: Sequence[str]) -> None:
        for member, row in zip(members, rows, strict=True):
            for kind, (correct, asked) in overall(row, kinds).items():
                self._learn(member, kind, correct, asked)


def _measured(method: Method, suite: Suite, replies: Sequence[Replayed], memory: int) -> Measured:
    scores = tuple(
        question.score(reply.text) if reply.text else 0.0
        for question, reply in zip(suite.questions, replies, strict=True)
    )
    seconds = sum(reply.seconds for reply in replies)
    return Measured(method.value, scores, seconds, memory, sum(reply.calls for reply in replies), method=True)


def _kind_of(question: Question, answers: Sequence[Answered]) -> str:
    """The kind under which what is learned is kept: read from question and answers, as it is where one really asks."""
    kind = Case(question.prompt, tuple(item.answer for item in answers), options=question.options).kind
    return kind.value if kind else OPEN


def _check(members: Sequence[Member], methods: Sequence[Method]) -> None:
    if len(members) < 2:
        raise InvalidRequest("One member is no ensemble.", "Name at least two models to measure methods.")
    for method in methods:
        if method not in MEASURED_METHODS:
            raise InvalidRequest(
                f"'{method.value}' cannot be measured.",
                f"There are: {', '.join(known.value for known in MEASURED_METHODS)}.",
            )
