"""The flight record of an answer, or of two beside each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.rate.result_parts import Card
from codette_desktop.gui.tabs.watch.background import ends_with, off_thread
from codette_desktop.gui.tabs.watch.fact_table import FactTable
from codette_desktop.gui.tabs.watch.flights.flight_column import FlightColumn
from codette_desktop.gui.tabs.watch.flights.flight_facts import as_json, as_text
from codette_desktop.gui.tabs.watch.flights.flight_record import FlightRecord, read_record
from codette_desktop.gui.tabs.watch.requests.requests_foot import not_kept
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_icon, theme
from codette_desktop.gui.widgets import Banner, EmptyState, ScrollColumn

if TYPE_CHECKING:
    from codette_desktop.application import Application

SIDE_BY_SIDE = 760  # design width from which two records stand beside each other


class FlightPage(QWidget):
    """`answer_wanted` carries a `RequestPlace`, `compare_wanted` the id of the record another is to be put beside.

    `copied` carries what to say of it.
    """

    answer_wanted = Signal(object)
    compare_wanted = Signal(str)
    copied = Signal(str)
    shown = Signal()

    def __init__(self, application: "Application", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._ids: tuple[str, ...] = ()
        self.records: tuple[FlightRecord, ...] = ()
        self.tasks = Tasks(self._show_error)
        ends_with(self, self.tasks)
        self.columns = (FlightColumn(), FlightColumn())
        self.facts_card, self.facts = Card(tr("All that was measured")), FactTable()
        self.area = ScrollColumn()
        self.banner = Banner()
        self.empty = EmptyState("activity", tr("No record"))
        self.stack = QStackedWidget()
        self.buttons = FlowBox()
        self.compare_button = self._button(tr("Compare with …"), "columns-2", tr("Put another record beside it"))
        self.alone_button = self._button(tr("Only the first"), "x", tr("Take the second record away"))
        self.answer_button = self._button(tr("Open the answer"), "message-square", "")
        self.text_button = self._button(tr("Copy as text"), "copy", tr("All of it, a line each"))
        self.json_button = self._button(tr("Copy as JSON"), "copy", tr("All that is stored, unrounded"))
        self._lay_out()
        self._connect()

    def _button(self, text: str, icon: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        set_icon(button, icon, colour="secondary")
        self.buttons.flow.addWidget(button)
        return button

    def _lay_out(self) -> None:
        self.facts_card.column.addWidget(self.facts)
        self.pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        spaced(self.pair, spacing=12)
        for column in self.columns:
            self.pair.addWidget(column, 1)
        spaced(self.area.column, (24, 4, 14, 24), 12)
        self.area.column.addLayout(self.pair)
        self.area.column.addWidget(self.facts_card)
        self.area.column.addStretch(1)
        self.stack.addWidget(self.area)
        self.stack.addWidget(self.empty)
        head = QVBoxLayout()
        spaced(head, (24, 16, 24, 10), 8)
        head.addWidget(self.buttons)
        head.addWidget(self.banner)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)
        self._show_buttons()

    def _connect(self) -> None:
        self.compare_button.clicked.connect(lambda: self.compare_wanted.emit(self._ids[0]))
        self.alone_button.clicked.connect(lambda: self.show_records(self._ids[:1]))
        self.answer_button.clicked.connect(lambda: self.answer_wanted.emit(self.records[0].place))
        self.text_button.clicked.connect(lambda: self._copy(as_text(self.records), tr("Copied as text")))
        self.json_button.clicked.connect(lambda: self._copy(as_json(self.records), tr("Copied as JSON")))
        theme().changed.connect(self._turn)

    def show_records(self, ids: Sequence[str]) -> None:
        """Read one record or two by the ids of their requests, and show them."""
        self._ids = tuple(ids[:2])
        self.banner.clear()
        self.tasks.start(self._read(self._ids), "read a flight record")

    async def _read(self, ids: tuple[str, ...]) -> None:
        found = await off_thread(lambda: [read_record(self._application, wanted) for wanted in ids])
        if ids == self._ids:
            self._show([record for record in found if record is not None])

    def _show(self, records: Sequence[FlightRecord]) -> None:
        self.records = tuple(records)
        if not records:
            self.empty.set_text(
                tr("No record"),
                tr("Nothing was recorded of this answer. It was written before this version, or came from a file."),
            )
        self.stack.setCurrentWidget(self.area if records else self.empty)
        self.columns[1].setVisible(len(records) == 2)
        for place, record in enumerate(records):
            beside = records[1 - place] if len(records) == 2 else None
            self.columns[place].show_record(record, beside)
        self.facts_card.title.setText(
            tr("Both beside each other") if len(records) == 2 else tr("All that was measured")
        )
        self.facts.show_records(records)
        self._turn()
        self._show_buttons()
        self.area.verticalScrollBar().setValue(0)
        self.shown.emit()

    def _show_buttons(self) -> None:
        count = len(self.records)
        for button in (self.text_button, self.json_button, self.compare_button):
            button.setEnabled(count > 0)
        self.alone_button.setVisible(count == 2)
        place = self.records[0].place if count else None
        kept = place is not None and bool(place.kind)
        self.answer_button.setEnabled(kept)
        self.answer_button.setVisible(count < 2)
        self.answer_button.setToolTip(tr("In its chat or comparison") if kept else not_kept())
        self.buttons.fit()

    def _copy(self, text: str, done: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(done)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        """Two records stand below each other where there is no room."""
        beside = self.width() >= theme().px(SIDE_BY_SIDE)
        way = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self.pair.direction() != way:
            self.pair.setDirection(way)

    def _show_error(self, error: CodetteError) -> None:
        again = lambda: self.show_records(self._ids)  # noqa: E731
        self.banner.show_message("bad", error_text(error), action_text=tr("Try again"), on_action=again)

    async def aclose(self) -> None:
        """Stop what runs."""
        await self.tasks.aclose()
