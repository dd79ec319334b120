"""The rows of the Models tab."""

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor

from codette_desktop.domain.models import ModelInfo
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.model_choice import Entry, parameters_text, size_text, what_it_is
from codette_desktop.gui.row_drawing import Index
from codette_desktop.gui.theme import theme

EntryRole = Qt.ItemDataRole.UserRole + 1


class ModelTable(QAbstractTableModel):
    """One row for each entry of the library: usable models, then files with a problem."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._default = ""
        self._loaded: frozenset[str] = frozenset()
        self.titles = [
            tr("Model"),
            tr("Quantisation"),
            tr("Architecture"),
            tr("Parameters"),
            tr("Size"),
            tr("Context"),
            tr("About"),
        ]

    def show_entries(self, entries: list[Entry], default: str, loaded: frozenset[str] = frozenset()) -> None:
        """Replace the rows; `default` is what new chats begin with, `loaded` are the models in memory, by name."""
        self.beginResetModel()
        self._entries, self._default, self._loaded = list(entries), default, loaded
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._cell(entry, index.column())
            case Qt.ItemDataRole.ToolTipRole:
                return tooltip(entry)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(index.column())
            case Qt.ItemDataRole.FontRole:
                return theme().font(12, mono=True) if index.column() in (3, 4, 5) else None
            case Qt.ItemDataRole.ForegroundRole:
                return self._colour(entry, index.column())
            case _ if role == EntryRole:
                return entry
            case _:
                return None

    def _cell(self, entry: Entry, column: int) -> str:
        model = entry.model
        if model is None:
            return {0: entry.title, 6: entry.error.message if entry.error else ""}.get(column, "–")
        title = model.display_name
        marks = [tr("in use")] if entry.name == self._default else []
        marks += [tr("in memory")] if model.name in self._loaded else []
        if marks:
            title += f"  ({', '.join(marks)})"
        about = what_it_is(model)
        return (
            title,
            model.quantisation or "–",
            model.architecture if isinstance(model, ModelInfo) else "–",
            parameters_text(model.parameters),
            size_text(model.size_bytes),
            number(model.context_length) if model.context_length else "–",
            f"{entry.path}" if isinstance(model, ModelInfo) and not model.starter else about,
        )[column]

    def _colour(self, entry: Entry, column: int) -> QColor | None:
        tokens = theme().tokens
        if entry.error is not None:
            return QColor(tokens.bad_word if column == 6 else tokens.secondary)
        return None if column == 0 else QColor(tokens.secondary)


def tooltip(entry: Entry) -> str:
    """Where it is, and what is wrong with it."""
    lines = [entry.place]
    if entry.error is not None:
        lines += [entry.error.message, entry.error.hint]
    elif entry.model is not None:
        lines.append(what_it_is(entry.model))
    return "\n".join(line for line in lines if line)


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in (3, 4, 5) else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
