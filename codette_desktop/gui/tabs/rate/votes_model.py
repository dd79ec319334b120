"""Votes as a table of which only the pages on view are in memory."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QColor

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Message
from codette_desktop.domain.votes import Vote, VoteFilter
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.row_drawing import Index
from codette_desktop.gui.tabs.ask.wording import clock
from codette_desktop.gui.tabs.rate.board_wording import task_name
from codette_desktop.gui.tabs.rate.vote_wording import (
    counts_word,
    preference_word,
    seconds_text,
    source_word,
    vote_sentence,
)
from codette_desktop.gui.theme import theme
from codette_desktop.gui.titled_model import TitledModel

PAGE = 200
PAGES_KEPT = 16
VoteRole = Qt.ItemDataRole.UserRole + 1
WHEN, TASK, LEFT, RIGHT, VOTE, SECONDS, SOURCE, COUNTS = range(8)


class Texts(Protocol):
    """What was asked, and answered; () and None where it is not kept any more, and None for the right of a thumb."""

    @property
    def prompt(self) -> Sequence[Message]: ...
    @property
    def left(self) -> str | None: ...
    @property
    def right(self) -> str | None: ...


class VoteReader(Protocol):
    """Where votes are read. Each call blocks for some milliseconds. Raises StoreError."""

    def list(self, wanted: VoteFilter, /, limit: int, offset: int) -> Sequence[Vote]:
        """A page of them, the newest first."""
        ...

    def count(self, wanted: VoteFilter, /) -> int:
        """How many there are."""
        ...

    def texts(self, vote: Vote, /) -> Texts:
        """What was asked and answered."""
        ...


class VotesModel(TitledModel):
    """As many rows as there are votes; a page is read when a row of it is looked at. `failed` carries the error."""

    failed = Signal(object)

    def __init__(self, votes: VoteReader, parent: QObject | None = None) -> None:
        titles = (
            tr("When"), tr("Task"), tr("Left"), tr("Right"), tr("Vote"), tr("Time"), tr("Source"), tr("Counts"),
        )  # fmt: skip
        tips = {SECONDS: tr("From showing both answers to the vote"), COUNTS: tr("Or why it counts for nothing")}
        super().__init__(titles, tips, (SECONDS,), parent)
        self._votes = votes
        self._filter = VoteFilter()
        self._count = 0
        self._pages: OrderedDict[int, Sequence[Vote]] = OrderedDict()

    def show_filter(self, votes: VoteFilter) -> None:
        """Read anew. A failure leaves no rows, and is told."""
        self.beginResetModel()
        self._filter = votes
        self._pages.clear()
        try:
            self._count = self._votes.count(votes)
        except CodetteError as error:
            self._count = 0
            self.failed.emit(error)
        self.endResetModel()

    def vote_at(self, row: int) -> Vote | None:
        """The vote of a row; None where it cannot be read."""
        page = self._page(row // PAGE)
        at = row % PAGE
        return page[at] if at < len(page) else None

    def _page(self, number: int) -> Sequence[Vote]:
        if number not in self._pages:
            try:
                self._pages[number] = self._votes.list(self._filter, PAGE, number * PAGE)
            except CodetteError as error:
                self._pages[number] = ()
                self.failed.emit(error)
            while len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return self._pages[number]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or (vote := self.vote_at(index.row())) is None:
            return None
        column = index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell_text(vote, column)
            case Qt.ItemDataRole.ToolTipRole:
                return f"{vote_sentence(vote)}\n{counts_word(vote)}"
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(column)
            case Qt.ItemDataRole.FontRole:
                return _font(vote, column)
            case Qt.ItemDataRole.ForegroundRole:
                quiet = not vote.counts or column in (WHEN, TASK, SECONDS, SOURCE, COUNTS)
                return QColor(theme().tokens.secondary) if quiet else None
            case _ if role == VoteRole:
                return vote
            case _:
                return None


def cell_text(vote: Vote, column: int) -> str:
    """What stands in a cell."""
    match column:
        case 0:
            return clock(vote.cast_at, datetime.now().astimezone().date())
        case 1:
            return task_name(vote.task)
        case 2:
            return vote.left.contestant.label
        case 3:
            return vote.right.contestant.label if vote.right else "–"
        case 4:
            return preference_word(vote.preference)
        case 5:
            return seconds_text(vote.seconds)
        case 6:
            return source_word(vote.source)
        case _:
            return counts_word(vote)


def _font(vote: Vote, column: int) -> Any:
    font = theme().font(12, mono=column in (WHEN, SECONDS))
    font.setStrikeOut(vote.taken_back_at is not None)
    return font
