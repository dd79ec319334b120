"""The Rate tab without widgets: what is to be rated, the sitting on view, votes and their undoing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from codette_desktop.domain.duels import Duel, Experiment, PromptSource, StoppingRule
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.votes import Preference
from codette_desktop.gui.tabs.rate.state import Phase, RateSetup, RateView, SittingState, Undoable
from codette_desktop.gui.tasks import Tasks
from codette_desktop.proof.duel_prompts import duel_prompts
from codette_desktop.rating.sitting import Sitting

if TYPE_CHECKING:
    from codette_desktop.application import Application

R = TypeVar("R")

SETUP_SETTING = "rate_setup"
NAMES_AFTER_S = 0.8  # a slip of the finger can be taken back before the names are seen, and the duel stays blind
NAMES_FOR_S = 2.0
UNDO_S = 10


class RatePresenter:
    """One sitting at a time. Everything it does is told to `view`."""

    def __init__(self, application: "Application", view: RateView) -> None:
        self._application = application
        self._view = view
        self._tasks = Tasks(view.show_error)
        self._sitting: Sitting | None = None
        self._starting: asyncio.Task[None] | None = None
        self._advancing: asyncio.Task[None] | None = None
        self._casting: asyncio.Task[None] | None = None
        self._clock: asyncio.Task[None] | None = None
        self._undoing = False
        self._shown_at = 0.0
        self.state: SittingState | None = None
        self.setup = self._kept_setup()

    # What is to be rated

    def set_setup(self, setup: RateSetup) -> None:
        """As the person chose it; kept for the next start."""
        self.setup = setup
        kept = asdict(setup) | {"source": setup.source.value, "specs": list(setup.specs)}
        self._application.store.settings.set(SETUP_SETTING, kept)
        self._view.show_setup(setup)

    def label(self, spec: str) -> str:
        """What is read for a contestant. Raises CodetteError."""
        return self._application.rating.reader.label(spec)

    def begin(self) -> None:
        """Begin an experiment, and its first sitting."""
        self._tasks.start(self._begin(), "an experiment begins")

    async def _begin(self) -> None:
        setup = self.setup
        contestants = await self._off_loop(lambda: self._application.rating.reader.read_all(setup.specs))
        typed = tuple(setup.typed.splitlines())
        prompts = await self._off_loop(lambda: duel_prompts(self._application.store, setup.source, typed, setup.suite))
        rule = StoppingRule(setup.most_votes, margin=setup.margin)
        experiment = await self._application.rating.begin(setup.question, contestants, setup.source, prompts, rule)
        self.set_setup(replace(setup, question=""))
        self._view.list_changed()
        self.go_on(experiment)

    def compare_experiment(self, specs: tuple[str, ...]) -> None:
        """Put contestants into the form of the next experiment."""
        self.set_setup(replace(self.setup, specs=specs))

    def _kept_setup(self) -> RateSetup:
        kept = self._application.store.settings.get(SETUP_SETTING, None)
        if isinstance(kept, dict):
            values = cast("dict[str, Any]", kept)
            try:
                known = {key: values[key] for key in RateSetup.__slots__ if key in values}
                return RateSetup(
                    **known | {"specs": tuple(known.get("specs", ())), "source": PromptSource(known["source"])}
                )
            except (ValueError, TypeError, KeyError):
                pass  # of a newer version
        return RateSetup(self._usual_specs())

    def _usual_specs(self) -> tuple[str, ...]:
        """Two models that answer at once: those in memory first, then the starter models, then any other."""
        loaded = [model.name for model in self._application.provider.loaded()]
        models = self._application.catalogue.models()
        ranked = sorted(
            (name for name, model in models.items() if getattr(model, "writes", True)),
            key=lambda name: (models[name].name not in loaded, not models[name].starter),
        )
        return tuple(ranked[:2])

    # A sitting

    def go_on(self, experiment: Experiment) -> None:
        """Go on rating; begun already, its page is shown."""
        if self.state is not None and self.state.experiment.id == experiment.id and self._sitting is not None:
            self._view.show_duel(self.state)
            return
        self._stop(self._starting)
        self._starting = self._tasks.start(self._sit(experiment), "a sitting begins")

    async def _sit(self, experiment: Experiment) -> None:
        await self._leave()
        experiment = await self._off_loop(lambda: self._application.rating.experiment(experiment.id))
        sitting = self._application.rating.sitting(experiment)
        self._sitting = sitting
        await sitting.open()
        self.state = SittingState(experiment, sitting.standing)
        self._view.show_duel(self.state)
        self._advance()

    def _advance(self) -> None:
        self._stop(self._advancing)
        self._advancing = self._tasks.start(self._next(), "the next duel")

    async def _next(self) -> None:
        state, sitting = self.state, self._sitting
        if state is None or sitting is None:
            return
        state.phase, state.duel, state.error = Phase.WAITING, None, None
        state.preference, state.names_shown = None, False
        state.tags, state.correction = set(), ""
        self._show()
        try:
            duel = await sitting.next()
        except CodetteError as error:
            state.error = error
            self._show()
            return
        self._read(state, sitting)
        state.duel, state.phase = duel, Phase.READING if duel is not None else Phase.OVER
        self._shown_at = time.monotonic()
        if duel is None:
            self._view.show_verdict(state.experiment)
        self._show()

    def retry(self) -> None:
        """After a failure: prepare duels once more."""
        if self.state is not None and self.state.error is not None:
            self._advance()

    # Votes

    def vote(self, preference: Preference) -> None:
        """The person's vote on the duel on view; without effect where there is none to vote on."""
        state = self.state
        if state is None or state.phase is not Phase.READING or state.duel is None:
            return
        state.phase, state.preference, state.undoable = Phase.VOTED, preference, None
        self._stop(self._clock)
        self._show()
        self._casting = self._tasks.start(self._cast(state, state.duel, preference), "a vote")

    def skip_names(self) -> None:
        """The next duel at once; not before the vote is kept."""
        if self.state is not None and self.state.phase is Phase.VOTED and self.state.undoable is not None:
            self._advance()

    def toggle_tag(self, tag: str) -> None:
        """Give the vote to come a reason, or take it away."""
        if self.state is not None and self.state.phase is Phase.READING:
            self.state.tags ^= {tag}
            self._show()

    def set_correction(self, text: str) -> None:
        """What the person would have liked to read instead; kept with the vote to come."""
        if self.state is not None:
            self.state.correction = text

    def note_names_seen(self) -> None:
        """The person looks at something that names who wrote the last duel: it is blind no more."""
        if self.state is not None and self.state.undoable is not None:
            self.state.undoable.names_seen = True
            self._view.undo_changed(self.state)

    async def _cast(self, state: SittingState, duel: Duel, preference: Preference) -> None:
        """Never cancelled before the vote is kept or refused: only `aclose` of the window waits for nothing."""
        sitting = self._sitting
        if sitting is None:
            return
        said: dict[str, Any] = {"tags": tuple(sorted(state.tags)), "correction": state.correction}
        seconds = time.monotonic() - self._shown_at
        try:
            vote = await sitting.vote(duel, preference, seconds=seconds, **said)
        except CodetteError as error:
            self._view.show_error(error)
            await self._after_refusal(state, sitting)
            return
        self._read(state, sitting)
        state.undoable = Undoable(vote, duel, UNDO_S, duel.names_seen)
        self._clock = self._tasks.start(self._count_down(state, state.undoable), "undo of a vote")
        self._advancing = self._tasks.start(self._show_names(state, state.undoable), "the names")
        self._show()

    async def _after_refusal(self, state: SittingState, sitting: Sitting) -> None:
        """A vote was not kept: the duel may have been voted on elsewhere, the experiment ended, or the disk be full."""
        await sitting.refresh()
        self._read(state, sitting)
        if sitting.current is None or sitting.experiment.ending is not None:
            self._view.list_changed()  # what happened elsewhere was told to nobody here
            self._advance()
            return
        state.phase, state.preference = Phase.READING, None
        self._show()

    async def _show_names(self, state: SittingState, undoable: Undoable) -> None:
        await asyncio.sleep(NAMES_AFTER_S)
        state.names_shown = undoable.names_seen = True
        self._show()
        await asyncio.sleep(NAMES_FOR_S)
        await self._next()

    async def _count_down(self, state: SittingState, undoable: Undoable) -> None:
        while undoable.seconds_left and state.undoable is undoable:
            self._view.undo_changed(state)
            await asyncio.sleep(1)
            undoable.seconds_left -= 1
        if state.undoable is undoable:
            state.undoable = None
            self._view.undo_changed(state)

    def undo(self) -> None:
        """Take the last vote back; its duel comes once more, with what was said of it."""
        if self.state is not None and not self._undoing and (self.state.undoable or self._is_casting):
            self._undoing = True
            self._tasks.start(self._undo(self.state), "a vote is taken back")

    @property
    def _is_casting(self) -> bool:
        return self._casting is not None and not self._casting.done()

    async def _undo(self, state: SittingState) -> None:
        try:
            if self._casting is not None:
                await asyncio.gather(self._casting, return_exceptions=True)
            sitting, undoable = self._sitting, state.undoable
            if sitting is None or undoable is None:
                return
            state.undoable = None
            self._stop(self._advancing)
            self._stop(self._clock)
            await sitting.take_back(undoable.vote, undoable.duel, names_seen=undoable.names_seen)
            self._read(state, sitting)
            self._view.show_duel(state)
            await self._next()
            if state.duel is not None and state.duel.id == undoable.duel.id:
                state.tags, state.correction = set(undoable.vote.tags), undoable.vote.correction
                self._show()
        finally:
            self._undoing = False

    # Leaving

    async def stop_for_good(self, experiment: Experiment) -> Experiment:
        """End an experiment before its rule is met; gives it as it is then."""
        if self._sitting is not None and self._sitting.experiment.id == experiment.id:
            await self._leave()
        await self._application.rating.end(experiment.id)
        return self._application.rating.experiment(experiment.id)

    async def delete(self, experiment_id: str) -> None:
        """Hide an experiment."""
        if self._sitting is not None and self._sitting.experiment.id == experiment_id:
            await self._leave()
        await self._application.rating.delete(experiment_id)

    async def restore(self, experiment_id: str) -> None:
        """Undo `delete`."""
        await self._application.rating.restore(experiment_id)

    async def _leave(self) -> None:
        if self._is_casting and self._casting is not None:
            await asyncio.gather(self._casting, return_exceptions=True)  # a vote is kept before one goes
        self._stop(self._clock)
        self._stop(self._advancing)
        sitting, self._sitting, self.state = self._sitting, None, None
        self._view.undo_changed(None)
        if sitting is not None:
            await sitting.aclose()

    async def aclose(self) -> None:
        """Stop preparing duels; those that are prepared are kept, and so is a vote that is being cast."""
        if self._casting is not None:
            await asyncio.gather(self._casting, return_exceptions=True)
        await self._tasks.aclose()
        if self._sitting is not None:
            await self._sitting.aclose()

    def _read(self, state: SittingState, sitting: Sitting) -> None:
        state.experiment, state.standing = sitting.experiment, sitting.standing
        state.ready, state.equal = sitting.ready, sitting.equal

    def _show(self) -> None:
        if self.state is not None:
            self._view.undo_changed(self.state)
            self._view.sitting_changed(self.state)

    def _stop(self, task: "asyncio.Task[None] | None") -> None:
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _off_loop(self, work: Callable[[], R]) -> R:
        found: Awaitable[R] = asyncio.get_event_loop().run_in_executor(None, work)
        return await found
