"""The flight record of an answer in a window of its own, and the choice of another to compare it with."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.watch.background import ends_with
from codette_desktop.gui.tabs.watch.flights.flight_page import FlightPage
from codette_desktop.gui.tabs.watch.requests.requests_model import RequestReader, RequestsModel, View
from codette_desktop.gui.tabs.watch.requests.requests_table import RequestsTable
from codette_desktop.gui.tabs.watch.requests.requests_wording import ORDERS, WHEN, Wanted
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import ToastHost

if TYPE_CHECKING:
    from codette_desktop.application import Application

SIZE = (1040, 720)
PICKER = (860, 520)
TYPING_MS = 200


class FlightDialog(QDialog):
    """Opened on one request or two. `answer_wanted` carries a `RequestPlace`; the dialog is closed then.

    To be opened with `open()`; it deletes itself when it is closed.
    """

    answer_wanted = Signal(object)

    def __init__(self, application: "Application", ids: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self.setWindowTitle(tr("Flight record"))
        self.setAccessibleName(tr("Flight record"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.picker: RequestPicker | None = None
        self.page = FlightPage(application)
        self.close_button = QPushButton(tr("Close"))
        self.close_button.setAccessibleName(tr("Close"))
        self.close_button.clicked.connect(self.reject)
        self.close_button.setDefault(True)
        foot = QHBoxLayout()
        spaced(foot, (24, 8, 24, 12), 8)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addWidget(self.page, 1)
        column.addLayout(foot)
        self.toasts = ToastHost(self, bottom=48)
        self.page.copied.connect(lambda text: self.toasts.show_toast(text, "good", timeout_ms=1500))
        self.page.answer_wanted.connect(self._open_answer)
        self.page.compare_wanted.connect(self.choose_other)
        self.finished.connect(lambda _result: self.page.tasks.cancel())
        self.resize(*fitting(SIZE, parent))
        self.page.show_records(ids)

    def choose_other(self, request_id: str) -> None:
        """Ask which record is to stand beside it."""
        self.picker = RequestPicker(self._application.store.requests, request_id, self)
        self.picker.picked.connect(lambda other: self.page.show_records((request_id, other)))
        self.picker.open()

    def _open_answer(self, place: object) -> None:
        self.answer_wanted.emit(place)
        self.accept()


class RequestPicker(QDialog):
    """All requests but one, the newest first; `picked` carries the id of that which was chosen."""

    picked = Signal(str)

    def __init__(self, requests: RequestReader, but: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._but = but
        self.setWindowTitle(tr("Compare with"))
        self.setAccessibleName(tr("Compare with"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.tasks = Tasks(self._show_error)
        ends_with(self, self.tasks)
        self.model = RequestsModel(requests, self.tasks, self)
        self.table = RequestsTable(self.model)
        self.table.setSelectionMode(RequestsTable.SelectionMode.SingleSelection)
        self.edit = QLineEdit()
        set_role(self.edit, "search")
        self.edit.setPlaceholderText(tr("Model or error"))
        self.edit.setAccessibleName(tr("Search for a model or an error"))
        self.edit.setClearButtonEnabled(True)
        self.note = QLabel()
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        set_role(self.note, "secondary")
        self.choose_button, cancel = QPushButton(tr("Compare")), QPushButton(tr("Cancel"))
        set_role(self.choose_button, "primary")
        self.choose_button.clicked.connect(lambda: self._pick(self.table.currentIndex().row()))
        cancel.clicked.connect(self.reject)
        head = QLabel(tr("Which request is to stand beside it?"))
        set_role(head, "heading")
        foot = QHBoxLayout()
        spaced(foot, spacing=8)
        foot.addWidget(self.note, 1)
        for button in (cancel, self.choose_button):
            button.setAccessibleName(button.text())
            button.setAutoDefault(False)
            foot.addWidget(button)
        column = QVBoxLayout(self)
        spaced(column, (24, 20, 24, 16), 12)
        column.addWidget(head)
        column.addWidget(self.edit)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        self._connect()
        self.resize(*fitting(PICKER, parent))
        self.edit.setFocus()
        self._read()

    def _connect(self) -> None:
        self._order = (WHEN, True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPING_MS)
        self._timer.timeout.connect(self._read)
        self.edit.textChanged.connect(lambda _text: self._timer.start())
        self.table.opened.connect(self._pick)
        self.table.chosen.connect(self._on_chosen)
        self.table.order_wanted.connect(self._on_order)
        self.model.dataChanged.connect(lambda *_: self._on_chosen())
        self.model.shown.connect(self._on_shown)
        self.model.failed.connect(self._show_error)
        self.finished.connect(lambda _result: self.tasks.cancel())

    def _on_order(self, column: int, descending: bool) -> None:
        self._order = (column, descending)
        self._read()

    def _read(self) -> None:
        column, descending = self._order
        wanted = Wanted(text=self.edit.text()).filter(time.time())
        self.model.show_view(View(wanted, ORDERS[column], descending))

    def _on_shown(self, count: int) -> None:
        self.table.scrollToTop()
        first = self.model.record_at(0) if count else None
        self.table.go_to(1 if count > 1 and first is not None and first.id == self._but else 0)
        self._on_chosen()
        if not count:
            self.note.setText(tr("No request fits."))

    def _on_chosen(self) -> None:
        row = self.table.currentIndex().row()
        record = self.model.record_at(row) if row >= 0 else None
        itself = record is not None and record.id == self._but
        self.choose_button.setEnabled(record is not None and not itself)
        self.note.setText(tr("That is the one on view.") if itself else "")

    def _pick(self, row: int) -> None:
        record = self.model.record_at(row) if row >= 0 else None
        if record is not None and record.id != self._but:
            self.picked.emit(record.id)
            self.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """From the search one goes down into the table; Enter takes what is chosen there."""
        if self.edit.hasFocus() and event.key() == Qt.Key.Key_Down:
            self.table.setFocus()
        elif self.edit.hasFocus() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._pick(self.table.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def _show_error(self, error: CodetteError) -> None:
        self.note.setText(error_text(error))


def fitting(size: tuple[int, int], parent: QWidget | None) -> tuple[int, int]:
    """That size, zoomed, but no larger than the window around it leaves."""
    width, height = theme().px(size[0]), theme().px(size[1])
    if parent is None:
        return width, height
    around = parent.window().size()
    return min(width, max(theme().px(420), around.width() - theme().px(32))), min(
        height, max(theme().px(320), around.height() - theme().px(32))
    )
