"""What one does to experiments and votes from the Rate tab: open, end, delete, export, take back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from codette_desktop.domain.duels import Experiment, PromptSource
from codette_desktop.domain.votes import Source, VoteFilter
from codette_desktop.ensemble.prompts_file import from_file
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.rate.presenter import RatePresenter
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.widgets import ToastHost, delete_with_undo, dialogs, file_dialogs
from codette_desktop.rating.exporting import Format

if TYPE_CHECKING:
    from codette_desktop.application import Application
    from codette_desktop.gui.tabs.rate.tab import RateTab

R = TypeVar("R")

PROMPTS_FILTER = "Prompts (*.csv *.tsv *.jsonl *.ndjson *.txt *.md)"


class RateCommands:
    """Each shows its failure through the tab's tasks."""

    def __init__(
        self,
        application: "Application",
        presenter: RatePresenter,
        tasks: Tasks,
        toasts: ToastHost,
        tab: "RateTab",
    ) -> None:
        self._application = application
        self._presenter = presenter
        self._tasks = tasks
        self._toasts = toasts
        self._tab = tab

    async def open(self, experiment_id: str) -> None:
        """Show what an experiment has found; one without a vote goes on at once."""
        experiment = await self._off_loop(lambda: self._application.rating.experiment(experiment_id))
        votes = await self._off_loop(
            lambda: self._application.store.votes.count(VoteFilter(experiment_id=experiment_id))
        )
        if votes or experiment.ending is not None:
            self._tab.show_verdict(experiment)
        else:
            self._presenter.go_on(experiment)

    async def show_verdict(self, experiment: Experiment) -> None:
        """Read what may be concluded, and show it."""
        rating = self._application.rating
        only = VoteFilter(experiment_id=experiment.id)

        known = await self._off_loop(lambda: rating.experiment(experiment.id))
        conclusion = await self._off_loop(lambda: rating.conclusion(known))
        board = await self._off_loop(lambda: rating.board_of(known))
        found = await self._off_loop(lambda: self._application.votes.usable(only))
        usable = {"dpo": found.dpo, "kto": found.kto, "sft": found.sft}
        equal = replace(only, sources=(Source.IDENTICAL,), blind=True)
        identical = await self._off_loop(lambda: self._application.store.votes.count(equal))
        used_up = await self._off_loop(lambda: rating.used_up(known, conclusion))
        if self._tab.experiment is None or self._tab.experiment.id != experiment.id:
            return  # the person has gone on
        self._tab.experiment = known
        self._tab.verdict_page.show_verdict(known, conclusion, board, usable, identical=identical, used_up=used_up)
        self._tab.show_page(self._tab.verdict_page)

    def end(self) -> None:
        """End the experiment on view before its rule is met; the page has asked."""
        if (experiment := self._tab.experiment) is not None:
            self._tasks.start(self._end(experiment), "an experiment ends")

    async def _end(self, experiment: Experiment) -> None:
        ended = await self._presenter.stop_for_good(experiment)
        self._tab.show_verdict(ended)

    def delete(self, experiment_id: str) -> None:
        """Delete an experiment; its votes stay, and it can be undone."""
        if experiment_id:
            self._tasks.start(self._delete(experiment_id), "delete an experiment")

    async def _delete(self, experiment_id: str) -> None:
        await self._presenter.delete(experiment_id)
        if self._tab.experiment is not None and self._tab.experiment.id == experiment_id:
            self._tab.experiment = None
            self._tab.new()
        delete_with_undo(
            self._toasts,
            tr("Experiment deleted. Its votes stay on the leaderboard."),
            undo=lambda: self._tasks.start(self._presenter.restore(experiment_id), "restore an experiment"),
        )

    def take_back(self, vote_id: str) -> None:
        """Take a vote back; the page has asked."""
        self._tasks.start(self._application.votes.take_back(vote_id), "take a vote back")

    def export(self, kind: str) -> None:
        """Write the votes of the experiment on view to a file: "csv", or what tuning takes."""
        if (experiment := self._tab.experiment) is not None:
            self._tasks.start(self._export(experiment, kind), "export votes")

    async def _export(self, experiment: Experiment, kind: str) -> None:
        ending = "csv" if kind == "csv" else "jsonl"
        name = f"votes-{kind}.{ending}" if kind != "csv" else "votes.csv"
        path = await file_dialogs.pick_save_file(self._tab, tr("Export votes"), f"*.{ending}", name)
        if path is None:
            return
        only = VoteFilter(experiment_id=experiment.id)
        found = await self._off_loop(lambda: self._application.votes.export(path, Format(kind), only))
        self._toasts.show_toast(tr("{n} rows were written to {file}.", n=number(found.rows), file=path.name), "good")

    def open_link(self, link: str) -> None:
        """Nothing leaves the machine unasked: the whole address is shown first."""
        self._tasks.start(dialogs.ask_to_open(self._tab, link), "open a link")

    def prompts_from_file(self) -> None:
        """Read the prompts of the next experiment from a file."""
        self._tasks.start(self._prompts_from_file(), "prompts from a file")

    async def _prompts_from_file(self) -> None:
        for path in await file_dialogs.pick_open_files(self._tab, tr("Prompts from a file"), PROMPTS_FILTER):
            prompts = await self._off_loop(lambda path=path: from_file(path).prompts)
            lines = [" ".join(prompt.split()) for prompt in prompts]
            typed = "\n".join([*filter(None, [self._presenter.setup.typed.strip()]), *lines])
            self._presenter.set_setup(replace(self._presenter.setup, source=PromptSource.TYPED, typed=typed))

    def names_of(self, votes: VoteFilter) -> dict[str, str]:
        """What the contestants and the experiment of a filter are called, by key and id."""
        names = {item.key: item.label for item in self._application.store.contestants.all()}
        found = self._application.store.experiments.get(votes.experiment_id) if votes.experiment_id else None
        return names | ({found.id: found.question} if found else {})

    async def _off_loop(self, work: Callable[[], R]) -> R:
        return await asyncio.get_event_loop().run_in_executor(None, work)
