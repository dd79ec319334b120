"""Requests as a table of which only the pages on view are in memory, read while the window goes on."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.request_log import RequestFilter, RequestOrder, RequestRecord
from codette_desktop.gui.row_drawing import Index
from codette_desktop.gui.tabs.watch.background import off_thread
from codette_desktop.gui.tabs.watch.requests import requests_wording as words
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.titled_model import TitledModel
from codette_desktop.gui.widgets import plain_tip

PAGE = 200
PAGES_KEPT = 24
WAITING = 3  # pages asked for; who scrolls past others does not wait for them
PLACEHOLDER = "…"
RecordRole = Qt.ItemDataRole.UserRole + 1


class RequestReader(Protocol):
    """Where requests are read. Each call blocks for some milliseconds. Raises StoreError."""

    def count(self, wanted: RequestFilter, /) -> int:
        """How many there are."""
        ...

    def page(
        self, wanted: RequestFilter, order: RequestOrder, descending: bool, limit: int, offset: int, /
    ) -> Sequence[RequestRecord]:
        """Some of them."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """Which requests, in what order."""

    wanted: RequestFilter = field(default_factory=RequestFilter)
    order: RequestOrder = RequestOrder.AT
    descending: bool = True

    @property
    def newest_first(self) -> bool:
        """Whether new requests come at the top."""
        return self.order is RequestOrder.AT and self.descending

    def goes_on(self, before: "View") -> bool:
        """Whether it is the same, only until later."""
        return replace(self, wanted=replace(self.wanted, start=0, end=0)) == replace(
            before, wanted=replace(before.wanted, start=0, end=0)
        )


class RequestsModel(TitledModel):
    """As many rows as there are requests. A page is read when a row of it is looked at; until then it says "…".
    How cells look is up to `RequestsDelegate`.

    What was on view stays until the new reading is there; pages of an older one that come late are dropped. `shown`
    carries the number of rows after each reading, `failed` an error.
    """

    shown = Signal(int)
    failed = Signal(object)

    def __init__(self, requests: RequestReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(words.titles(), words.tips(), words.NUMBERS, parent)
        self._requests = requests
        self._tasks = tasks
        self.view = View()
        self._asked = 0  # the number of the last reading that was begun, and of that on view
        self._on_view = 0
        self._count = 0
        self._pages: OrderedDict[int, Sequence[RequestRecord]] = OrderedDict()
        self._queue: list[int] = []
        self._reading: int | None = None
        self.today = datetime.now().astimezone().date()

    # Reading

    def show_view(self, view: View) -> None:
        """Read these, and then show them."""
        self._asked += 1
        self._tasks.start(self._begin(self._asked, view), "read requests")

    async def _begin(self, number: int, view: View) -> None:
        def work() -> tuple[int, Sequence[RequestRecord]]:
            return self._count_of(view.wanted), self._page_of(view, 0)

        error: CodetteError | None = None
        try:
            count, first = await off_thread(work)
        except CodetteError as caught:
            count, first, error = 0, (), caught
        if number != self._asked:
            return
        self.today = datetime.now().astimezone().date()
        self._take(view, count, first)
        self.shown.emit(count)
        if error is not None:
            self.failed.emit(error)

    def _count_of(self, wanted: RequestFilter) -> int:
        """As `count`, but quick: all are counted in a sixth of the time that all before a moment take."""
        if wanted.end is None:
            return self._requests.count(wanted)
        everything = self._requests.count(replace(wanted, end=None))
        return everything - self._requests.count(replace(wanted, start=wanted.end, end=None))

    def _page_of(self, view: View, number: int) -> Sequence[RequestRecord]:
        return self._requests.page(view.wanted, view.order, view.descending, PAGE, number * PAGE)

    def _take(self, view: View, count: int, first: Sequence[RequestRecord]) -> None:
        """Rows that came on top are put there, so that what is chosen stays chosen; else all is new."""
        more = self._came_on_top(view, count, first)
        self._on_view = self._asked
        if more:
            self.beginInsertRows(QModelIndex(), 0, more - 1)
            self._fill(view, count, first)
            self.endInsertRows()
        else:
            self.beginResetModel()
            self._fill(view, count, first)
            self.endResetModel()

    def _fill(self, view: View, count: int, first: Sequence[RequestRecord]) -> None:
        self.view, self._count = view, count
        self._pages.clear()
        self._queue.clear()
        self._pages[0] = first

    def _came_on_top(self, view: View, count: int, first: Sequence[RequestRecord]) -> int:
        known = self._pages.get(0, ())
        more = count - self._count
        fits = view.newest_first and view.goes_on(self.view) and 0 < more < len(first) and bool(known)
        return more if fits and first[more].id == known[0].id else 0

    def record_at(self, row: int) -> RequestRecord | None:
        """The request of a row; None where it is not read yet, which is begun, or cannot be read."""
        number, at = divmod(row, PAGE)
        page = self._pages.get(number)
        if page is None:
            self._want(number)
            return None
        self._pages.move_to_end(number)
        return page[at] if at < len(page) else None

    def _want(self, number: int) -> None:
        """The page asked for last is read first."""
        if number == self._reading:
            return
        if number in self._queue:
            self._queue.remove(number)
        self._queue.append(number)
        del self._queue[:-WAITING]
        if self._reading is None:
            self._reading = number
            self._tasks.start(self._read_pages(), "read a page of requests")

    async def _read_pages(self) -> None:
        try:
            while self._queue:
                number, view, reading = self._queue.pop(), self.view, self._on_view
                self._reading = number
                error: CodetteError | None = None
                try:
                    page = await off_thread(lambda view=view, number=number: self._page_of(view, number))
                except CodetteError as caught:
                    page, error = (), caught
                if reading != self._on_view:
                    continue
                self._put(number, page)
                if error is not None:
                    self.failed.emit(error)
        finally:
            self._reading = None

    def _put(self, number: int, page: Sequence[RequestRecord]) -> None:
        self._pages[number] = page
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        last = min(self._count, (number + 1) * PAGE) - 1
        self.dataChanged.emit(self.index(number * PAGE, 0), self.index(last, len(self.titles) - 1))

    # QAbstractTableModel

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column, record = index.column(), self.record_at(index.row())
        if record is None:
            return _placeholder(column, role)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return words.cell_text(record, column, self.today)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(words.row_tip(record))
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(column)
            case _ if role == RecordRole:
                return record
            case _:
                return None


def _placeholder(column: int, role: int) -> Any:
    shown = column in (words.WHEN, words.MODEL) and role == Qt.ItemDataRole.DisplayRole
    return PLACEHOLDER if shown else "" if role == Qt.ItemDataRole.DisplayRole else None
