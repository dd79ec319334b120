"""Reports of a day, a week or a chosen period: made on demand, read here, saved as a file."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QDateEdit, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.files import replacing
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask.wording import clock, error_text
from codette_desktop.gui.tabs.rate.result_parts import Card
from codette_desktop.gui.tabs.watch.background import off_thread
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_icon, set_role
from codette_desktop.gui.widgets import (
    Banner,
    EmptyState,
    MarkdownView,
    ScrollColumn,
    SegmentedControl,
    ToastHost,
    dialogs,
    file_dialogs,
)
from codette_desktop.gui.widgets.parameter_field import inset_spin_box
from codette_desktop.monitoring.report_data import Period, ReportData

if TYPE_CHECKING:
    from codette_desktop.application import Application

MOST_WIDTH = 1120  # its widest table has ten columns
HTML_FILTER, MARKDOWN_FILTER = "HTML (*.html)", "Markdown (*.md)"


class ReportsPage(QWidget):
    """Makes one report at a time and shows it."""

    def __init__(self, application: "Application", toasts: ToastHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._toasts = toasts
        self.report: ReportData | None = None
        self.tasks = Tasks(self._show_error)
        self.title = QLabel(tr("Report"))
        self.period = SegmentedControl(
            [(Period.DAY.value, tr("Daily")), (Period.WEEK.value, tr("Weekly")), (Period.CHOSEN.value, tr("Chosen"))],
            tr("Period"),
        )
        self.first, self.last = self._date(tr("First day"), -6), self._date(tr("Last day"), 0)
        self.make_button = QPushButton(tr("Make report"))
        self.html_button, self.markdown_button = QPushButton(tr("Save as HTML")), QPushButton(tr("Save as Markdown"))
        self.made = QLabel()
        self.banner = Banner()
        self.view, self.paper = MarkdownView(most_width=MOST_WIDTH), Card("")
        self.area = ScrollColumn()
        self.empty = EmptyState("file-text", tr("No report yet"))
        self.stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self._on_period()
        self.setFocusProxy(self.make_button)

    def _date(self, name: str, days: int) -> QDateEdit:
        edit = QDateEdit(QDate.currentDate().addDays(days))
        edit.setAccessibleName(name)
        edit.setToolTip(name)
        edit.setDisplayFormat("yyyy-MM-dd")
        edit.setMaximumDate(QDate.currentDate())
        sized(edit, minimum=(130, 0))
        inset_spin_box(edit)
        return edit

    def _lay_out(self) -> None:
        set_role(self.title, "title")
        set_role(self.make_button, "primary")
        set_role(self.made, "secondary")
        for button in (self.html_button, self.markdown_button):
            set_icon(button, "download", colour="secondary")
        for button in (self.make_button, self.html_button, self.markdown_button):
            button.setAccessibleName(button.text())
        tools = FlowBox(spacing=8)
        self.days = QWidget()
        days = QHBoxLayout(self.days)
        spaced(days, spacing=8)
        for widget in (self.first, QLabel(tr("to")), self.last):
            days.addWidget(widget)
        for widget in (self.period, self.days, self.make_button, self.html_button, self.markdown_button):
            tools.flow.addWidget(widget)
        head = QHBoxLayout()
        spaced(head, spacing=12)
        head.addWidget(self.title)
        head.addWidget(self.made, 0, Qt.AlignmentFlag.AlignBottom)
        head.addStretch(1)
        top = QVBoxLayout()
        spaced(top, (24, 16, 24, 10), 10)
        top.addLayout(head)
        top.addWidget(tools)
        top.addWidget(self.banner)
        self._tools = tools
        self.paper.title.hide()
        self.paper.column.addWidget(self.view)
        sized(self.paper, maximum=(MOST_WIDTH, 0))
        row = QHBoxLayout()
        spaced(row, spacing=0)
        row.addWidget(self.paper, 1000)
        row.addStretch(1)
        spaced(self.area.column, (24, 2, 14, 24), 0)
        self.area.column.addLayout(row)
        self.area.column.addStretch(1)
        self.empty.set_text(
            tr("No report yet"),
            tr("A report tells how models answered in a period: speed, errors, alerts, energy, what has changed, and "
               "what could be done. It is made here and stays here unless you save it."),
        )  # fmt: skip
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.area)
        self.stack.setMinimumHeight(1)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addLayout(top)
        layout.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self.period.changed.connect(lambda _key: self._on_period())
        self.first.dateChanged.connect(lambda _day: self._on_period())
        self.last.dateChanged.connect(lambda _day: self._on_period())
        self.make_button.clicked.connect(self.make)
        self.html_button.clicked.connect(lambda: self._save(HTML_FILTER, ".html"))
        self.markdown_button.clicked.connect(lambda: self._save(MARKDOWN_FILTER, ".md"))
        self.view.link_activated.connect(
            lambda url: self.tasks.start(dialogs.ask_to_open(self, url), "ask to open a link")
        )

    def _on_period(self) -> None:
        chosen = self.period.current == Period.CHOSEN.value
        self.days.setVisible(chosen)
        wrong = chosen and self.first.date() > self.last.date()
        self.make_button.setEnabled(not wrong)
        self.make_button.setToolTip(tr("The first day must not come after the last") if wrong else "")
        for button in (self.html_button, self.markdown_button):
            button.setVisible(self.report is not None)
        self._tools.fit()

    # Making

    def make(self) -> None:
        """Gather the figures and show the report."""
        meanwhile = self.period.button(self.period.current) if self.make_button.hasFocus() else None
        if meanwhile is not None:
            meanwhile.setFocus()  # else a button that is off would send the keyboard out of the page
        self.make_button.setEnabled(False)
        self.make_button.setText(tr("Making …"))
        self.tasks.start(self._make(meanwhile), "make a report")

    async def _make(self, meanwhile: QWidget | None) -> None:
        period = Period(self.period.current)
        start, end = self._bounds(period)
        self.banner.clear()
        reports = self._application.reports
        try:
            data, text = await off_thread(lambda: _made(lambda: reports.data(period, start, end)))
        finally:
            self.make_button.setText(tr("Make report"))
            self._on_period()
            if meanwhile is not None and meanwhile.hasFocus():
                self.make_button.setFocus()
        self.report = data
        self._show(data, text)

    def _bounds(self, period: Period) -> tuple[datetime | None, datetime | None]:
        """Whole days of the person's own time zone; the service knows what a day and a week are."""
        if period is not Period.CHOSEN:
            return None, None
        first, last = (datetime(day.year(), day.month(), day.day()) for day in (self.first.date(), self.last.date()))  # noqa: DTZ001 - made aware below
        now = datetime.now().astimezone()
        return first.astimezone(), min((last + timedelta(days=1)).astimezone(), now)

    def _show(self, data: ReportData, text: str) -> None:
        self.view.set_markdown(text)
        self.stack.setCurrentWidget(self.area)
        self.area.verticalScrollBar().setValue(0)
        moment = clock(data.made_at, datetime.now().astimezone().date())
        self.made.setText(tr("made at {time}", time=moment))
        self._on_period()

    # Saving

    def _save(self, filters: str, suffix: str) -> None:
        if self.report is not None:
            self.tasks.start(self._ask_to_save(self.report, filters, suffix), "save a report")

    async def _ask_to_save(self, report: ReportData, filters: str, suffix: str) -> None:
        suggested = f"report-{report.end.astimezone():%Y-%m-%d}{suffix}"
        path = await file_dialogs.pick_save_file(self, tr("Save the report"), filters, suggested)
        if path is None:
            return
        await off_thread(lambda: _write(path, report, html=suffix == ".html"))
        self._toasts.show_toast(tr("Saved as {name}", name=path.name), "good")

    def _show_error(self, error: CodetteError) -> None:
        self.banner.show_message("bad", error_text(error), closable=True)

    def focus(self) -> None:
        """The keyboard goes to the button that makes a report."""
        self.make_button.setFocus(Qt.FocusReason.OtherFocusReason)

    async def aclose(self) -> None:
        """Stop what runs."""
        await self.tasks.aclose()
        self.view.clear()


def _made(gather: Callable[[], ReportData]) -> tuple[ReportData, str]:
    from codette_desktop.monitoring.report import to_markdown  # jinja is read when the first report is made

    data = gather()
    return data, to_markdown(data)


def _write(path: Path, report: ReportData, *, html: bool) -> None:
    from codette_desktop.monitoring.report import to_html, to_markdown

    text = to_html(report) if html else to_markdown(report)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
