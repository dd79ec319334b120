"""The Rate tab: blind duels, what may be concluded from them, the leaderboard, and the votes themselves."""

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.duels import Experiment
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.votes import Source, VoteFilter
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.rate.commands import RateCommands
from codette_desktop.gui.tabs.rate.duel_page import DuelPage
from codette_desktop.gui.tabs.rate.experiments_list import ExperimentsList
from codette_desktop.gui.tabs.rate.leaderboard_page import LeaderboardPage
from codette_desktop.gui.tabs.rate.presenter import RatePresenter
from codette_desktop.gui.tabs.rate.setup_page import SetupPage
from codette_desktop.gui.tabs.rate.state import Phase, RateSetup, SittingState
from codette_desktop.gui.tabs.rate.undo_strip import UndoStrip
from codette_desktop.gui.tabs.rate.verdict_page import VerdictPage
from codette_desktop.gui.tabs.rate.votes_page import VotesPage
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets import ToastHost

if TYPE_CHECKING:
    from codette_desktop.application import Application


class RateTab(QWidget):
    """Draws what its presenter says (`RateView`) and passes on what the person does."""

    ask_wanted = Signal()

    def __init__(
        self, application: "Application", choice: ModelChoice, toasts: ToastHost, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._application = application
        self._toasts = toasts
        self.experiment: Experiment | None = None  # that of the verdict on view
        self._before_votes: QWidget | None = None
        self.tasks = Tasks(self.show_error)
        self.presenter = RatePresenter(application, self)
        self.commands = RateCommands(application, self.presenter, self.tasks, toasts, self)
        self.side = ExperimentsList()
        self.setup_page = SetupPage(self.presenter.label, lambda: choice.entries, application.roles.all)
        self.duel_page = DuelPage()
        self.undo_strip = UndoStrip()
        self.stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self.show_setup(self.presenter.setup)

    def _lay_out(self) -> None:
        for page in (self.setup_page, self.duel_page):
            self.stack.addWidget(page)
        self.stack.setMinimumHeight(1)
        work = QWidget()
        column = QVBoxLayout(work)
        spaced(column, spacing=0)
        column.addWidget(self.stack, 1)
        column.addWidget(self.undo_strip)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        for widget in (self.side, work):
            self.splitter.addWidget(widget)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([theme().px(260), theme().px(1000)])
        sized(self.side, minimum=(180, 0))
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(self.splitter)
        self.undo_strip.hide()

    def _connect(self) -> None:
        presenter, commands = self.presenter, self.commands
        self.side.opened.connect(self.open)
        self.side.new_wanted.connect(self.new)
        self.side.leaderboard_wanted.connect(self.show_leaderboard)
        self.side.delete_wanted.connect(commands.delete)
        self.setup_page.changed.connect(presenter.set_setup)
        self.setup_page.start_wanted.connect(self._start)
        self.setup_page.file_wanted.connect(commands.prompts_from_file)
        self.duel_page.votes.voted.connect(presenter.vote)
        self.duel_page.votes.reason_toggled.connect(presenter.toggle_tag)
        self.duel_page.votes.correction_changed.connect(presenter.set_correction)
        self.duel_page.verdict_wanted.connect(self._show_verdict_so_far)
        self.duel_page.retry_wanted.connect(presenter.retry)
        self.undo_strip.undo_wanted.connect(presenter.undo)
        for pane in (self.duel_page.left, self.duel_page.right):
            pane.link_activated.connect(commands.open_link)

    # Pages that are made when they are first shown: the window need not wait for them at start

    @cached_property
    def verdict_page(self) -> VerdictPage:
        """What an experiment has found."""
        page = VerdictPage(self)
        page.go_on_wanted.connect(self._go_on)
        page.end_wanted.connect(self.commands.end)
        page.export_wanted.connect(self.commands.export)
        page.votes_wanted.connect(self.show_votes)
        page.delete_wanted.connect(lambda: self.commands.delete(self._experiment_id()))
        self.stack.addWidget(page)
        return page

    @cached_property
    def leaderboard_page(self) -> LeaderboardPage:
        """All contestants by all blind votes."""
        votes, store = self._application.votes, self._application.store.votes
        page = LeaderboardPage(
            lambda wanted, controls: votes.leaderboard(wanted, controls=controls),
            lambda wanted: store.count(replace(wanted, sources=(Source.IDENTICAL,), blind=True)),
            self,
        )
        page.votes_wanted.connect(self.show_votes)
        page.start_wanted.connect(self.new)
        self.stack.addWidget(page)
        return page

    @cached_property
    def votes_page(self) -> VotesPage:
        """The votes themselves."""
        page = VotesPage(self._application.store.votes, self)  # type: ignore[arg-type]
        page.take_back_wanted.connect(self.commands.take_back)
        page.back_wanted.connect(self._back)
        self.stack.addWidget(page)
        return page

    def start(self) -> None:
        """Fill the list; called once the loop runs."""
        self.list_changed()

    # What the person does

    def new(self) -> None:
        """The page on which an experiment is begun."""
        self.show_page(self.setup_page)
        self.side.set_current("")
        self.show_setup(self.presenter.setup)

    def open(self, experiment_id: str) -> None:
        """Show what an experiment has found; one without a vote goes on at once."""
        self.tasks.start(self.commands.open(experiment_id), "open an experiment")

    def show_leaderboard(self) -> None:
        """All contestants by all blind votes."""
        self.show_page(self.leaderboard_page)
        self.side.set_current("")
        self.leaderboard_page.reload()

    def show_votes(self, votes: VoteFilter) -> None:
        """The votes themselves."""
        self._before_votes = self.stack.currentWidget()
        self.show_page(self.votes_page)
        self.votes_page.show_votes(votes, self.commands.names_of(votes))

    def stop(self) -> None:
        """Esc: back to the votes from a text, else from the duel to the verdict."""
        if self.duel_page.votes.correction.hasFocus():
            self.duel_page.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif isinstance(self.stack.currentWidget(), VotesPage):
            self._back()

    def toggle_side(self) -> bool:
        """Ctrl+B; gives whether the list is shown now."""
        self.side.setVisible(self.side.isHidden())
        return not self.side.isHidden()

    def focus(self) -> None:
        """The keyboard goes where one votes, where that is on view."""
        if self.stack.currentWidget() is self.duel_page:
            self.duel_page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _start(self) -> None:
        self.setup_page.show_problem("")
        self.setup_page.set_busy(True)
        self.presenter.begin()

    def _go_on(self) -> None:
        if self.experiment is not None:
            self.presenter.go_on(self.experiment)

    def _back(self) -> None:
        self.show_page(self._before_votes or self.leaderboard_page)
        if isinstance(page := self.stack.currentWidget(), LeaderboardPage):
            page.reload()

    def _show_verdict_so_far(self) -> None:
        if self.presenter.state is not None:
            self.show_verdict(self.presenter.state.experiment)

    def _experiment_id(self) -> str:
        return self.experiment.id if self.experiment else ""

    # RateView

    def show_setup(self, setup: RateSetup) -> None:
        """See `RateView`."""
        self.setup_page.show_setup(setup)

    def show_duel(self, state: SittingState) -> None:
        """See `RateView`."""
        self.experiment = state.experiment
        self.setup_page.set_busy(False)
        self.show_page(self.duel_page)
        self.side.set_current(state.experiment.id)
        self.duel_page.show_state(state)
        self.focus()

    def sitting_changed(self, state: SittingState) -> None:
        """See `RateView`."""
        self.duel_page.show_state(state)

    def undo_changed(self, state: SittingState | None) -> None:
        """See `RateView`."""
        self.undo_strip.show_state(state)
        undoable = state is not None and state.undoable is not None
        on_duel = self.stack.currentWidget() is self.duel_page
        self.undo_strip.setVisible(undoable or (on_duel and state is not None and state.phase is not Phase.OVER))

    def show_verdict(self, experiment: Experiment) -> None:
        """See `RateView`."""
        self.experiment = experiment
        self.side.set_current(experiment.id)
        self.tasks.start(self.commands.show_verdict(experiment), "a verdict")

    def list_changed(self) -> None:
        """See `RateView`."""
        try:
            self.side.show_experiments(self._application.rating.experiments())
        except CodetteError as error:
            self.show_error(error)
            return
        page = self.stack.currentWidget()
        if isinstance(page, LeaderboardPage | VotesPage):
            page.reload()

    def show_error(self, error: CodetteError) -> None:
        """See `RateView`: on the page where an experiment is begun, else as a toast."""
        self.setup_page.set_busy(False)
        if self.stack.currentWidget() is self.setup_page:
            self.setup_page.show_problem(error_text(error))
        else:
            self._toasts.show_toast(error_text(error), "bad", timeout_ms=10_000)

    def show_page(self, page: QWidget) -> None:
        """Go to one of the pages."""
        self.stack.setCurrentWidget(page)
        if page not in (self.duel_page, self.setup_page):
            self.presenter.note_names_seen()  # what is shown there names who wrote what
        self.undo_changed(self.presenter.state)

    async def aclose(self) -> None:
        """Stop what runs; duels that are prepared are kept."""
        await self.presenter.aclose()
        for page in (self.stack.widget(place) for place in range(self.stack.count())):
            if isinstance(page, LeaderboardPage | VotesPage | VerdictPage):
                await page.aclose()
        await self.tasks.aclose()
        self.duel_page.discard()
