"""The votes themselves: a table of them, and all that is stored of the one that is chosen."""

from collections.abc import Mapping
from datetime import date

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSplitter,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.votes import Vote, VoteFilter
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.styles import styled
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.rate.vote_detail import VoteDetail
from codette_desktop.gui.tabs.rate.vote_wording import filter_words, vote_sentence
from codette_desktop.gui.tabs.rate.votes_model import (
    COUNTS,
    LEFT,
    RIGHT,
    SECONDS,
    SOURCE,
    TASK,
    VOTE,
    WHEN,
    Texts,
    VoteReader,
    VotesModel,
)
from codette_desktop.gui.tabs.rate.wording import capital, votes_text
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import Banner, EmptyState, IconButton, dialogs
from codette_desktop.gui.widgets.plain_rows import plain_rows

__all__ = ["Texts", "VoteReader", "VotesPage"]

ROW = 28
MOVED_MOST = 50  # rows by which the chosen vote is looked for after a change
_NARROW_WITHOUT = {
    SOURCE: 900,
    TASK: 820,
    SECONDS: 720,
    COUNTS: 620,
    WHEN: 440,
}  # design widths below which a column goes


class VotesPage(QWidget):
    """Draws what it reads; `take_back_wanted` carries a vote's id, after the person has confirmed it."""

    take_back_wanted = Signal(str)
    back_wanted = Signal()

    def __init__(self, votes: VoteReader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._votes = votes
        self._filter = VoteFilter()
        self._tasks = Tasks(self._show_error)
        self.model = VotesModel(votes, self)
        self.model.failed.connect(self._show_error)
        self.back_button = IconButton("chevron-left", tr("Back"))
        self.title = QLabel(tr("Votes"))
        set_role(self.title, "title")
        self.chips = FlowBox()
        self.banner = Banner()
        self.table = QTableView()
        self.detail = VoteDetail()
        self.empty = EmptyState("scale", tr("No vote fits"), tr("Votes are listed here as soon as you cast some."))
        self.stack = QStackedWidget()
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self._make_table()
        self._lay_out()
        self.back_button.clicked.connect(self.back_wanted)
        self.detail.take_back_wanted.connect(self._take_back)
        self.detail.link_activated.connect(
            lambda url: self._tasks.start(dialogs.ask_to_open(self, url), "ask to open a link")
        )
        theme().changed.connect(self._fit_columns)

    def _make_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setAccessibleName(tr("Votes"))
        plain_rows(table)
        head = table.horizontalHeader()
        for column in (LEFT, RIGHT):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        table.selectionModel().currentRowChanged.connect(self._on_current)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._take_back)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, spacing=8)
        head.addWidget(self.back_button)
        head.addWidget(self.title)
        head.addStretch(1)
        top = QVBoxLayout()
        spaced(top, (24, 20, 24, 12), 8)
        top.addLayout(head)
        top.addWidget(self.chips)
        top.addWidget(self.banner)
        held = QWidget()
        around = QVBoxLayout(held)
        spaced(around, (24, 0, 24, 4), 0)
        around.addWidget(self.table)
        self.splitter.addWidget(held)
        self.splitter.addWidget(self.detail)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 3)
        held.setMinimumHeight(theme().px(96))
        self.detail.setMinimumHeight(theme().px(96))
        self.stack.addWidget(self.splitter)
        self.stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addLayout(top)
        layout.addWidget(self.stack, 1)

    # What is shown

    def show_votes(self, votes: VoteFilter, names: Mapping[str, str] | None = None) -> None:
        """Those of a filter. `names` says what its contestants and its experiment are called, by key and id; what it
        does not hold is read from the votes."""
        self._filter = votes
        self._read()
        self._show_chips({**self._known_names(), **(names or {})})
        self._go_to(0)

    def reload(self) -> None:
        """Read the same anew and keep the place. To be called when votes have changed."""
        row, bar = self.table.currentIndex().row(), self.table.verticalScrollBar()
        value = bar.value()
        chosen = self.detail.vote.id if self.detail.vote is not None and row >= 0 else ""
        self._read()
        bar.setValue(value)
        self._go_to(self._row_near(max(0, row), chosen))

    def _row_near(self, row: int, vote_id: str) -> int:
        """Where a vote stands that stood at `row` before others came or went; `row` where it is gone."""
        rows = range(max(0, row - MOVED_MOST), min(self.model.rowCount(), row + MOVED_MOST + 1))
        found = ((at, self.model.vote_at(at)) for at in rows)
        return next((at for at, vote in found if vote is not None and vote.id == vote_id), row)

    def _read(self) -> None:
        self.banner.clear()
        self.model.show_filter(self._filter)
        count = self.model.rowCount()
        self.title.setText(capital(votes_text(count)))
        self.setAccessibleName(self.title.text())
        self.stack.setCurrentWidget(self.splitter if count else self.empty)
        self._fit_columns()

    def _known_names(self) -> dict[str, str]:
        vote = self.model.vote_at(0) if self.model.rowCount() else None
        sides = [side.contestant for side in (vote.left, vote.right) if side] if vote else []
        return {contestant.key: contestant.label for contestant in sides}

    def _show_chips(self, names: Mapping[str, str]) -> None:
        while (item := self.chips.flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        words = filter_words(self._filter, names)
        for text in words:
            self.chips.flow.addWidget(FilterChip(text))
        self.chips.setVisible(bool(words))
        self.chips.fit()

    def _go_to(self, row: int) -> None:
        if not self.model.rowCount():
            return
        index = self.model.index(min(row, self.model.rowCount() - 1), 0)
        self.table.setCurrentIndex(index)
        self._on_current(index)

    def _on_current(self, index: QModelIndex, _before: QModelIndex | None = None) -> None:
        vote = self.model.vote_at(index.row()) if index.isValid() else None
        if vote is not None:
            self.detail.show_vote(vote, self._texts(vote))

    def _texts(self, vote: Vote) -> Texts | None:
        try:
            return self._votes.texts(vote)
        except CodetteError as error:
            self._show_error(error)
            return None

    # Taking back

    def _take_back(self) -> None:
        vote = self.detail.vote
        if vote is not None and vote.taken_back_at is None and not len(self._tasks):
            self._tasks.start(self._ask_to_take_back(vote), "ask to take a vote back")

    async def _ask_to_take_back(self, vote: Vote) -> None:
        text = tr("“{vote}” will stay in the list, marked as taken back, and count for nothing.",
                  vote=vote_sentence(vote))  # fmt: skip
        if await dialogs.ask(self, tr("Take this vote back?"), text, accept=tr("Take back"), danger=True):
            self.take_back_wanted.emit(vote.id)

    def _show_error(self, error: CodetteError) -> None:
        self.banner.show_message("bad", error_text(error), action_text=tr("Try again"), on_action=self.reload)

    # Sizes

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _fit_columns(self) -> None:
        px = theme().px
        self.table.verticalHeader().setDefaultSectionSize(px(ROW))
        words, mono = QFontMetrics(theme().font(12)), QFontMetrics(theme().font(12, mono=True))
        widest = {
            WHEN: mono.horizontalAdvance(f"{date(2000, 9, 30):%d %b %Y} 00:00"),
            TASK: words.horizontalAdvance(tr("Documentation")),
            VOTE: words.horizontalAdvance(tr("right better")),
            SECONDS: mono.horizontalAdvance("99 min 59 s"),
            SOURCE: words.horizontalAdvance(tr("equal answers")),
            COUNTS: words.horizontalAdvance(tr("an answer named itself")),
        }
        for column, width in widest.items():
            self.table.horizontalHeader().resizeSection(column, width + px(20))
            self.table.setColumnHidden(column, self.width() < px(_NARROW_WITHOUT.get(column, 0)))

    async def aclose(self) -> None:
        """Stop what runs."""
        await self._tasks.aclose()


class FilterChip(QLabel):
    """One thing that is filtered."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text if len(text) <= 60 else f"{text[:59]}…", parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setToolTip(text)
        self.setAccessibleName(tr("Filter: {text}", text=text))
        styled(self, "QLabel { background: @accent_soft; border-radius: @10; padding: @3 @10; font-size: @12; }")
