"""The Watch tab: what the models and this computer do now, every request, alerts, and reports."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.events import AlertChanged, RequestEnded
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.watch.alerts.alerts_page import AlertsPage
from codette_desktop.gui.tabs.watch.reports_page import ReportsPage
from codette_desktop.gui.tabs.watch.requests.requests_page import RequestsPage
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets import SegmentedControl, ToastHost

if TYPE_CHECKING:
    from codette_desktop.application import Application
    from codette_desktop.gui.tabs.watch.flights.flight_dialog import FlightDialog
    from codette_desktop.gui.tabs.watch.now.now_page import NowPage

_WIDE = 1080  # design pixels for the names of the pages and the row above the charts
PAGES = ("now", "requests", "alerts", "reports")


class WatchTab(QWidget):
    """Its pages are made when they are first shown: the window need not wait for them at start.

    `answer_wanted` carries the `RequestPlace` of an answer that is to be shown where it is kept, `alerts_seen` tells
    that the person has the alerts on view.
    """

    ask_wanted = Signal()
    answer_wanted = Signal(object)
    alerts_seen = Signal()

    def __init__(self, application: "Application", toasts: ToastHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application, self._toasts = application, toasts
        self._made: dict[str, QWidget] = {}
        self._started = False
        titles = (tr("Now"), tr("Requests"), tr("Alerts"), tr("Reports"))
        self.pages = SegmentedControl(list(zip(PAGES, titles, strict=True)), tr("Page"))
        self.stack = QStackedWidget()
        self.stack.setMinimumHeight(1)
        self._head = QHBoxLayout()
        spaced(self._head, (16, 10, 16, 8), 24)
        self._head.addWidget(self.pages)
        self._rest = QWidget()
        self._head.addWidget(self._rest, 1)
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addLayout(self._head)
        column.addWidget(self.stack, 1)
        self.pages.changed.connect(self.show_page)

    @property
    def now(self) -> "NowPage":
        """The page of the charts."""
        return self._page("now")  # type: ignore[return-value]

    @property
    def requests(self) -> RequestsPage:
        """The table of all requests."""
        return self._page("requests")  # type: ignore[return-value]

    @property
    def alerts(self) -> AlertsPage:
        """What is wrong, was wrong, and the rules."""
        return self._page("alerts")  # type: ignore[return-value]

    @property
    def reports(self) -> ReportsPage:
        """What a day, a week or a month brought."""
        return self._page("reports")  # type: ignore[return-value]

    def start(self) -> None:
        """Called once the loop runs: from now on the page on view is filled."""
        self._started = True
        if self.isVisible():
            self._show_current()

    def show_page(self, name: str) -> None:
        """Go to one of `PAGES`."""
        if self.pages.current != name:
            self.pages.set_current(name)  # comes back here
            return
        if self._started:
            self._show_current()

    def _show_current(self) -> None:
        self.stack.setCurrentWidget(self._page(self.pages.current))
        self._place_bar()
        self.focus()

    def focus(self) -> None:
        """The keyboard goes to the page on view, whose keys then count at once."""
        if (page := self.stack.currentWidget()) is not None:
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _place_bar(self) -> None:
        """The row above the charts stands beside the names of the pages where there is room for both."""
        page: NowPage | None = self._made.get("now")  # type: ignore[assignment]
        if page is None:
            return
        beside = self.width() >= theme().px(_WIDE)
        wanted = self._head if beside else page.top
        if wanted.indexOf(page.bar) < 0:
            wanted.addWidget(page.bar, 6)
        shown = self.pages.current == "now"
        page.bar.setVisible(shown)
        self._rest.setVisible(not (beside and shown))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The row above the charts may stand outside their page; its keys are theirs all the same."""
        page: NowPage | None = self._made.get("now")  # type: ignore[assignment]
        if page is None or self.pages.current != "now" or not page.charts.take_key(event):
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_bar()

    def _page(self, name: str) -> QWidget:
        if name not in self._made:
            page = self._make(name)
            self._made[name] = page
            self.stack.addWidget(page)
        return self._made[name]

    def _make(self, name: str) -> QWidget:
        if name == "now":
            from codette_desktop.gui.tabs.watch.now.now_page import NowPage  # brings pyqtgraph with it

            return NowPage(self._application, self._toasts)
        if name == "requests":
            return self._make_requests()
        if name == "alerts":
            page = AlertsPage(self._application, self._toasts)
            page.seen.connect(self.alerts_seen)
            return page
        return ReportsPage(self._application, self._toasts)

    def _make_requests(self) -> RequestsPage:
        page = RequestsPage(self._application, self._toasts)
        page.record_wanted.connect(self.show_record)
        page.compare_wanted.connect(lambda request_id: self.show_record((request_id,)).choose_other(request_id))
        page.answer_wanted.connect(self.answer_wanted)
        page.ask_wanted.connect(self.ask_wanted)
        return page

    def show_record(self, ids: Sequence[str]) -> "FlightDialog":
        """The flight record of one answer, or of two side by side."""
        from codette_desktop.gui.tabs.watch.flights.flight_dialog import FlightDialog  # brings pyqtgraph with it

        dialog = FlightDialog(self._application, ids, self.window())
        dialog.answer_wanted.connect(self.answer_wanted)
        dialog.open()
        return dialog

    def request_ended(self, event: RequestEnded) -> None:
        """From the bus: the table counts it, where there is one."""
        if (page := self._made.get("requests")) is not None:
            page.request_ended(event)  # type: ignore[attr-defined]

    def alert_changed(self, event: AlertChanged) -> None:
        """From the bus."""
        if (page := self._made.get("alerts")) is not None:
            page.alert_changed(event)  # type: ignore[attr-defined]

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._application.watch.set_visible(True)
        if self._started:
            self._show_current()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._application.watch.set_visible(False)

    async def aclose(self) -> None:
        """Stop what its pages do."""
        for page in self._made.values():
            if (close := getattr(page, "aclose", None)) is not None:
                await close()
