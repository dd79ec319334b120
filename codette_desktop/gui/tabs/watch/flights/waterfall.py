"""What the time of a request went into, as one bar with its numbers below."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.watch.figure_words import ms_text
from codette_desktop.gui.tabs.watch.flights.flight_record import Stage
from codette_desktop.gui.theme import set_role, theme

_PLACES = {"queue": 4, "load": 1, "prefill": 0, "writing": 2, "all": 0}


def stage_word(name: str) -> str:
    """What a stage is called."""
    return {
        "queue": tr("Queue"),
        "load": tr("Loading the model"),
        "prefill": tr("Reading the prompt"),
        "other": tr("Preparing"),
        "writing": tr("Writing"),
        "all": tr("Whole request"),
    }[name]


def stage_colour(name: str) -> QColor:
    """The colour of a stage, the same everywhere."""
    tokens = theme().tokens
    if name == "other":
        return QColor(tokens.line_strong)
    return QColor(tokens.series[_PLACES[name] % len(tokens.series)])


class Waterfall(QWidget):
    """The bar is as long as the request against `longest_ms`, so that two of them can be compared."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = _Bar()
        self.legend = FlowBox(spacing=12)
        column = QVBoxLayout(self)
        spaced(column, spacing=8)
        column.addWidget(self.bar)
        column.addWidget(self.legend)

    def show_stages(self, stages: Sequence[Stage], longest_ms: float) -> None:
        """Draw them; what takes no time at all is not named."""
        self.bar.show_stages(stages, longest_ms)
        while (item := self.legend.flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for stage in stages:
            self.legend.flow.addWidget(_Key(stage))
        self.legend.fit()
        spoken = ", ".join(f"{stage_word(stage.name)} {ms_text(stage.ms)}" for stage in stages)
        self.bar.setAccessibleName(tr("What the time went into: {stages}", stages=spoken))


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._stages: Sequence[Stage] = ()
        self._longest = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        sized(self, minimum=(80, 18), maximum=(0, 18))
        theme().changed.connect(self.update)

    def show_stages(self, stages: Sequence[Stage], longest_ms: float) -> None:
        self._stages, self._longest = stages, max(longest_ms, 1e-3)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        radius = theme().px(4)
        painter.setBrush(QColor(theme().tokens.hover))
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        width, left = self.width() / self._longest, 0.0
        for stage in self._stages:
            # Each is to be seen, however short, and none over another.
            length = max(2.0, stage.ms * width)
            start = max(left, stage.start_ms * width)
            length = max(1.0, min(length, self.width() - start))
            painter.setBrush(stage_colour(stage.name))
            painter.drawRoundedRect(QRectF(start, 0, length - (1 if length > 3 else 0), self.height()), 2, 2)
            left = start + length


class _Key(QWidget):
    """The colour of a stage, its word and its time."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        word, value = QLabel(stage_word(stage.name)), QLabel(ms_text(stage.ms))
        set_role(word, "secondary")
        set_role(value, "mono")
        row = QHBoxLayout(self)
        spaced(row, spacing=6)
        for widget in (Swatch(stage.name), word, value):
            row.addWidget(widget)


class Swatch(QWidget):
    """A small square in the colour of a stage."""

    def __init__(self, stage: str) -> None:
        super().__init__()
        self._stage = stage
        sized(self, minimum=(10, 10), maximum=(10, 10))
        theme().changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(stage_colour(self._stage))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)
