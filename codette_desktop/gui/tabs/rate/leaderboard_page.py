"""The leaderboard: all contestants by all blind votes, filtered, with intervals."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.tasks import TaskType
from codette_desktop.domain.votes import VoteFilter
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.rate import board_wording, wording
from codette_desktop.gui.tabs.rate.chart_axis import points_axis
from codette_desktop.gui.tabs.rate.interval_chart import IntervalChart
from codette_desktop.gui.tabs.rate.pair_matrix import PairMatrix
from codette_desktop.gui.tabs.rate.result_parts import Card, Notes, body_of, standing_rows, wrapped
from codette_desktop.gui.tabs.rate.standings_table import StandingsTable
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import Banner, EmptyState, ScrollColumn
from codette_desktop.rating.leaderboard import Control, Leaderboard, fewest_votes

Load = Callable[[VoteFilter, frozenset[Control]], Leaderboard]
_LOW = 300  # design pixels
BUSY_AFTER_MS = 300  # what comes sooner needs no word


class LeaderboardPage(QWidget):
    """`load` blocks and is called in another thread, and so is `equal`, which says how many of the votes that count are
    ties nobody was asked for; of two requests the newer one wins. `votes_wanted` carries a VoteFilter."""

    votes_wanted = Signal(object)
    start_wanted = Signal()

    def __init__(
        self, load: Load, equal: Callable[[VoteFilter], int] = lambda _votes: 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._load, self._count_equal = load, equal
        self._equal = 0
        self._tasks = Tasks(self._show_error)
        self._request = 0
        self.board: Leaderboard | None = None
        self._shown = VoteFilter(blind=True)
        self.task, self.period = QComboBox(), QComboBox()
        self.controls = {
            Control.STYLE: QCheckBox(tr("Leave out the effect of style")),
            Control.POSITION: QCheckBox(tr("Leave out the effect of the side")),
        }
        self.busy = QLabel(tr("Counting the votes …"))
        self.banner = Banner()
        self.about, self.control_note = wrapped(role="secondary"), wrapped(role="secondary")
        self.chart = IntervalChart(tr("Ratings"))
        self.table, self.matrix, self.notes = StandingsTable(), PairMatrix(), Notes()
        self.empty = EmptyState("scale", "")
        self.area = ScrollColumn()
        self.stack = QStackedWidget()
        self.stack.setMinimumHeight(1)  # never over the filters
        self._busy_later = QTimer(self, interval=BUSY_AFTER_MS, singleShot=True)
        self._busy_later.timeout.connect(self.busy.show)
        self._fill()
        self._lay_out()
        self._connect()

    def _fill(self) -> None:
        self.task.setAccessibleName(tr("Task"))
        for task in ("", *(item.value for item in TaskType)):
            self.task.addItem(board_wording.task_name(task), task)
        self.period.setAccessibleName(tr("Period"))
        for days in (0, 7, 30, 90):
            text = tr("Last {n} days", n=number(days)) if days else tr("All time")
            self.period.addItem(text, days)
        for box in self.controls.values():
            box.setAccessibleName(box.text())
            sized(box, minimum=(0, 30))  # in line with the fields beside it
        set_role(self.busy, "secondary")
        self.busy.hide()

    def _lay_out(self) -> None:
        title = QLabel(tr("Leaderboard"))
        set_role(title, "title")
        self.filters = FlowBox(spacing=8)
        for widget in (self.task, self.period, *self.controls.values(), self.busy):
            self.filters.flow.addWidget(widget)
        ratings = Card(
            tr("Ratings"),
            tr(
                "Points with 95 % intervals; the mean is 1,000. Enter or a double click shows the votes of a "
                "contestant."
            ),
        )
        ratings.column.addWidget(self.chart)
        standings = Card(tr("Standings"))
        standings.column.addWidget(self.table)
        pairs = Card(
            tr("Each against each"),
            tr("How likely the row beats the column, by all votes. Enter or a double click shows the votes of a pair."),
        )
        pairs.column.addWidget(self.matrix)
        rest = Card(tr("What this rests on"))
        rest.column.addWidget(self.notes)
        body = body_of(self.area, (24, 0, 14, 24))  # the scroll bar is the rest of the right margin
        for widget in (self.about, self.control_note, ratings, standings, pairs, rest):
            body.addWidget(widget)
        self.blank = QWidget()
        for widget in (self.blank, self.area, self.empty):
            self.stack.addWidget(widget)
        head = QVBoxLayout()
        spaced(head, (24, 20, 24, 12), 12)
        for widget in (title, self.filters, self.banner):
            head.addWidget(widget)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self.task.currentIndexChanged.connect(self.reload)
        self.period.currentIndexChanged.connect(self.reload)
        for box in self.controls.values():
            box.toggled.connect(self.reload)
        self.chart.activated.connect(self._open_row)
        self.table.opened.connect(lambda standing: self._open_contestant(standing.contestant.key))
        self.matrix.activated.connect(self._open_pair)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_controls()

    def _fit_controls(self) -> None:
        """In a low window what is left out gives way to the ratings; what is in force stays on view."""
        low = self.height() < theme().px(_LOW)
        for box in self.controls.values():
            box.setVisible(not low or box.isChecked())
        self.filters.fit()

    # What is asked for

    def votes(self) -> VoteFilter:
        """The filter as it stands."""
        days = self.period.currentData()
        since = datetime.now(UTC) - timedelta(days=days) if days else None
        return VoteFilter(task=self.task.currentData(), since=since)  # how many do not count is told

    def chosen_controls(self) -> frozenset[Control]:
        """What is to be left out."""
        return frozenset(control for control, box in self.controls.items() if box.isChecked())

    def show_all(self) -> None:
        """No filter."""
        for box in (self.task, self.period):
            box.setCurrentIndex(0)

    def reload(self) -> None:
        """Read anew; what is on view stays until then. To be called when the page is shown and votes have changed."""
        self._request += 1
        self._busy_later.start()
        self._tasks.start(self._read(self._request, self.votes(), self.chosen_controls()), "read the leaderboard")

    async def _read(self, request: int, votes: VoteFilter, controls: frozenset[Control]) -> None:
        try:
            loop = asyncio.get_event_loop()
            board = await loop.run_in_executor(None, self._load, votes, controls)
            equal = await loop.run_in_executor(None, self._count_equal, votes)
        except CodetteError:
            if request == self._request:
                self._not_busy()
                raise
            return
        if request != self._request:  # a newer one is on its way
            return
        self._not_busy()
        self.banner.clear()
        self._equal = equal
        self._show_board(board, votes)

    def _not_busy(self) -> None:
        self._busy_later.stop()
        self.busy.hide()

    def _show_error(self, error: CodetteError) -> None:
        self.banner.show_message("bad", error_text(error), action_text=tr("Try again"), on_action=self.reload)

    # What is shown

    def _show_board(self, board: Leaderboard, votes: VoteFilter) -> None:
        self.board, self._shown = board, replace(votes, blind=True)
        self._show_controls(board)
        if not board.votes:
            self._show_empty(board)
            return
        ranked = [item for item in board.standings if item.votes] or list(board.standings)
        labels = {item.place: item.contestant.label for item in board.standings}
        self.filters.show()
        self.about.setText(_about(board, self._equal))
        self.chart.show_rows(standing_rows(ranked), points_axis(item.rating for item in ranked))
        self.table.show_standings(ranked)
        order = [item.place for item in ranked][:_MOST_PAIRS]
        self.matrix.show_pairs(board.pairs, labels, order)
        self.notes.show_lines(_notes(board, self._equal))
        self.stack.setCurrentWidget(self.area)

    def _show_controls(self, board: Leaderboard) -> None:
        chosen = self.chosen_controls()
        for control, box in self.controls.items():
            missing = max(0, fewest_votes(len(board.standings), chosen | {control}) - (board.votes - board.both_bad))
            box.setEnabled(not missing or box.isChecked())
            box.setToolTip(board_wording.missing_text(missing) if missing else board_wording.control_tip(control))
        text = ""
        if chosen and board.missing_votes:
            text = f"{board_wording.missing_text(board.missing_votes)} {tr('Until then the ratings are plain.')}"
        self.control_note.setText(text or board_wording.effects_text(board.effects))
        self.control_note.setVisible(bool(self.control_note.text()))

    def _show_empty(self, board: Leaderboard) -> None:
        out = ""
        if board.taken_back or any(count for _why, count in board.excluded):
            out = board_wording.left_out_text(board.excluded, board.taken_back)
        filtered = self.task.currentIndex() > 0 or self.period.currentIndex() > 0
        self.filters.setVisible(filtered)
        if filtered:
            self.empty.set_text(
                tr("No blind vote fits"), f"{tr('Choose another task or a longer time.')} {out}".strip()
            )
            self.empty.set_actions([(tr("Show all votes"), self.show_all, "primary")])
        else:
            text = tr(
                "Begin an experiment: two answers without names, and you say which is better. Only such votes count "
                "here."
            )
            self.empty.set_text(tr("No blind votes yet"), f"{text} {out}".strip())
            self.empty.set_actions([(tr("Begin an experiment"), self.start_wanted.emit, "primary")])
        self.stack.setCurrentWidget(self.empty)

    # What is opened

    def _open_row(self, row: int) -> None:
        if self.board is not None:
            ranked = [item for item in self.board.standings if item.votes] or list(self.board.standings)
            self._open_contestant(ranked[row].contestant.key)

    def _open_contestant(self, key: str) -> None:
        self.votes_wanted.emit(replace(self._shown, contestant=key))

    def _open_pair(self, row: int, column: int) -> None:
        if self.board is not None:
            keys = {item.place: item.contestant.key for item in self.board.standings}
            self.votes_wanted.emit(replace(self._shown, pair=(keys[row], keys[column])))

    async def aclose(self) -> None:
        """Stop what runs."""
        self._request += 1
        self._busy_later.stop()
        await self._tasks.aclose()


_MOST_PAIRS = 12  # rows of the matrix; more could not be read


def _about(board: Leaderboard, equal: int) -> str:
    prompts = tr("1 prompt") if board.prompts == 1 else tr("{n} prompts", n=number(board.prompts))
    return tr("{votes} on {prompts}. Only votes cast without names in sight count.",
              votes=wording.cast_text(board.votes, equal), prompts=prompts)  # fmt: skip


def _notes(board: Leaderboard, equal: int) -> list[tuple[str, str]]:
    repeated = board.clustered and board.prompts < board.votes
    clustered = tr("Several votes fall on the same prompts: the intervals are wider for it.") if repeated else ""
    return [
        (tr("Left out"), board_wording.left_out_text(board.excluded, board.taken_back)),
        (tr("Equal answers"), wording.identical_text(equal)),
        (tr("Both bad"), board_wording.both_bad_text(board.both_bad)),
        (tr("Left or right"), board_wording.position_text(board.position)),
        (tr("Prompts"), clustered),
        (
            tr("Marks"),
            tr("A hollow dot says little: no votes yet, never met the others, or always won or lost."),
        ),
    ]
