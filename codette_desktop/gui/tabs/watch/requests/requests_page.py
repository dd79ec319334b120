"""All requests to all models: a table to search, sort and export, and the way to the record of each."""

import time
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.events import RequestEnded
from codette_desktop.domain.request_log import RequestPlace, RequestRecord
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.watch.background import off_thread
from codette_desktop.gui.tabs.watch.requests import requests_wording as words
from codette_desktop.gui.tabs.watch.requests.requests_bar import RequestsBar
from codette_desktop.gui.tabs.watch.requests.requests_export import Export
from codette_desktop.gui.tabs.watch.requests.requests_foot import ExportStrip, RequestsFoot
from codette_desktop.gui.tabs.watch.requests.requests_model import RequestsModel, View
from codette_desktop.gui.tabs.watch.requests.requests_table import RequestsTable
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import (
    Banner,
    ChipButton,
    EmptyState,
    IconButton,
    ScrollColumn,
    ToastHost,
    file_dialogs,
)

if TYPE_CHECKING:
    from codette_desktop.application import Application

LEAST = 128  # design pixels: the head and three rows
SOON_MS = 400  # after a request has ended, until the table is read anew
CSV_FILTER = "CSV (*.csv)"


class RequestsPage(QWidget):
    """`record_wanted` carries the ids of one request or of two whose records are wanted, `answer_wanted` a
    `RequestPlace`, `ask_wanted` that the person wants to ask something first."""

    record_wanted = Signal(tuple)
    compare_wanted = Signal(str)
    answer_wanted = Signal(object)
    ask_wanted = Signal()
    _written = Signal(int)

    def __init__(self, application: "Application", toasts: ToastHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._requests = application.store.requests
        self._toasts = toasts
        self._new = 0
        self._place: RequestPlace | None = None
        self._export: Export | None = None
        self._order = (words.WHEN, True)
        self._read_once = self._to_top = False
        self.tasks = Tasks(self._show_error)
        self.model = RequestsModel(self._requests, self.tasks, self)
        self.table = RequestsTable(self.model)
        self.bar, self.foot, self.strip = RequestsBar(), RequestsFoot(), ExportStrip()
        self.title = QLabel(tr("Requests"))
        self.new_button = ChipButton("", "arrow-down")
        self.reload_button = IconButton("refresh-cw", tr("Read anew"))
        self.export_button = IconButton("download", tr("Export these requests as a table (CSV)"))
        self.banner = Banner()
        self.empty = EmptyState("activity", tr("Nothing has been asked yet"))
        self.stack = QStackedWidget()
        self._soon, self._look = QTimer(self), QTimer(self)
        self._lay_out()
        self._connect()
        self.setFocusProxy(self.table)

    def _lay_out(self) -> None:
        set_role(self.title, "title")
        self.new_button.hide()
        head = QHBoxLayout()
        spaced(head, spacing=8)
        head.addWidget(self.title)
        head.addWidget(self.new_button)
        head.addStretch(1)
        head.addWidget(self.reload_button)
        head.addWidget(self.export_button)
        top = QVBoxLayout()
        spaced(top, (24, 16, 24, 8), 10)
        top.addLayout(head)
        top.addWidget(self.bar)
        top.addWidget(self.banner)
        held = QWidget()
        around = QVBoxLayout(held)
        spaced(around, (24, 0, 24, 0), 0)
        around.addWidget(self.table)
        work = QWidget()
        column = QVBoxLayout(work)
        spaced(column, spacing=0)
        column.addWidget(held, 1)
        column.addWidget(self.foot)
        self.stack.addWidget(work)
        self.stack.addWidget(self.empty)
        self.stack.setMinimumHeight(1)
        sized(self.table, minimum=(0, LEAST))
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)  # it asks for no more
        area = ScrollColumn()  # in the lowest window the rows of filters and the table have no room together
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setMinimumHeight(1)
        spaced(area.column, spacing=0)
        area.column.addLayout(top)
        area.column.addWidget(self.strip)
        area.column.addWidget(self.stack, 1)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(area)

    def _connect(self) -> None:
        for timer, pause, work in ((self._soon, SOON_MS, self.reload), (self._look, 80, self._look_for_place)):
            timer.setSingleShot(True)
            timer.setInterval(pause)
            timer.timeout.connect(work)
        self.model.shown.connect(self._on_shown)
        self.model.failed.connect(self._show_error)
        self.model.dataChanged.connect(lambda *_: self._on_chosen())
        self.bar.changed.connect(self._read_anew)
        self.table.order_wanted.connect(self._on_order)
        self.table.opened.connect(self._open)
        self.table.chosen.connect(self._on_chosen)
        self.table.copy_wanted.connect(self.copy)
        self.table.menu_actions = lambda: self.foot.actions_for(self.table)
        self.foot.record_wanted.connect(lambda: self._open(self.table.currentIndex().row()))
        self.foot.compare_wanted.connect(self._compare)
        self.foot.copy_wanted.connect(self.copy)
        self.foot.answer_wanted.connect(lambda: self.answer_wanted.emit(self._place))
        self.new_button.clicked.connect(self._show_new)
        self.reload_button.clicked.connect(self.reload)
        self.export_button.clicked.connect(lambda: self.tasks.start(self._ask_to_export(), "export requests"))
        self.strip.cancel_wanted.connect(self._stop_export)
        self._written.connect(self.strip.show_written)

    # Reading

    def start(self) -> None:
        """Read for the first time; later calls do nothing."""
        if not self._read_once:
            self._read_once = True
            self._read_anew()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.start()
        if self._new and self._follows:
            self.reload()

    def reload(self) -> None:
        """Read the same until now; what is chosen and where one has scrolled stays where that can be."""
        self._read(top=False)

    def _read_anew(self) -> None:
        self._read(top=True)

    def _read(self, *, top: bool) -> None:
        self._soon.stop()
        self._to_top = top or self._to_top
        self._show_count_of_new(0)
        self.banner.clear()
        column, descending = self._order
        self.model.show_view(View(self.bar.wanted.filter(time.time()), words.ORDERS[column], descending))
        self.tasks.start(self._read_models(), "read the names of models")

    async def _read_models(self) -> None:
        self.bar.show_models(await off_thread(self._requests.models))

    def _on_shown(self, count: int) -> None:
        text = words.requests_text(count)
        self.title.setText(text)
        self.setAccessibleName(text)
        if self._to_top or not self.table.currentIndex().isValid():
            self.table.scrollToTop()
            self.table.go_to(0)
        self._to_top = False
        self.export_button.setEnabled(count > 0 and self._export is None)
        self._show_empty(count)
        self._on_chosen()

    def _show_empty(self, count: int) -> None:
        if count:
            self.stack.setCurrentIndex(0)
            return
        if self.bar.wanted.is_all:
            text = tr("Every request to a model will stand here with its time, speed, tokens and energy.")
            self.empty.set_text(tr("Nothing has been asked yet"), text)
            self.empty.set_actions([(tr("Ask a model"), self.ask_wanted.emit)])
        else:
            text = tr("There are requests, but none is left by the choices above.")
            self.empty.set_text(tr("No request fits"), text)
            self.empty.set_actions([(tr("Show all"), self.bar.show_all)])
        self.stack.setCurrentWidget(self.empty)

    def _on_order(self, column: int, descending: bool) -> None:
        self._order = (column, descending)
        self._read_anew()

    # New ones

    @property
    def _follows(self) -> bool:
        """Whether new rows may come on top at once: the newest are first and on view."""
        return self.model.view.newest_first and self.table.at_top

    def request_ended(self, event: RequestEnded) -> None:
        """A request has ended; connected to the bridge."""
        if not self._read_once or not self.bar.wanted.fits(event.request):
            return
        self._show_count_of_new(self._new + 1)
        if self.isVisible() and self._follows and not self._soon.isActive():
            self._soon.start()

    def _show_count_of_new(self, count: int) -> None:
        self._new = count
        self.new_button.setText(words.new_text(count))
        self.new_button.setAccessibleName(words.new_text(count))
        self.new_button.setVisible(count > 0 and not self._follows)
        self.new_button.setToolTip(tr("Requests that have ended since the table was read: show them"))

    def _show_new(self) -> None:
        self._read_anew()
        self.table.setFocus()

    # What is chosen

    def _on_chosen(self) -> None:
        rows, current = self.table.chosen_rows(), self.table.currentIndex()
        record = self.model.record_at(current.row()) if current.isValid() else None
        self.foot.show_chosen(len(rows), record)
        if record is None or self._place is None or self._place.generation_id != words.answer_id(record.id):
            self._place = None
            self.foot.show_place(None, reading=record is not None)
            self._look.start()

    def _look_for_place(self) -> None:
        self.tasks.start(self._find_place(), "look where an answer is kept")

    async def _find_place(self) -> None:
        current = self.table.currentIndex()
        record = self.model.record_at(current.row()) if current.isValid() else None
        if record is None:
            return
        place = await off_thread(lambda: self._requests.place(words.answer_id(record.id)))
        if self.table.currentIndex() == current:
            self._place = place
            self.foot.show_place(place)

    def _open(self, row: int) -> None:
        record: RequestRecord | None = self.model.record_at(row) if row >= 0 else None
        if record is not None:
            self.record_wanted.emit((record.id,))

    def _compare(self) -> None:
        records = self.table.chosen_records()
        if len(records) == 2:
            self.record_wanted.emit((records[0].id, records[1].id))
        elif records:
            self.compare_wanted.emit(records[0].id)

    def copy(self) -> None:
        """The chosen rows as text."""
        records = self.table.chosen_records()
        if records:
            QGuiApplication.clipboard().setText(words.as_text(records, self.model.today))
            done = tr("1 row copied") if len(records) == 1 else tr("{n} rows copied", n=number(len(records)))
            self._toasts.show_toast(done, "good", timeout_ms=1500)

    # Export

    async def _ask_to_export(self) -> None:
        suggested = f"requests-{datetime.now().astimezone():%Y-%m-%d}.csv"
        path = await file_dialogs.pick_save_file(self, tr("Export requests"), CSV_FILTER, suggested)
        if path is None or self._export is not None:
            return
        export = self._export = Export(self._requests, self.model.view, path, self._written.emit)
        self.strip.begin(self.model.rowCount())
        self.export_button.setEnabled(False)
        try:
            rows = await export.run()
        finally:
            self._export = None
            self.strip.hide()
            self.export_button.setEnabled(True)
        if rows is None:
            self._toasts.show_toast(tr("The export was stopped. No file was written."), "info")
        else:
            text = tr("{requests} written to {name}", requests=words.requests_text(rows), name=path.name)
            self._toasts.show_toast(text, "good")

    def _stop_export(self) -> None:
        if self._export is not None:
            self._export.stop()

    def _show_error(self, error: CodetteError) -> None:
        self.banner.show_message("bad", error_text(error), action_text=tr("Try again"), on_action=self.reload)

    def focus(self) -> None:
        """The keyboard goes to the table, or to what an empty one offers."""
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    async def aclose(self) -> None:
        """Stop what runs."""
        self._soon.stop()
        self._look.stop()
        await self.tasks.aclose()
