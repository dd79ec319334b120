"""One flight record as pictures: who, how it went, what the time went into, each token, the devices meanwhile."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from codette_desktop.domain.answers import FinishReason
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.compare.column import SeriesDot
from codette_desktop.gui.tabs.rate.result_parts import Card, wrapped
from codette_desktop.gui.tabs.watch.charts.small_chart import SmallChart
from codette_desktop.gui.tabs.watch.figure_words import breakable
from codette_desktop.gui.tabs.watch.flights.flight_charts import (
    TraceChart,
    token_chart,
    token_words,
    top_of,
    trace_charts,
)
from codette_desktop.gui.tabs.watch.flights.flight_facts import header_text
from codette_desktop.gui.tabs.watch.flights.flight_record import FlightRecord, Gaps, gaps_of, stages_of
from codette_desktop.gui.tabs.watch.flights.waterfall import Waterfall
from codette_desktop.gui.tabs.watch.requests.requests_wording import short
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ElidedLabel, StateIcon, plain_tip

TWO_CHARTS = 560  # design width from which two charts stand beside each other


class FlightColumn(QWidget):
    """Draws a record; `beside` is the one it is compared with, which shares its scales."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.record: FlightRecord | None = None
        self.icon = StateIcon("good", 16)
        self.name = ElidedLabel(role="heading")
        self.about, self.note = wrapped(role="secondary"), wrapped()
        self.waterfall = Waterfall()
        self.time_card, self.token_card = Card(tr("What the time went into")), Card(tr("Time of each token"))
        self.token_chart = SmallChart(tr("Time of each token"))
        self.untimed = wrapped(role="secondary")
        self.trace_card = Card(tr("Devices meanwhile"), tr("Shaded: while it was answered"))
        self.traces = Traces()
        self.untraced = wrapped(role="secondary")
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, spacing=8)
        head.addWidget(self.icon)
        head.addWidget(self.name, 1)
        self.time_card.column.addWidget(self.waterfall)
        self.token_card.column.addWidget(self.token_chart)
        self.token_card.column.addWidget(self.untimed)
        self.trace_card.column.addWidget(self.traces)
        self.trace_card.column.addWidget(self.untraced)
        column = QVBoxLayout(self)
        spaced(column, spacing=12)
        top = QVBoxLayout()
        spaced(top, (2, 0, 2, 0), 4)
        top.addLayout(head)
        top.addWidget(self.about)
        top.addWidget(self.note)
        column.addLayout(top)
        for card in (self.time_card, self.token_card, self.trace_card):
            column.addWidget(card)
        column.addStretch(1)

    def show_record(self, record: FlightRecord, beside: FlightRecord | None = None) -> None:
        """Draw it."""
        self.record = record
        self.icon.set_kind(_kind(record.reason))
        self.name.setText(record.model or tr("Unknown model"))
        self.about.setText(header_text(record))
        error = record.request.error if record.request is not None else ""
        note = record.generation.note if record.generation is not None else ""
        self.note.setText(breakable(short(error or note, 2000)))
        set_role(self.note, "bad" if error else "warning")
        self.note.setVisible(bool(error or note))
        self._show_time(record, beside)
        self._show_tokens(record, beside)
        charts = trace_charts(record)
        self.traces.show_charts(charts)
        self.traces.setVisible(bool(charts))
        self.untraced.setVisible(not charts)
        self.trace_card.about.setVisible(bool(charts))
        self.untraced.setText(tr("Nothing was measured of the devices at that time."))

    def _show_time(self, record: FlightRecord, beside: FlightRecord | None) -> None:
        stages = stages_of(record)
        longest = max(record.total_ms or 0.0, (beside.total_ms or 0.0) if beside is not None else 0.0)
        self.waterfall.show_stages(stages, longest)
        self.waterfall.setVisible(bool(stages))
        self.time_card.set_about("" if stages else tr("How long it took is not known."))

    def _show_tokens(self, record: FlightRecord, beside: FlightRecord | None) -> None:
        gaps, other = gaps_of(record.flight), gaps_of(beside.flight) if beside is not None else None
        self.token_chart.setVisible(gaps is not None)
        self.untimed.setVisible(gaps is None)
        self.untimed.setText(untimed_text(record))
        self.token_card.set_about(token_words(gaps) if gaps is not None else "")
        if gaps is not None:
            tokens, top = _shared(gaps, other)
            self.token_chart.show_data(token_chart(gaps, tokens, top), token_words(gaps))


class Traces(QWidget):
    """Small charts, two to a row where there is room, and below them what colour is which device."""

    layout_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.charts: list[QWidget] = []
        self.keys = FlowBox(spacing=12)
        self._grid = QGridLayout()
        spaced(self._grid, spacing=12)
        column = QVBoxLayout(self)
        spaced(column, spacing=8)
        column.addLayout(self._grid)
        column.addWidget(self.keys)

    def show_charts(self, charts: list[TraceChart]) -> None:
        """Draw them anew."""
        for old in self.charts:
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.charts = [_titled(chart) for chart in charts]
        for place, chart in enumerate(self.charts):
            self._grid.addWidget(chart, place // 2, place % 2)
        for column in range(2):
            self._grid.setColumnStretch(column, 1 if column < len(self.charts) else 0)
        while (item := self.keys.flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        named = {curve.name: curve.place for chart in charts for curve in chart.data.curves}
        for name, place in named.items():
            self.keys.flow.addWidget(_key(name, place))
        self.keys.fit()


def _titled(chart: TraceChart) -> QWidget:
    box = QFrame()
    title = QLabel(chart.title)
    set_role(title, "secondary")
    drawn = SmallChart(chart.title)
    drawn.show_data(chart.data)
    column = QVBoxLayout(box)
    spaced(column, spacing=2)
    column.addWidget(title)
    column.addWidget(drawn)
    return box


def _key(name: str, place: int) -> QWidget:
    key = QWidget()
    word = QLabel(short(name, 40))
    word.setTextFormat(Qt.TextFormat.PlainText)
    word.setToolTip(plain_tip(name))
    set_role(word, "secondary")
    row = QHBoxLayout(key)
    spaced(row, spacing=6)
    row.addWidget(SeriesDot(place))
    row.addWidget(word)
    return key


def untimed_text(record: FlightRecord) -> str:
    """Why there is no chart of the tokens."""
    if record.cached:
        return tr("The whole answer came from the cache at once: there are no times of single tokens.")
    if record.flight is None:
        return tr("The timing of its tokens was not recorded.")
    return tr("It has fewer than two tokens: there is no time between them.")


def _shared(gaps: Gaps, other: Gaps | None) -> tuple[int | None, float | None]:
    if other is None:
        return None, None
    return len(other.ms) + 1, max(top_of(gaps), top_of(other))


def _kind(reason: FinishReason | None) -> str:
    kinds = {FinishReason.STOP: "good", FinishReason.LENGTH: "warning", FinishReason.FAILED: "bad"}
    return kinds.get(reason, "info") if reason is not None else "info"
