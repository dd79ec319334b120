"""The standings as a table that can be sorted, its numbers in line."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.row_drawing import Index
from codette_desktop.gui.tabs.rate.board_wording import standing_text, support_text
from codette_desktop.gui.tabs.rate.wording import percent, signed, span
from codette_desktop.gui.theme import theme
from codette_desktop.gui.titled_model import TitledModel
from codette_desktop.rating.leaderboard import Standing
from codette_desktop.rating.support import Support

SortRole = Qt.ItemDataRole.UserRole + 1
StandingRole = Qt.ItemDataRole.UserRole + 2
RANK, NAME, RATING, INTERVAL, VOTES, WINS, TIES, BOTH_BAD = range(8)
ROW, HEAD = 30, 30
_NARROW_WITHOUT = {INTERVAL: 640, BOTH_BAD: 560, TIES: 480, VOTES: 400}  # design widths below which a column goes


def rated(standing: Standing) -> int:
    """Votes from which a preference follows."""
    return standing.votes - standing.both_bad


class StandingsModel(TitledModel):
    """One row a contestant."""

    def __init__(self, parent: QObject | None = None) -> None:
        titles = (
            tr("Rank"), tr("Contestant"), tr("Rating"), tr("95 % interval"), tr("Votes"), tr("Wins"), tr("Ties"),
            tr("Both bad"),
        )  # fmt: skip
        tips = {
            RANK: tr("One more than the number of those who are surely better; several may share one"),
            RATING: tr("Points as of Elo: the mean is 1,000, and 400 more are odds of ten to one"),
            INTERVAL: tr("Where the rating lies with 95 % certainty"),
            WINS: tr("Share of its votes that it won, both-bad ones aside"),
            TIES: tr("Share of its votes that were ties, both-bad ones aside"),
            BOTH_BAD: tr("Votes that found both answers bad: no rating follows from them"),
        }
        numbers = [column for column in range(len(titles)) if column != NAME]
        super().__init__(titles, tips, numbers, parent)
        self._rows: tuple[Standing, ...] = ()
        self._sorted = (RANK, Qt.SortOrder.AscendingOrder)

    def show_standings(self, rows: Sequence[Standing]) -> None:
        """Replace the rows."""
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    def set_sorted(self, column: int, order: Qt.SortOrder) -> None:
        """By which column, told beside its title: Qt's own mark would lie on words that stand at the right."""
        self._sorted = (column, order)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.titles) - 1)

    def title(self, column: int) -> str:
        """A column's title, with an arrow where the rows are in its order."""
        if column != self._sorted[0]:
            return self.titles[column]
        return f"{self.titles[column]} {'↑' if self._sorted[1] == Qt.SortOrder.AscendingOrder else '↓'}"

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        item, column = self._rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _CELLS[column](item)
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleDescriptionRole:
                return standing_text(item)
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(column)
            case Qt.ItemDataRole.FontRole:
                return None if column == NAME else theme().font(12, mono=True)
            case Qt.ItemDataRole.ForegroundRole:
                said_little = item.support is not Support.RATED and column in (RANK, RATING, INTERVAL)
                return QColor(theme().tokens.secondary) if said_little or column == INTERVAL else None
            case _ if role == SortRole:
                return _SORTS[column](item)
            case _ if role == StandingRole:
                return item
            case _:
                return None


class StandingsTable(QTableView):
    """`opened` carries a Standing: Enter, or a double click. As high as its rows."""

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.standings = StandingsModel(self)
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(self.standings)
        self.proxy.setSortRole(SortRole)
        self.setModel(self.proxy)
        self.setAccessibleName(tr("Standings"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        head.setHighlightSections(False)
        head.setMinimumSectionSize(1)
        self.setSortingEnabled(True)
        head.setSortIndicatorShown(False)
        head.sortIndicatorChanged.connect(self.standings.set_sorted)
        self.sortByColumn(RANK, Qt.SortOrder.AscendingOrder)
        self.activated.connect(lambda index: self.opened.emit(index.data(StandingRole)))
        theme().changed.connect(self._fit)

    def show_standings(self, rows: Sequence[Standing]) -> None:
        """These; the order the person chose stays."""
        self.standings.show_standings(rows)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(480), self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(240), self._height())

    def _height(self) -> int:
        return self.standings.rowCount() * theme().px(ROW) + theme().px(HEAD) + 2

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        px = theme().px
        head = self.horizontalHeader()
        head.setFixedHeight(px(HEAD))
        self.verticalHeader().setDefaultSectionSize(px(ROW))
        words, mono = QFontMetrics(theme().font(12)), QFontMetrics(theme().font(12, mono=True))
        for column, title in enumerate(self.standings.titles):
            if column == NAME:
                continue
            widest = max((mono.horizontalAdvance(_CELLS[column](item)) for item in self.standings._rows), default=0)
            head.resizeSection(column, max(words.horizontalAdvance(f"{title} ↓"), widest) + px(22))
            self.setColumnHidden(column, self.width() < px(_NARROW_WITHOUT.get(column, 0)))
        if self.height() != self._height() or self.minimumHeight() != self._height():
            self.setFixedHeight(self._height())


def _share(part: int, whole: int) -> str:
    return percent(part / whole) if whole else "–"


def _name(item: Standing) -> str:
    why = support_text(item.support)
    return f"{item.contestant.label}  ({why})" if why else item.contestant.label


_CELLS: tuple[Callable[[Standing], str], ...] = (
    lambda item: number(item.rank) if item.rank is not None else "–",
    _name,
    lambda item: signed(item.rating.value),
    lambda item: span(item.rating, 1),
    lambda item: number(item.votes),
    lambda item: _share(item.wins, rated(item)),
    lambda item: _share(item.ties, rated(item)),
    lambda item: number(item.both_bad),
)
_SORTS: tuple[Callable[[Standing], float | str], ...] = (
    lambda item: (item.rank or 1e9) - item.rating.value / 1e9,  # those who share a rank: the higher rating first
    lambda item: item.contestant.label.casefold(),
    lambda item: item.rating.value,
    lambda item: item.rating.half_width,
    lambda item: float(item.votes),
    lambda item: item.wins / max(1, rated(item)),
    lambda item: item.ties / max(1, rated(item)),
    lambda item: float(item.both_bad),
)
