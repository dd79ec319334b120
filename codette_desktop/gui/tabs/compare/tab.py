"""The Compare tab: one prompt to several members side by side, the one answer they give together, and batches."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.comparisons import TOGETHER, Origin
from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.compare.batch_page import BatchPage
from codette_desktop.gui.tabs.compare.batch_presenter import BatchPresenter
from codette_desktop.gui.tabs.compare.columns import Columns
from codette_desktop.gui.tabs.compare.commands import CompareCommands
from codette_desktop.gui.tabs.compare.differing import DifferenceMarker
from codette_desktop.gui.tabs.compare.measure_dialog import MeasureDialog
from codette_desktop.gui.tabs.compare.presenter import ComparePresenter
from codette_desktop.gui.tabs.compare.prompt_box import PromptBox
from codette_desktop.gui.tabs.compare.rate_row import RateRow
from codette_desktop.gui.tabs.compare.runs_list import RunsList
from codette_desktop.gui.tabs.compare.setup_bar import SetupBar
from codette_desktop.gui.tabs.compare.state import CompareState, Setup
from codette_desktop.gui.tabs.compare.tools_row import ToolsRow
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import EmptyState, MarkdownView, ToastHost

if TYPE_CHECKING:
    from codette_desktop.application import Application

EXAMPLE = "What does Q4_0 mean?"


class CompareTab(QWidget):
    """Draws what its presenters say (`CompareView`, `BatchView`) and passes on what the person does.

    `chat_wanted` carries the id of a chat that is to be shown, `blind_wanted` two members that are to meet in a duel,
    `record_wanted` the id of the generation whose flight record is to be shown.
    """

    ask_wanted = Signal()
    chat_wanted = Signal(str)
    blind_wanted = Signal(tuple)
    record_wanted = Signal(str)

    def __init__(
        self, application: "Application", choice: ModelChoice, toasts: ToastHost, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._application = application
        self._toasts = toasts
        self.measure_dialog: MeasureDialog | None = None
        self.tasks = Tasks(self.show_error)
        self.presenter = ComparePresenter(application, self)
        self.batches = BatchPresenter(application, self, self.presenter.comparison_setup)
        self.commands = CompareCommands(application, self.presenter, self.tasks, toasts, self, self.chat_wanted.emit)
        self.side = RunsList(application.comparisons)
        self.prompt = PromptBox()
        self.setup_bar = SetupBar(self.presenter.member, lambda: choice.entries, application.roles.all)
        self.tools = ToolsRow()
        self.rate_row = RateRow()
        self.columns = Columns()
        self.marker = DifferenceMarker(self)
        self.batch_page = BatchPage(self.batches, toasts)
        self.empty = EmptyState("columns-2", tr("One prompt, several answers"))
        self.problem = QLabel()
        self._lay_out()
        self._connect()
        self.show_setup(self.presenter.setup)
        self.show_state(self.presenter.state)

    def _lay_out(self) -> None:
        set_role(self.problem, "bad")
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.empty.set_text(
            tr("One prompt, several answers"),
            tr(
                "Type a prompt above. It goes to every member at once: models, personas, or the same model with other "
                "parameters. Their answers stand side by side with their speed, and a method can make one of them."
            ),
        )
        self.empty.set_actions(
            [
                (tr("Try an example"), self._try_example, "primary"),
                (tr("Five personas"), self._use_personas),
                (tr("Many prompts at once"), self.show_batches),
            ]
        )
        head = QWidget()
        top = QVBoxLayout(head)
        spaced(top, (24, 16, 24, 8), 8)
        for widget in (self.prompt, self.setup_bar, self.problem):
            top.addWidget(widget)
        self._results = self._make_results()
        self.stack = QStackedWidget()
        for page in (self.empty, self._results, self.batch_page):
            self.stack.addWidget(page)
        self.stack.setMinimumHeight(1)  # else it would squeeze the members above it
        work = QWidget()
        column = QVBoxLayout(work)
        spaced(column, spacing=0)
        column.addWidget(head)
        column.addWidget(self.stack, 1)
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

    def _make_results(self) -> QWidget:
        results = QWidget()
        below = QVBoxLayout(results)
        spaced(below, spacing=0)
        below.addWidget(self.tools)
        below.addWidget(self.rate_row)
        self.rate_row.hide()
        below.addWidget(self.columns, 1)
        return results

    def _connect(self) -> None:
        presenter, commands = self.presenter, self.commands
        self.prompt.submitted.connect(lambda text: self.compare(text))
        self.prompt.stop_wanted.connect(presenter.stop)
        self.setup_bar.changed.connect(presenter.set_setup)
        self.setup_bar.personas_wanted.connect(self._use_personas)
        self.tools.pair_changed.connect(self._show_pair)
        self.tools.in_step_changed.connect(self._set_in_step)
        self.tools.rate_toggled.connect(self.rate_row.setVisible)
        self.rate_row.voted.connect(commands.vote)
        self.rate_row.blind_wanted.connect(
            lambda *pair: self.blind_wanted.emit(tuple(presenter.state.columns[place].member.spec for place in pair))
        )
        self.marker.shown.connect(self.tools.show_found)
        self.columns.made.connect(self._connect_columns)
        self.columns.together.copied.connect(commands.copy)
        self.columns.together.measure_wanted.connect(self.measure)
        self.columns.together.use_wanted.connect(lambda: commands.use(TOGETHER))
        self.columns.together.chat_wanted.connect(lambda: commands.chat_on(TOGETHER))
        self.setup_bar.measure_wanted.connect(self.measure)
        self.side.opened.connect(self.open)
        self.side.new_wanted.connect(self.new)
        self.side.batch_wanted.connect(self.show_batches)
        self.side.delete_wanted.connect(commands.delete)
        self.side.export_wanted.connect(commands.export)

    def _connect_columns(self) -> None:
        self.marker.compare(None, None)  # the views it marked are gone
        for column in self.columns.columns:
            column.use_wanted.connect(self.commands.use)
            column.chat_wanted.connect(self.commands.chat_on)
            column.again_wanted.connect(self.presenter.again)
            column.stop_wanted.connect(self.presenter.drop)
            column.copied.connect(self.commands.copy)
            column.record_wanted.connect(self.record_wanted)

    def start(self) -> None:
        """Fill the list; called once the loop runs."""
        self.side.reload()
        self.batches.reload()

    # What the person does

    def compare(self, text: str, origin: Origin | None = None) -> None:
        """Ask all members; not while others are being asked, whose answers would be lost from view."""
        if self.presenter.is_running:
            self._show_problem(tr("A comparison is being answered. Stop it first (Esc), or wait until it is done."))
            return
        self.prompt.set_text(text)
        self._show_problem("")
        self.presenter.compare(text, origin)

    def open(self, comparison_id: str) -> None:
        """Show a comparison that was kept."""
        if self.presenter.open(comparison_id):
            self.prompt.set_text(self.presenter.state.prompt)
        else:
            self.side.reload()

    def new(self) -> None:
        """An empty page to type on."""
        self.presenter.new()
        self.prompt.set_text("")
        self.prompt.focus()

    def show_batches(self) -> None:
        """The page of batches."""
        self.stack.setCurrentWidget(self.batch_page)
        self.prompt.hide()
        self.batch_page.reload()
        self.side.set_current("")
        self.batch_page.focus()

    def measure(self) -> None:
        """Open what measures these members and all methods."""
        dialog = MeasureDialog(self._application, self.presenter.setup.specs, self)
        dialog.method_wanted.connect(
            lambda method: self.presenter.set_setup(replace(self.presenter.setup, method=method))
        )
        dialog.finished.connect(dialog.deleteLater)
        self.measure_dialog = dialog
        dialog.open()

    def stop(self) -> None:
        """Esc."""
        if not self.presenter.stop() and self.stack.currentWidget() is self.batch_page:
            self.show_state(self.presenter.state)

    def toggle_side(self) -> bool:
        """Ctrl+B; gives whether the list is shown now."""
        self.side.setVisible(self.side.isHidden())
        return not self.side.isHidden()

    def _try_example(self) -> None:
        self.compare(self.prompt.text().strip() or EXAMPLE)

    def _use_personas(self) -> None:
        self.presenter.set_setup(self.presenter.personas_setup())
        self.prompt.focus()

    def _set_in_step(self, on: bool) -> None:
        self.columns.in_step = on

    # CompareView

    def show_state(self, state: CompareState) -> None:
        """See `CompareView`."""
        self.columns.show_state(state)
        self.tools.show_state(state)
        self.rate_row.show_state(state)
        self.prompt.set_running(running=state.running)
        self.stack.setCurrentWidget(self._results if state.columns else self.empty)
        self.prompt.show()
        self._show_problem(error_text(state.error) if state.error is not None else "")
        self.side.set_current(state.id)

    def column_grew(self, place: int, text: str) -> None:
        """See `CompareView`."""
        self.columns.columns[place].grew(text)

    def column_changed(self, place: int) -> None:
        """See `CompareView`."""
        state = self.presenter.state
        self.columns.columns[place].show_head(chosen=state.chosen == place, busy=state.running)
        self.rate_row.show_state(state)

    def together_grew(self, text: str) -> None:
        """See `CompareView`."""
        self.columns.together.grew(self.presenter.state, text)

    def together_changed(self) -> None:
        """See `CompareView`."""
        self.columns.together.show_state(self.presenter.state)
        self.tools.show_state(self.presenter.state)

    def show_setup(self, setup: Setup) -> None:
        """See `CompareView`."""
        self._show_problem("")
        self.setup_bar.show_setup(setup)

    def list_changed(self) -> None:
        """See `CompareView`."""
        self.side.reload()
        if self.stack.currentWidget() is self.batch_page:
            self.batch_page.reload()

    def show_error(self, error: CodetteError) -> None:
        """See `CompareView`: under the members, where it is most often about one of them."""
        self._show_problem(error_text(error))

    def batches_changed(self) -> None:
        """See `BatchView`."""
        self.batch_page.reload()

    def _show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _show_pair(self, pair: tuple[int, int] | None) -> None:
        views = [self._view_at(place) for place in pair] if pair is not None else [None, None]
        self.marker.compare(views[0], views[1])

    def _view_at(self, place: int) -> MarkdownView | None:
        if place == TOGETHER:
            return self.columns.together.markdown
        columns = self.columns.columns
        return columns[place].markdown if place < len(columns) else None

    async def aclose(self) -> None:
        """Stop what runs; what was written is kept."""
        self.marker.clear()
        await self.presenter.aclose()
        await self.batch_page.aclose()
        await self.batches.aclose()
        await self.tasks.aclose()
        self.columns.discard()
