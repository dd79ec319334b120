"""The side list of the Compare tab: what was compared before, searched and opened again."""

from datetime import datetime

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QListView, QMenu, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.comparisons import Comparison
from codette_desktop.domain.ensembles import Method
from codette_desktop.domain.errors import CodetteError
from codette_desktop.ensemble.comparisons import ComparisonService
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.ask.wording import clock
from codette_desktop.gui.tabs.compare.together import method_name
from codette_desktop.gui.theme import set_icon, set_role, theme
from codette_desktop.gui.widgets import IconButton

PAGE = 200
SEARCH_DELAY_MS = 120
ComparisonRole = Qt.ItemDataRole.UserRole + 1


class RunsModel(QAbstractListModel):
    """Comparisons, the newest first, read a page at a time; or those that hold all words of a search."""

    def __init__(self, comparisons: ComparisonService, parent: QWidget) -> None:
        super().__init__(parent)
        self._comparisons = comparisons
        self._rows: list[Comparison] = []
        self._query = ""
        self._more = False

    def reload(self, query: str = "") -> None:
        """Read anew, at least as far as was read before."""
        self.beginResetModel()
        self._query = query.strip()
        wanted = max(PAGE, len(self._rows))
        self._rows = self._read(wanted, 0)
        self._more = not self._query and len(self._rows) == wanted
        self.endResetModel()

    def row_of(self, comparison_id: str) -> int:
        """Its row; -1 where it has not been read."""
        return next((at for at, item in enumerate(self._rows) if item.id == comparison_id), -1)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:  # noqa: ARG002
        return len(self._rows)

    def canFetchMore(self, parent: QModelIndex | QPersistentModelIndex) -> bool:  # noqa: ARG002
        return self._more

    def fetchMore(self, parent: QModelIndex | QPersistentModelIndex) -> None:  # noqa: ARG002
        rows = self._read(PAGE, len(self._rows))
        self._more = len(rows) == PAGE
        if rows:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(rows) - 1)
            self._rows += rows
            self.endInsertRows()

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.prompt or tr("(empty)")
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_of(item)
        if role == ComparisonRole:
            return item
        return None

    def _read(self, limit: int, offset: int) -> list[Comparison]:
        try:
            return self._comparisons.list(self._query, limit, offset)
        except CodetteError:
            return []


class RunsList(QWidget):
    """Signals what the person wants; changes nothing itself. `export_wanted` carries the search, "" for all."""

    opened = Signal(str)
    new_wanted = Signal()
    batch_wanted = Signal()
    delete_wanted = Signal(str)
    export_wanted = Signal(str)

    def __init__(self, comparisons: ComparisonService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._current = ""
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, "panel")
        self.model = RunsModel(comparisons, self)
        self.search = QLineEdit()
        set_role(self.search, "search")
        self.search.setPlaceholderText(tr("Search"))
        self.search.setAccessibleName(tr("Search comparisons"))
        self.search.setClearButtonEnabled(True)
        icon = QAction(self.search)
        set_icon(icon, "search", colour="secondary")
        self.search.addAction(icon, QLineEdit.ActionPosition.LeadingPosition)
        self._timer = QTimer(self, interval=SEARCH_DELAY_MS, singleShot=True)
        self._timer.timeout.connect(self.reload)
        self.search.textChanged.connect(lambda _text: self._timer.start())
        self.list = self._make_list()
        self.hint = QLabel()
        set_role(self.hint, "secondary")
        self.hint.setWordWrap(True)
        self.hint.setMargin(theme().px(24))
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.list)
        self.stack.addWidget(self.hint)
        self._lay_out()

    def _lay_out(self) -> None:
        self.new_button = IconButton("plus", tr("New comparison"))
        self.new_button.clicked.connect(self.new_wanted)
        self.batch_button = IconButton("layers", tr("Many prompts at once"))
        self.batch_button.clicked.connect(self.batch_wanted)
        top = QHBoxLayout()
        spaced(top, (12, 12, 8, 6), 4)
        top.addWidget(self.search, 1)
        top.addWidget(self.new_button)
        top.addWidget(self.batch_button)
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addLayout(top)
        column.addWidget(self.stack, 1)

    def _make_list(self) -> QListView:
        view = QListView()
        set_role(view, "sidebar")
        view.setAccessibleName(tr("Comparisons"))
        view.setModel(self.model)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)
        for signal in (view.clicked, view.activated):
            signal.connect(self._open)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), view)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._delete_current)
        return view

    def reload(self) -> None:
        """Read the list anew and keep the place."""
        bar = self.list.verticalScrollBar()
        value = bar.value()
        query = self.search.text()
        self.model.reload(query)
        bar.setValue(value)
        self.hint.setText(
            tr("No comparison holds these words.") if query.strip() else tr("Your comparisons will be listed here.")
        )
        self.stack.setCurrentWidget(self.list if self.model.rowCount() else self.hint)
        self.set_current(self._current)

    def set_current(self, comparison_id: str) -> None:
        """Mark the comparison on view."""
        self._current = comparison_id
        row = self.model.row_of(comparison_id) if comparison_id else -1
        self.list.setCurrentIndex(self.model.index(row) if row >= 0 else QModelIndex())

    def _item(self, index: QModelIndex) -> Comparison | None:
        return index.data(ComparisonRole)

    def _open(self, index: QModelIndex) -> None:
        if (item := self._item(index)) is not None:
            self.opened.emit(item.id)

    def _delete_current(self) -> None:
        if (item := self._item(self.list.currentIndex())) is not None:
            self.delete_wanted.emit(item.id)

    def _show_menu(self, place: QPoint) -> None:
        item = self._item(self.list.indexAt(place))
        if item is None:
            return
        menu = QMenu(self.list)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        entries = (
            ("columns-2", tr("Open"), self.opened),
            ("trash-2", tr("Delete"), self.delete_wanted),
        )
        for icon, text, signal in entries:
            action = menu.addAction(text)
            set_icon(action, icon, colour="secondary")
            action.triggered.connect(lambda _=False, signal=signal: signal.emit(item.id))
        query = self.search.text().strip()
        export = menu.addAction(tr("Export those found …") if query else tr("Export all …"))
        set_icon(export, "download", colour="secondary")
        export.triggered.connect(lambda: self.export_wanted.emit(query))
        menu.popup(self.list.viewport().mapToGlobal(place))


def tip_of(item: Comparison) -> str:
    """When, by whom, how."""
    when = clock(item.created_at, datetime.now().astimezone().date())
    names = ", ".join(member.label for member in item.setup.members)
    how = "" if item.setup.method is Method.NONE else f"\n{method_name(item.setup.method)}"
    return f"{item.prompt}\n\n{when}\n{names}{how}"
