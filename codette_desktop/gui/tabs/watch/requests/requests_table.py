"""The table of requests: its columns, its sorting, its keys."""

from collections.abc import Callable
from datetime import date

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QFontMetrics, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from codette_desktop.domain.request_log import Purpose, RequestRecord
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.watch.requests import requests_wording as words
from codette_desktop.gui.tabs.watch.requests.requests_delegate import RequestsDelegate
from codette_desktop.gui.tabs.watch.requests.requests_model import RequestsModel
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets.plain_rows import plain_rows

ROW = 28
MOST_SELECTED = 1_000  # rows that are copied at once
_NARROW_WITHOUT = {
    words.QUEUE: 1120,
    words.CACHED: 1040,
    words.ENERGY: 960,
    words.PURPOSE: 860,
    words.PROMPT: 780,
    words.TOTAL: 700,
    words.ANSWER: 620,
    words.FIRST: 540,
}  # design widths of the table below which a column goes


class RequestsTable(QTableView):
    """`opened` carries the row that is to be opened, `order_wanted` a column and whether the largest come first."""

    opened = Signal(int)
    copy_wanted = Signal()
    order_wanted = Signal(int, bool)
    chosen = Signal()

    def __init__(self, model: RequestsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.menu_actions: Callable[[], list[QAction]] = list
        self.setModel(model)
        self.setItemDelegate(RequestsDelegate(model, self))
        self.setAccessibleName(tr("Requests"))
        plain_rows(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self._make_head()
        self.doubleClicked.connect(lambda index: self.opened.emit(index.row()))
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())
        self.selectionModel().currentRowChanged.connect(lambda *_: self.chosen.emit())
        theme().changed.connect(self.fit_columns)
        self.fit_columns()

    def _make_head(self) -> None:
        head = self.horizontalHeader()
        head.setSectionResizeMode(words.MODEL, QHeaderView.ResizeMode.Stretch)
        head.setSectionsClickable(True)
        head.setSortIndicatorShown(True)
        head.sectionClicked.connect(self.sort_by)
        self.show_order(words.WHEN, descending=True)

    # Sorting

    def show_order(self, column: int, *, descending: bool) -> None:
        """Mark by what it is sorted."""
        self._order = (column, descending)
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicator(column, order)

    def sort_by(self, column: int) -> None:
        """A click on a head: numbers and times begin with the largest, a second click turns it round."""
        before, descending = self._order
        if column not in words.ORDERS:
            self.show_order(before, descending=descending)
            return
        down = not descending if column == before else column not in (words.MODEL, words.OUTCOME)
        self.show_order(column, descending=down)
        self.order_wanted.emit(column, down)

    # What is chosen

    def chosen_rows(self) -> list[int]:
        """In the order of the table; those of a large choice only as far as they are copied."""
        rows: set[int] = set()
        chosen = self.selectionModel().selection()
        for part in (chosen.at(place) for place in range(chosen.count())):
            rows.update(range(part.top(), min(part.bottom(), part.top() + MOST_SELECTED) + 1))
        return sorted(rows)[:MOST_SELECTED]

    def chosen_records(self) -> list[RequestRecord]:
        """Those of them that are read already."""
        found = (self._model.record_at(row) for row in self.chosen_rows())
        return [record for record in found if record is not None]

    def go_to(self, row: int) -> None:
        """Choose a row and bring it into view."""
        if self._model.rowCount():
            self.setCurrentIndex(self._model.index(max(0, min(row, self._model.rowCount() - 1)), 0))

    @property
    def at_top(self) -> bool:
        """Whether the first row is the highest on view."""
        return self.verticalScrollBar().value() == 0

    # Hands

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def _open_menu(self, at: QPoint) -> None:
        index = self.indexAt(at) if self.viewport().rect().contains(at) else QModelIndex()
        if index.isValid() and index.row() not in self.chosen_rows():
            self.setCurrentIndex(index)
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.viewport().mapToGlobal(at))

    def make_menu(self) -> QMenu:
        """What can be done with the rows, and the ways to sort them, for the keyboard too (menu key, Shift+F10)."""
        menu = QMenu(self)
        menu.addActions(self.menu_actions())
        menu.addSeparator()
        sort = menu.addMenu(tr("Sort by"))
        for column in words.ORDERS:
            action = sort.addAction(self._model.titles[column])
            action.setCheckable(True)
            action.setChecked(column == self._order[0])
            action.triggered.connect(lambda _on=False, column=column: self.sort_by(column))
        return menu

    # Sizes

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_columns()

    def fit_columns(self) -> None:
        """As wide as their widest text; the model takes the rest; what has no room goes."""
        px = theme().px
        self.verticalHeader().setDefaultSectionSize(px(ROW))
        plain, mono = QFontMetrics(theme().font(12)), QFontMetrics(theme().font(12, mono=True))
        widest = {
            words.WHEN: mono.horizontalAdvance(f"{date(2000, 9, 30):%d %b %Y} 00:00"),
            words.PURPOSE: max(plain.horizontalAdvance(words.purpose_word(item)) for item in Purpose),
            words.OUTCOME: max(plain.horizontalAdvance(text) for text in words.outcome_words()),
            words.PROMPT: mono.horizontalAdvance("100,000"),
            words.ANSWER: mono.horizontalAdvance("100,000"),
            words.FIRST: mono.horizontalAdvance("00 min 00 s"),
            words.SPEED: mono.horizontalAdvance("10,000"),
            words.TOTAL: mono.horizontalAdvance("00 min 00 s"),
            words.QUEUE: mono.horizontalAdvance("999.9 ms"),
            words.ENERGY: mono.horizontalAdvance("10,000 J"),
            words.CACHED: plain.horizontalAdvance(tr("part")),
        }
        for column, width in widest.items():
            title = plain.horizontalAdvance(self._model.titles[column]) + px(18)  # the arrow of the order beside it
            self.horizontalHeader().resizeSection(column, max(width, title) + px(22))
            self.setColumnHidden(column, self.width() < px(_NARROW_WITHOUT.get(column, 0)))
