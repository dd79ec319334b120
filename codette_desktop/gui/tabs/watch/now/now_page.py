"""The page "Now": the cards, the models, and the charts over one axis of time."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.watch.charts.chart_export import file_name, to_csv
from codette_desktop.gui.tabs.watch.charts.chart_grid import ChartGrid
from codette_desktop.gui.tabs.watch.charts.chart_view import ChartView
from codette_desktop.gui.tabs.watch.even_grid import EvenGrid
from codette_desktop.gui.tabs.watch.now.card_views import ModelCard, NumberCard
from codette_desktop.gui.tabs.watch.now.now_state import CardState, ChartsState, ModelState, Period
from codette_desktop.gui.tabs.watch.now.presenter import NowPresenter
from codette_desktop.gui.tabs.watch.now.range_bar import RangeBar
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton, EmptyState, ScrollColumn, ToastHost, file_dialogs

if TYPE_CHECKING:
    from codette_desktop.application import Application

POLL_MS = 200
FEW_MODELS = 5  # one row; with many models the charts would be far down
_CARD_WIDTH, _MODEL_WIDTH = 150, 208


class NowPage(QWidget):
    """Draws what its presenter says (`NowView`); asks it for what is new only while it is on view."""

    def __init__(
        self,
        application: "Application",
        toasts: ToastHost | None = None,
        parent: QWidget | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(parent)
        self._toasts = toasts
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.bar = RangeBar()
        self.cards = EvenGrid(_CARD_WIDTH, spacing=8)
        self.models_title = QLabel(tr("Models, the last 24 hours"))
        set_role(self.models_title, "secondary")
        self.more_models = ChipButton("")
        self.more_models.setCheckable(True)
        self.more_models.hide()
        self._all_models: Sequence[ModelState] = ()
        self.models = EvenGrid(_MODEL_WIDTH, spacing=8, fill=False)
        self.charts = ChartGrid()
        self.scroller = ScrollColumn()
        self.stack = QStackedWidget()
        self.empty = EmptyState(
            "activity",
            tr("Nothing has been measured yet"),
            tr(
                "In a moment you see here how fast and how well your models answer, and how busy, full and warm this "
                "computer is: as numbers, and as charts from the last minute to the last 90 days."
            ),
        )
        self._lay_out()
        self.presenter = NowPresenter(application, self, clock=clock)
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        self.show_period(self.presenter.period)
        self.models_title.hide()

    def _lay_out(self) -> None:
        column = self.scroller.column
        spaced(column, (16, 0, 16, 16), 12)
        column.addWidget(self.cards)
        title = QHBoxLayout()
        spaced(title, spacing=8)
        title.addWidget(self.models_title)
        title.addWidget(self.more_models)
        title.addStretch(1)
        models = QVBoxLayout()
        spaced(models, spacing=6)
        models.addLayout(title)
        models.addWidget(self.models)
        column.addLayout(models)
        column.addWidget(self.charts)
        column.addStretch(1)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.scroller)
        self.top = QHBoxLayout()
        spaced(self.top, (16, 0, 16, 8), 0)
        self.top.addWidget(self.bar)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addLayout(self.top)
        layout.addWidget(self.stack, 1)
        self.scroller.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.stack.setMinimumHeight(1)

    def _connect(self) -> None:
        presenter, charts = self.presenter, self.charts
        self.bar.range_chosen.connect(presenter.set_range)
        for source in (self.bar, charts):
            source.hold_wanted.connect(presenter.hold)
            source.live_wanted.connect(presenter.live)
        charts.panned.connect(presenter.pan)
        charts.zoomed.connect(presenter.zoom)
        charts.start_wanted.connect(presenter.to_start)
        charts.moment_shown.connect(self.bar.show_moment)
        charts.picture_wanted.connect(lambda chart: self.presenter.tasks.start(self.save_picture(chart), "save"))
        charts.data_wanted.connect(lambda chart: self.presenter.tasks.start(self.save_data(chart), "save"))
        charts.copy_wanted.connect(self.copy_picture)
        self.more_models.toggled.connect(lambda _whole: self.show_models(self._all_models))
        self.scroller.verticalScrollBar().valueChanged.connect(lambda _value: charts.refresh())

    # NowView

    def show_cards(self, cards: Sequence[CardState]) -> None:
        """See `NowView`."""
        self.stack.setCurrentWidget(self.scroller)
        if len(self.cards.items) != len(cards):
            self.cards.set_items([NumberCard() for _card in cards])
        for widget, state in zip(self.cards.items, cards, strict=True):
            widget.show_state(state)  # type: ignore[attr-defined]

    def show_models(self, models: Sequence[ModelState]) -> None:
        """See `NowView`."""
        self._all_models = models
        whole = self.more_models.isChecked()
        words = tr("Fewer") if whole else tr("Show all {n}", n=len(models))
        self.more_models.setText(words)
        self.more_models.setAccessibleName(words)
        self.more_models.setVisible(len(models) > FEW_MODELS)
        models = models if whole else models[:FEW_MODELS]
        made = list(self.models.items)
        if len(made) != len(models):
            for spare in made[len(models) :]:
                spare.deleteLater()
            made = made[: len(models)] + [ModelCard() for _model in models[len(made) :]]
            self.models.set_items(made)
        for widget, state in zip(made, models, strict=True):
            widget.show_state(state)  # type: ignore[attr-defined]
        self.models_title.setVisible(bool(models))
        self.models.setVisible(bool(models))

    def show_charts(self, state: ChartsState) -> None:
        """See `NowView`."""
        self.charts.show_state(state)

    def show_period(self, period: Period) -> None:
        """See `NowView`."""
        self.bar.show_period(period)

    def show_error(self, error: CodetteError) -> None:
        """See `NowView`."""
        if self._toasts is not None:
            self._toasts.show_toast(error_text(error), "bad", timeout_ms=10_000)

    # Saving a chart

    async def save_picture(self, chart: ChartView) -> None:
        """As PNG, where the person says."""
        image = chart.picture()
        path = await self._where(chart, tr("Save the picture"), tr("Pictures (*.png)"), ".png")
        if path is not None:
            if not image.save(str(path)):
                raise CodetteError(tr("{path} could not be written.", path=path), tr("Choose another folder."))
            self._say(tr("Saved as {name}.", name=path.name))

    async def save_data(self, chart: ChartView) -> None:
        """As CSV, where the person says: what is in view now."""
        text = to_csv(chart.state, self.presenter.period)
        path = await self._where(chart, tr("Save the data"), tr("Tables (*.csv)"), ".csv")
        if path is not None:
            try:
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                raise CodetteError(
                    tr("{path} could not be written: {why}.", path=path, why=error.strerror or error),
                    tr("Choose another folder."),
                ) from error
            self._say(tr("Saved as {name}.", name=path.name))

    def copy_picture(self, chart: ChartView) -> None:
        """To the clipboard."""
        QGuiApplication.clipboard().setImage(chart.picture())
        self._say(tr("The picture is in the clipboard."))

    async def _where(self, chart: ChartView, title: str, kinds: str, suffix: str) -> Path | None:
        return await file_dialogs.pick_save_file(
            self, title, kinds, file_name(chart.state, self.presenter.period, suffix)
        )

    def _say(self, words: str) -> None:
        if self._toasts is not None:
            self._toasts.show_toast(words, "good")

    # Being looked at

    def _poll(self) -> None:
        self.presenter.poll()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        QTimer.singleShot(0, self, self._poll)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.scroller.verticalScrollBar()
        steps = {
            Qt.Key.Key_Up: -bar.singleStep(), Qt.Key.Key_Down: bar.singleStep(),
            Qt.Key.Key_PageUp: -bar.pageStep(), Qt.Key.Key_PageDown: bar.pageStep(),
        }  # fmt: skip
        if Qt.Key(event.key()) in steps:
            bar.setValue(bar.value() + steps[Qt.Key(event.key())])
        elif not self.charts.take_key(event):
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            QTimer.singleShot(0, self, self.charts.refresh)
        return super().event(event)

    async def aclose(self) -> None:
        """Stop what runs."""
        self._timer.stop()
        await self.presenter.aclose()
