"""How likely each contestant beats each other one, as a table that can be walked with the keyboard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.row_drawing import Index
from codette_desktop.gui.styles import styled
from codette_desktop.gui.tabs.rate.state_marks import MARK, MarkLegend, paint_mark
from codette_desktop.gui.tabs.rate.wording import pair_tip, percent, state_word
from codette_desktop.gui.theme import theme
from codette_desktop.rating.verdict import PairVerdict, State

CELL_LEAST, CELL_MOST, CELL_HEIGHT, HEAD_MOST = 58, 168, 34, 210
WITH_WORD = 112  # design width from which a cell has room for the word beside its mark
WITH_SIGN = 76  # and from which for the per cent sign
_STRONGEST = 0.34  # how opaque the colour is where one wins always
CellRole = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class Cell:
    """P(row beats column), 0 to 1, and how far the pair has come."""

    chance: float
    state: State


class MatrixModel(QAbstractTableModel):
    """`order` are places, the first row first."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.order: tuple[int, ...] = ()
        self.labels: dict[int, str] = {}
        self.numbered = False
        self._pairs: dict[tuple[int, int], PairVerdict] = {}
        self._margin: float | None = None

    def show_pairs(
        self, pairs: Sequence[PairVerdict], labels: Mapping[int, str], order: Sequence[int], margin: float | None
    ) -> None:
        """Replace all."""
        self.beginResetModel()
        self._pairs = {(pair.first, pair.second): pair for pair in pairs}
        self.labels, self.order, self._margin = dict(labels), tuple(order), margin
        self.endResetModel()

    def set_numbered(self, numbered: bool) -> None:
        """Columns are called by the numbers of their rows, where there is no room for names."""
        if numbered != self.numbered:
            self.numbered = numbered
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, max(0, len(self.order) - 1))
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, max(0, len(self.order) - 1))

    def pair_at(self, row: int, column: int) -> PairVerdict | None:
        """The pair of a cell; None on the diagonal."""
        first, second = sorted((self.order[row], self.order[column]))
        return self._pairs.get((first, second))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.order)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.pair_at(index.row(), index.column()) is None:
            return Qt.ItemFlag.NoItemFlags  # the keyboard steps over the diagonal
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= section < len(self.order):
            return None
        label = self.labels[self.order[section]]
        across = orientation == Qt.Orientation.Horizontal
        match role:
            case Qt.ItemDataRole.DisplayRole if self.numbered:
                return str(section + 1) if across else f"{section + 1}  {label}"
            case Qt.ItemDataRole.DisplayRole:
                return label
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return label
            case Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignCenter if across else _LEFT
            case _:
                return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        pair = self.pair_at(index.row(), index.column())
        if pair is None:
            return "" if role == Qt.ItemDataRole.DisplayRole else None
        row = self.order[index.row()]
        found = pair.probability if row == pair.first else pair.probability.reversed()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return percent(found.value)
            case Qt.ItemDataRole.ToolTipRole:
                return pair_tip(pair, row, self._names(), self._margin)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(index, percent(found.value), pair.state)
            case _ if role == CellRole:
                return Cell(found.value, pair.state)
            case _:
                return None

    def _names(self) -> list[str]:
        return [self.labels.get(place, number(place)) for place in range(max(self.labels, default=-1) + 1)]

    def _spoken(self, index: Index, share: str, state: State) -> str:
        row, column = self.labels[self.order[index.row()]], self.labels[self.order[index.column()]]
        return tr("{row} beats {column}: {share}, {state}", row=row, column=column, share=share,
                  state=state_word(state))  # fmt: skip


class MatrixDelegate(QStyledItemDelegate):
    """Number, mark, and the word where there is room; a soft colour by how far from one half."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        cell: Cell | None = index.data(CellRole)
        tokens, px = theme().tokens, theme().px
        box = QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -1.5)
        if cell is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(cell_colour(cell.chance))
            painter.drawRoundedRect(box, px(4), px(4))
            self._paint_content(painter, box, cell, index)
        if option.state & QStyle.StateFlag.State_Selected and cell is not None:
            focused = bool(option.state & QStyle.StateFlag.State_Active) and _has_focus(option)
            painter.setPen(QPen(QColor(tokens.accent if focused else tokens.line_strong), 2 if focused else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, px(4), px(4))
        elif option.state & QStyle.StateFlag.State_MouseOver and cell is not None:
            painter.setPen(QPen(QColor(tokens.line_strong), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, px(4), px(4))
        painter.restore()

    def _paint_content(self, painter: QPainter, box: QRectF, cell: Cell, index: Index) -> None:
        tokens, px = theme().tokens, theme().px
        painter.setFont(theme().font(12, mono=True))
        metrics = QFontMetrics(painter.font())
        tight = box.width() < px(WITH_SIGN)
        text = number(100 * cell.chance) if tight else str(index.data())
        widest = metrics.horizontalAdvance(number(100) if tight else percent(1.0))
        mark, gap = px(MARK), px(6)
        word = state_word(cell.state) if box.width() >= px(WITH_WORD) else ""
        small = QFontMetrics(theme().font(11))
        whole = mark + gap + widest + (gap + small.horizontalAdvance(word) if word else 0)
        if word and whole > box.width() - 2 * gap:
            word, whole = "", mark + gap + widest
        x = box.center().x() - whole / 2
        paint_mark(painter, QRectF(x, box.center().y() - mark / 2, mark, mark), cell.state)
        painter.setPen(QColor(tokens.secondary if cell.state is State.TOO_EARLY else tokens.text))
        place = QRectF(x + mark + gap, box.top(), widest, box.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        if word:
            painter.setFont(theme().font(11))
            painter.setPen(QColor(tokens.secondary))
            place = QRectF(x + mark + 2 * gap + widest, box.top(), box.width(), box.height())
            painter.drawText(place, _LEFT, word)


class MatrixView(QTableView):
    """The table alone. `activated_pair` carries the places of row and column: Enter, or a double click."""

    activated_pair = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.matrix = MatrixModel(self)
        self.setModel(self.matrix)
        self.setItemDelegate(MatrixDelegate(self))
        self.setAccessibleName(tr("How likely the row beats the column"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        styled(self, _PLAIN)
        self.setCornerButtonEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for head in (self.horizontalHeader(), self.verticalHeader()):
            head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            head.setSectionsClickable(False)
            head.setHighlightSections(False)
            head.setMinimumSectionSize(1)
        self.verticalHeader().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.activated.connect(self._activate)
        theme().changed.connect(self._fit)

    def show_pairs(
        self,
        pairs: Sequence[PairVerdict],
        labels: Mapping[int, str],
        order: Sequence[int] | None = None,
        margin: float | None = None,
    ) -> None:
        """The pairs of the contestants in `labels` (by place), rows in `order`."""
        self.matrix.show_pairs(pairs, labels, tuple(labels) if order is None else order, margin)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(480), self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(240), self._height())

    def _height(self) -> int:
        bar = self.horizontalScrollBar()
        low = bar.sizeHint().height() if self._overflows() else 0
        return len(self.matrix.order) * theme().px(CELL_HEIGHT) + self._head_height() + low + 2

    def _head_height(self) -> int:
        return theme().px(30)

    def _overflows(self) -> bool:
        return self._head_width() + len(self.matrix.order) * theme().px(CELL_LEAST) > self.width() - 2

    def _head_width(self) -> int:
        px = theme().px
        metrics = QFontMetrics(theme().font(12))
        widest = max((metrics.horizontalAdvance(f"88  {name}") for name in self.matrix.labels.values()), default=0)
        return max(px(60), min(widest + px(20), px(HEAD_MOST), round(0.36 * self.width())))

    def _fit(self) -> None:
        """Cells as wide as there is room, within bounds; names above them only where they can be read."""
        px, count = theme().px, len(self.matrix.order)
        if not count:
            return
        self.verticalHeader().setFixedWidth(self._head_width())
        room = (self.width() - 2 - self._head_width()) // count
        cell = max(px(CELL_LEAST), min(px(CELL_MOST), room))
        metrics = QFontMetrics(theme().font(12))
        widest = max(metrics.horizontalAdvance(name) for name in self.matrix.labels.values())
        self.matrix.set_numbered(widest + px(16) > cell)
        self.horizontalHeader().setFixedHeight(self._head_height())
        self.horizontalHeader().setDefaultSectionSize(cell)
        self.verticalHeader().setDefaultSectionSize(px(CELL_HEIGHT))
        if self.height() != self._height() or self.minimumHeight() != self._height():
            self.setFixedHeight(self._height())
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _activate(self, index: QModelIndex) -> None:
        if self.matrix.pair_at(index.row(), index.column()) is not None:
            self.activated_pair.emit(self.matrix.order[index.row()], self.matrix.order[index.column()])


class PairMatrix(QWidget):
    """The table and what its marks mean. `activated` carries the places of row and column."""

    activated = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = MatrixView()
        self.view.activated_pair.connect(self.activated)
        self.legend = MarkLegend()
        column = QVBoxLayout(self)
        spaced(column, spacing=8)
        column.addWidget(self.view)
        column.addWidget(self.legend)
        self.setFocusProxy(self.view)

    def show_pairs(
        self,
        pairs: Sequence[PairVerdict],
        labels: Mapping[int, str],
        order: Sequence[int] | None = None,
        margin: float | None = None,
    ) -> None:
        """The pairs of the contestants in `labels` (by place), rows and columns in `order`."""
        self.view.show_pairs(pairs, labels, order, margin)


def cell_colour(chance: float) -> QColor:
    """Blue where the row wins, orange where the column does: told apart by everyone, and pale near one half."""
    series = theme().tokens.series
    colour = QColor(series[0] if chance >= 0.5 else series[1])
    colour.setAlphaF(_STRONGEST * min(1.0, 2 * abs(chance - 0.5)) + 0.04)
    return colour


def _has_focus(option: QStyleOptionViewItem) -> bool:
    widget = option.widget
    return isinstance(widget, QWidget) and widget.hasFocus()


_PLAIN = """QTableView, QTableView:focus { border: none; background: transparent; }
QTableCornerButton::section { background: transparent; border: none; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: transparent; border: none; padding: 0px @6; }"""
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
