"""The model picker of the top bar: a button, and a list that one filters by typing."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import AUTO_ENTRY, Entry, ModelChoice, size_text, what_it_is
from codette_desktop.gui.row_drawing import Index, draw_row
from codette_desktop.gui.shortcuts import PICK_MODEL
from codette_desktop.gui.styles import styled
from codette_desktop.gui.theme import icon, set_icon, set_role, theme

EntryRole = Qt.ItemDataRole.UserRole + 20
CurrentRole = Qt.ItemDataRole.UserRole + 21

_WIDEST = 300  # of the words on the button, in design pixels: the tabs stand beside it
_BUTTON = """
QPushButton#model { border: 1px solid @line; border-radius: @6; padding: @5 @10; background: @surface; }
QPushButton#model:hover { background: @hover; border-color: @line_strong; }
QPushButton#model:focus { border: 2px solid @accent; padding: @4 @9; }
"""
_POPUP = "QFrame#picker { background: @raised; border: 1px solid @line_strong; border-radius: @10; }"


class ModelPicker(QPushButton):
    """The button shows the model in use; `chosen` carries the name of another one."""

    chosen = Signal(str)
    add_file_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self._current = ""
        self.setObjectName("model")
        styled(self, _BUTTON)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # puts the arrow after the words
        set_icon(self, "chevron-down", 14, "secondary")
        self.popup = PickerPopup(self)
        self.popup.picked.connect(self._on_picked)
        self.popup.add_file.clicked.connect(self._on_add)
        self.popup.all_models.clicked.connect(self._on_models)
        self.clicked.connect(self.open)
        choice.listeners.append(self._on_changed)
        self.show_current("")

    def show_current(self, name: str) -> None:
        """The model of the conversation on view."""
        self._current = name
        entry = self._choice.find(name)
        if entry is not None and (entry.model is not None or entry.auto):
            text = entry.label
        else:
            text = tr("{name} (missing)", name=name.rsplit("/", 1)[-1]) if name else tr("No model")
        metrics = QFontMetrics(theme().font(13))
        self.setText(metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, theme().px(_WIDEST)))
        self.setAccessibleName(tr("Model: {name}", name=text))
        tip = tr("Choose the model that answers ({keys})", keys=PICK_MODEL.shown)
        wrong = f"{entry.error.message} {entry.error.hint}".strip() if entry is not None and entry.error else ""
        whole = text if self.text() != text else ""
        self.setToolTip("\n".join(part for part in (whole, wrong, tip) if part))

    def open(self) -> None:
        """Show the list under the button."""
        self._choice.refresh()
        self.popup.show_entries(self._entries(), self._choice.find(self._current))
        self._choice.ask_servers()
        self.popup.open_at(self.mapToGlobal(QPoint(self.width(), self.height() + theme().px(4))))

    def _entries(self) -> list[Entry]:
        return [AUTO_ENTRY, *self._choice.entries]

    def _on_changed(self) -> None:
        if self.popup.isVisible():
            self.popup.change_entries(self._entries(), self._choice.find(self._current))

    def _on_picked(self, name: str) -> None:
        self.popup.hide()
        self.chosen.emit(name)

    def _on_add(self) -> None:
        self.popup.hide()
        self.add_file_wanted.emit()

    def _on_models(self) -> None:
        self.popup.hide()
        self.models_wanted.emit()


class PickerPopup(QFrame):
    """Closes by itself when one clicks elsewhere or presses Esc."""

    picked = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("picker")
        styled(self, _POPUP)
        self.setAccessibleName(tr("Choose a model"))
        self._entries: list[Entry] = []
        self._current: Entry | None = None
        self.filter = QLineEdit()
        set_role(self.filter, "search")
        self.filter.setPlaceholderText(tr("Find a model"))
        self.filter.setAccessibleName(tr("Find a model"))
        self.filter.textChanged.connect(self._fill)
        self.filter.installEventFilter(self)
        self.list = QListView()
        set_role(self.list, "sidebar")
        self.list.setAccessibleName(tr("Models"))
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._model = QStandardItemModel(self.list)
        self.list.setModel(self._model)
        self.list.setItemDelegate(_EntryDelegate(self.list))
        self.list.clicked.connect(lambda _index: self._pick())
        self.list.installEventFilter(self)
        self.add_file = QPushButton(tr("Add a model file …"))
        self.all_models = QPushButton(tr("All models"))
        for button, name in ((self.add_file, "plus"), (self.all_models, "box")):
            set_role(button, "ghost")
            set_icon(button, name, 14)
        buttons = QHBoxLayout()
        spaced(buttons, spacing=4)
        buttons.addWidget(self.add_file)
        buttons.addStretch(1)
        buttons.addWidget(self.all_models)
        layout = QVBoxLayout(self)
        spaced(layout, (8, 8, 8, 8), 6)
        layout.addWidget(self.filter)
        layout.addWidget(self.list, 1)
        layout.addLayout(buttons)

    def show_entries(self, entries: list[Entry], current: Entry | None) -> None:
        """What there is to choose from."""
        self._entries, self._current = entries, current
        self.filter.clear()
        self._fill()

    def change_entries(self, entries: list[Entry], current: Entry | None) -> None:
        """There is something else to choose from now; what was typed stays."""
        self._entries, self._current = entries, current
        self._fill()

    def open_at(self, top_right: QPoint) -> None:
        """Show with the right upper corner there."""
        px = theme().px
        rows = min(max(self._model.rowCount(), 1), 7)
        self.resize(px(440), px(54) * rows + px(110))
        self.move(top_right - QPoint(self.width(), 0))
        self.show()
        # The filter has the keyboard; arrows go on to the list. A popup takes focus only once it is on the screen.
        QTimer.singleShot(0, self.filter, self.filter.setFocus)

    def _fill(self) -> None:
        wanted = " ".join(self.filter.text().casefold().split())
        found = [entry for entry in self._entries if all(word in _haystack(entry) for word in wanted.split())]
        found.sort(key=lambda entry: wanted not in entry.title.casefold())  # a name says more than a description
        self._model.clear()
        for entry in found:
            self._model.appendRow(_item(entry, entry is self._current))
        start = found.index(self._current) if not wanted and self._current in found else 0
        self.list.setCurrentIndex(self._model.index(start, 0))

    def _pick(self) -> None:
        entry: Entry | None = self.list.currentIndex().data(EntryRole)
        if entry is not None and (entry.model is not None or entry.auto):
            self.picked.emit(entry.name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._pick()
                return True
            if watched is self.filter and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                row = max(0, min(self._model.rowCount() - 1, self.list.currentIndex().row() + step))
                self.list.setCurrentIndex(self._model.index(row, 0))
                return True
        return super().eventFilter(watched, event)


class _EntryDelegate(QStyledItemDelegate):
    """Name and figures above, what it is below; a file that cannot be used is grey, with the reason."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt's own signature
        return QSize(theme().px(200), theme().px(54))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: Entry = index.data(EntryRole)
        px, tokens = theme().px, theme().tokens
        painter.save()
        draw_row(painter, option)
        area = option.rect.adjusted(px(30), px(8), -px(12), -px(8))
        if index.data(CurrentRole):
            place = QRect(option.rect.left() + px(9), option.rect.center().y() - px(7), px(14), px(14))
            icon("check", 14, "accent").paint(painter, place)
        usable = entry.model is not None or entry.auto
        figures = _figures(entry)
        small = theme().font(12, mono=True)
        painter.setFont(small)
        painter.setPen(QColor(tokens.secondary))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, figures)
        room = area.width() - QFontMetrics(small).horizontalAdvance(figures) - px(12)
        strong = theme().font(13, QFont.Weight.DemiBold)
        painter.setFont(strong)
        painter.setPen(QColor(tokens.text if usable else tokens.secondary))
        text = QFontMetrics(strong).elidedText(entry.label, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)
        plain = theme().font(12)
        painter.setFont(plain)
        painter.setPen(QColor(tokens.secondary))
        text = QFontMetrics(plain).elidedText(_about(entry), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, text)
        painter.restore()


def _item(entry: Entry, current: bool) -> QStandardItem:
    item = QStandardItem(entry.title)
    item.setEditable(False)
    item.setData(entry, EntryRole)
    item.setData(current, CurrentRole)
    item.setEnabled(entry.model is not None or entry.auto)
    item.setData(f"{entry.label}, {_figures(entry)}, {_about(entry)}", Qt.ItemDataRole.AccessibleTextRole)
    tooltip = _about(entry) if entry.auto else f"{entry.place}\n{_about(entry)}"
    item.setToolTip(f"{tooltip}\n{entry.error.hint}".strip() if entry.error else tooltip)
    return item


def _figures(entry: Entry) -> str:
    model = entry.model
    if model is None:
        return ""
    size = size_text(model.size_bytes) if model.size_bytes else ""
    context = tr("{context} ctx", context=number(model.context_length)) if model.context_length else ""
    return " · ".join(part for part in (size, context) if part)


def _about(entry: Entry) -> str:
    if entry.auto:
        return tr("Asks the model that suits the question, and says which and why")
    return what_it_is(entry.model) if entry.model else (entry.error.message if entry.error else "")


def _haystack(entry: Entry) -> str:
    return f"{entry.label} {entry.title} {_about(entry)}".casefold()
