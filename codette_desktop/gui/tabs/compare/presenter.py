"""The Compare tab without widgets: whom to ask, the comparison on view, and what is done with it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.comparisons import ComparisonSetup, OpenedComparison, Origin
from codette_desktop.domain.ensembles import (
    Member,
    MemberBegins,
    MemberDropped,
    MemberPart,
    MemberWaits,
    Method,
    Outcome,
    TogetherText,
    Working,
)
from codette_desktop.domain.errors import Cancelled, CodetteError
from codette_desktop.domain.joint import JointToken
from codette_desktop.domain.votes import Preference
from codette_desktop.ensemble.comparisons import ComparisonPart, ComparisonRun
from codette_desktop.ensemble.members import MOST_MEMBERS
from codette_desktop.ensemble.token_level import shares
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.compare.state import ColumnState, CompareState, CompareView, Setup
from codette_desktop.gui.tasks import Tasks

if TYPE_CHECKING:
    from codette_desktop.application import Application

SETUP_SETTING = "compare_setup"


class ComparePresenter:
    """One comparison at a time. Everything it does is told to `view`."""

    def __init__(self, application: "Application", view: CompareView) -> None:
        self._application = application
        self._view = view
        self._tasks = Tasks(view.show_error)
        self._task: asyncio.Task[None] | None = None
        self._run: ComparisonRun | None = None
        self._closed = False
        self._live: CompareState | None = None  # what is being answered, also while another one is on view
        self.state = CompareState()
        self.setup = self._kept_setup()

    # Whom to ask

    def set_setup(self, setup: Setup) -> None:
        """The next prompt goes to these; kept for the next start."""
        self.setup = setup
        kept = asdict(setup) | {"method": setup.method.value, "kind": setup.kind.value if setup.kind else None}
        self._application.store.settings.set(SETUP_SETTING, kept)
        self._view.show_setup(setup)

    def member(self, spec: str) -> Member:
        """What a spec means now. Raises CodetteError."""
        return self._application.members.read(spec)

    def default_setup(self) -> Setup:
        """Two models that answer at once: those in memory first, then the starter models, then any other."""
        catalogue = self._application.catalogue
        loaded = [model.name for model in self._application.provider.loaded()]
        models = catalogue.models()
        ranked = sorted(
            (name for name, model in models.items() if getattr(model, "writes", True)),
            key=lambda name: (models[name].name not in loaded, not models[name].starter),
        )
        names = ranked[:2]
        return Setup(tuple(names))

    def personas_setup(self) -> Setup:
        """The shipped personas on the model that new chats are asked with."""
        roles = [role for role in self._application.roles.all() if self._application.roles.is_shipped(role)]
        return Setup(tuple(f"#{role.name}" for role in roles[:MOST_MEMBERS]), Method.CONSENSUS)

    def _kept_setup(self) -> Setup:
        kept = self._application.store.settings.get(SETUP_SETTING, None)
        if isinstance(kept, dict):
            values = cast("dict[str, Any]", kept)
            try:
                kind = values.get("kind")
                return Setup(
                    tuple(str(spec) for spec in values.get("specs", [])),
                    Method(values.get("method", "none")),
                    AnswerKind(kind) if kind else None,
                    str(values.get("judge", "")),
                )
            except ValueError:
                pass  # of a newer version
        return self.default_setup()

    def comparison_setup(self) -> ComparisonSetup:
        """The setup with its members looked up. Raises CodetteError."""
        setup = self.setup
        members = self._application.members.read_all(setup.specs)
        judge = self._application.catalogue.name_to_ask(setup.judge) if setup.judge else ""
        return ComparisonSetup(members, setup.method, setup.kind, judge)

    # Asking

    @property
    def is_running(self) -> bool:
        """Whether a comparison is being answered."""
        return self._task is not None

    def compare(self, prompt: str, origin: Origin | None = None) -> bool:
        """Ask; False, and the reason told, where it cannot be asked like this."""
        if self.is_running:
            return False
        try:
            setup = self.comparison_setup()
            run = self._application.comparisons.start(prompt, setup, origin=origin)
        except CodetteError as error:
            self._view.show_error(error)
            return False
        joint = tr("Writes the one answer with the others.") if setup.method is Method.TOKEN else ""
        columns = [ColumnState(member, running=True, joint=joint) for member in setup.members]
        self.state = CompareState(prompt, columns=columns, method=setup.method, origin=origin, running=True)
        self._begin(run, run.parts())
        return True

    def again(self, place: int) -> None:
        """Ask one member anew."""
        if self.is_running or not self.state.id:
            return
        try:
            run = self._application.comparisons.again(self.state.id, place)
        except CodetteError as error:
            self._view.show_error(error)
            return
        former = self.state.columns[place]
        self.state.columns[place] = ColumnState(former.member, running=True, former=former.node)
        self.state.running = True
        self._begin(run, run.parts())

    def stop(self) -> bool:
        """Stop everybody; False where nothing runs. What was written is kept."""
        if self._task is None:
            return False
        self._task.cancel()
        return True

    def drop(self, place: int) -> None:
        """Stop one member; the others go on."""
        if self._run is not None:
            self._run.drop(place)

    def _begin(self, run: ComparisonRun, parts: AsyncGenerator[ComparisonPart, None]) -> None:
        self._run, self._live = run, self.state
        self._view.show_state(self.state)
        state = self.state
        task = self._task = self._tasks.start(self._follow(state, parts), "compare")
        # Not in the coroutine: one that is stopped before its first step never runs.
        task.add_done_callback(lambda _done: self._ended(state))

    async def _follow(self, state: CompareState, parts: AsyncGenerator[ComparisonPart, None]) -> None:
        try:
            async with aclosing(parts):
                async for part in parts:
                    self._take(state, part)
        except CodetteError as error:
            state.error = error

    def _ended(self, state: CompareState) -> None:
        self._task = self._run = self._live = None
        state.running = False
        for column in state.columns:
            column.running, column.waits = False, ""
        self._reread(state)
        if state.outcome is None and state.error is None and state.method is not Method.HYBRID:
            for column in state.columns:
                if column.node is None and column.error is None and not column.chunks:
                    column.error, column.joint = Cancelled(tr("It was stopped before it said anything.")), ""
        if state is self.state and not self._closed:
            self._view.show_state(state)

    def _reread(self, state: CompareState) -> None:
        """The answers as they are kept, also of those that were stopped."""
        if not state.id:
            return
        try:
            opened = self._application.comparisons.open(state.id)
        except CodetteError:
            return
        for place, (column, node) in enumerate(zip(state.columns, opened.answers, strict=True)):
            column.node = node or column.node
            if column.former is not None and column.node is not None and column.node.id == column.former.id:
                self._put_back(state, place)

    def _put_back(self, state: CompareState, place: int) -> None:
        """A member that was asked again has said nothing: what it said before stands."""
        column = state.columns[place]
        state.columns[place] = ColumnState(column.member, node=column.former)
        if column.error is not None and not isinstance(column.error, Cancelled):
            state.error = column.error

    def _take(self, state: CompareState, part: ComparisonPart) -> None:
        if isinstance(part, OpenedComparison):
            state.id = part.comparison.id
            for column, node in zip(state.columns, part.answers, strict=True):
                column.node = node if not column.running else column.node
        elif isinstance(part, MemberPart):
            column = state.columns[part.place]
            text = column.take(part.part)
            if column.end is not None:
                column.memory_bytes = self._memory_of(column.member)
            if state is not self.state:
                return  # another one is on view
            if text:
                self._view.column_grew(part.place, text)
            else:
                self._view.column_changed(part.place)
        elif isinstance(part, MemberBegins | MemberWaits | MemberDropped):
            self._member_changed(state.columns[part.place], part)
            if state is self.state:
                self._view.column_changed(part.place)
        else:
            self._take_together(state, part)

    def _memory_of(self, member: Member) -> int:
        """What the member's model takes in memory here now, in bytes; 0 where it is not in memory, or elsewhere."""
        try:
            return self._application.in_memory(member.model)[1]
        except CodetteError:
            return 0

    def _member_changed(self, column: ColumnState, part: MemberBegins | MemberWaits | MemberDropped) -> None:
        if isinstance(part, MemberWaits):
            column.waits = part.why
        elif isinstance(part, MemberBegins):
            column.waits, column.asked = "", True
        else:
            column.error, column.running = part.error, False

    def _take_together(self, state: CompareState, part: Working | TogetherText | JointToken | Outcome) -> None:
        if isinstance(part, Working):
            state.working.append(part.text)
        elif isinstance(part, TogetherText | JointToken):
            state.together.append(part.text)
            if isinstance(part, JointToken):
                state.joint.append(part)
            if state is self.state:
                self._view.together_grew(part.text)
            return
        else:
            state.outcome = part
            tell_parts(state)
            if state is self.state and state.joint:
                self._view.show_state(state)
        if state is self.state:
            self._view.together_changed()

    # What was asked before

    def open(self, comparison_id: str) -> bool:
        """Put a kept comparison on view; False, and the reason told, where it is gone."""
        try:
            opened = self._application.comparisons.open(comparison_id)
        except CodetteError as error:
            self._view.show_error(error)
            return False
        if self._live is not None and self._live.id == comparison_id:
            self.state = self._live
            self._view.show_state(self.state)
            return True
        comparison = opened.comparison
        asked = comparison.outcome is not None or any(opened.answers)
        columns = [
            ColumnState(member, node=node, asked=node is not None or not asked)
            for member, node in zip(comparison.setup.members, opened.answers, strict=True)
        ]
        self.state = CompareState(
            opened.question.message.content,
            comparison.id,
            columns,
            comparison.setup.method,
            comparison.outcome,
            list(comparison.outcome.tokens) if comparison.outcome else [],
            chosen=comparison.chosen,
            origin=comparison.origin,
        )
        tell_parts(self.state)
        self.set_setup(_setup_of(comparison.setup))
        self._view.show_state(self.state)
        return True

    def new(self) -> None:
        """An empty page; what runs goes on and is kept."""
        self.state = CompareState()
        self._view.show_state(self.state)

    async def vote(self, first: int, second: int, preference: Preference) -> None:
        """Keep which of two answers is better. Raises CodetteError."""
        opened = self._application.comparisons.open(self.state.id)
        left, right = opened.answers[first], opened.answers[second]
        if left is not None and right is not None:
            members = opened.comparison.setup.members
            await self._application.rating.compare(
                opened.question, (members[first], left), (members[second], right), preference
            )

    async def choose(self, place: int) -> str:
        """Use this answer; gives the chat it was put into, "" for none."""
        chat = await self._application.comparisons.choose(self.state.id, place)
        self.state.chosen = place
        self._view.show_state(self.state)
        return chat

    async def continue_as_chat(self, place: int) -> str:
        """A new chat with this member; gives its id."""
        return await self._application.comparisons.continue_as_chat(self.state.id, place)

    async def delete(self, comparison_id: str) -> None:
        """Hide a comparison."""
        await self._application.comparisons.delete(comparison_id)
        if comparison_id == self.state.id:
            self.new()

    async def restore(self, comparison_id: str) -> None:
        """Undo `delete`."""
        await self._application.comparisons.restore(comparison_id)

    async def aclose(self) -> None:
        """Stop what runs and wait until it is kept."""
        self._closed = True
        await self._tasks.aclose()


def tell_parts(state: CompareState) -> None:
    """What part each column's member had in an answer that was written together."""
    if state.method is not Method.TOKEN or state.outcome is None:
        return
    tokens = state.outcome.tokens
    fused = sum(token.fused for token in tokens)
    taken = shares(tokens, len(state.columns))
    for place, column in enumerate(state.columns):
        column.running = False
        if not state.outcome.weights[place]:
            column.joint = tr("Took no part at the end: the one answer says why.")
        elif fused:
            column.joint = tr(
                "Wrote with the others. Pieces decided together: {all}; of these its own first choice: {n}.",
                n=number(taken[place]),
                all=number(fused),
            )
        else:
            column.joint = tr("Wrote with the others, and would have said the same throughout.")


def _setup_of(setup: ComparisonSetup) -> Setup:
    return Setup(tuple(member.spec for member in setup.members), setup.method, setup.kind, setup.judge)


def with_member(setup: Setup, place: int, spec: str) -> Setup:
    """The setup with another member at `place`, or one more at the end."""
    specs = list(setup.specs)
    specs[place : place + 1] = [spec]
    return replace(setup, specs=tuple(specs))
