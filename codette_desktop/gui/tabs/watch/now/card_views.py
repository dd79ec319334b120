"""The cards of the page "Now": one big number with its last minute, and one card for each model."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.styles import styled
from codette_desktop.gui.tabs.compare.column import SeriesDot
from codette_desktop.gui.tabs.watch.now.now_state import CardState, ModelState, Tone
from codette_desktop.gui.tabs.watch.now.spark import SparkLine
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ElidedLabel, StateIcon

_BIG = "QLabel { font-family: 'JetBrains Mono'; font-size: @22; font-weight: 600; color: @text; }"
_TABULAR = "QLabel { font-family: 'JetBrains Mono'; font-size: @12; color: @text; }"


class NumberCard(QFrame):
    """Title, the number with its unit, its last minute, and what pulls it down in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.state: CardState | None = None
        self._title, self._unit, self._value = ElidedLabel(role="secondary"), QLabel(), QLabel()
        set_role(self._unit, "secondary")
        styled(self._value, _BIG)
        self._icon = StateIcon("good", 16)
        policy = self._icon.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # so that all cards have one height
        self._icon.setSizePolicy(policy)
        self._spark = SparkLine()
        self._worst = ElidedLabel(role="secondary")
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, spacing=4)
        head.addWidget(self._title, 1)
        head.addWidget(self._icon)
        numbers = QHBoxLayout()
        spaced(numbers, spacing=4)
        numbers.addWidget(self._value, 0, Qt.AlignmentFlag.AlignBottom)
        numbers.addWidget(self._unit, 0, Qt.AlignmentFlag.AlignBottom)
        numbers.addSpacing(4)
        numbers.addWidget(self._spark, 1, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        spaced(column, (12, 8, 12, 10), 4)
        column.addLayout(head)
        column.addLayout(numbers)
        column.addWidget(self._worst)

    def show_state(self, state: CardState) -> None:
        """What it says now."""
        if state == self.state:
            return
        self.state = state
        self._title.setText(state.title)
        self._value.setText(state.value)
        self._unit.setText(state.unit)
        self._unit.setVisible(bool(state.unit))
        self._worst.setText(state.worst)
        self._icon.setVisible(state.tone is not Tone.PLAIN)
        if state.tone is not Tone.PLAIN:
            self._icon.set_kind(state.tone)
        self._spark.show_values(state.spark, "accent" if state.tone in (Tone.PLAIN, Tone.GOOD) else state.tone)
        self.setToolTip(state.tip)
        self.setAccessibleName(state.title)
        self.setAccessibleDescription(f"{state.value} {state.unit}. {state.worst}".replace(" .", "."))


class ModelCard(QFrame):
    """One model: colour and name, its figures in a small table, health, and the trend in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.state: ModelState | None = None
        self._dot = SeriesDot(0)
        self._name = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle, role="strong")
        self._health, self._health_icon = QLabel(), StateIcon("good", 16)
        styled(self._health, _TABULAR)
        self._trend, self._trend_icon = ElidedLabel(role="secondary"), StateIcon("warning", 14)
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._grid = QGridLayout()
        self._lay_out()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, spacing=6)
        head.addWidget(self._dot)
        head.addWidget(self._name, 1)
        head.addWidget(self._health_icon)
        head.addWidget(self._health)
        spaced(self._grid, spacing=2)
        self._grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        spaced(column, (12, 8, 12, 10), 6)
        column.addLayout(head)
        column.addLayout(self._grid)
        trend = QHBoxLayout()
        spaced(trend, spacing=4)
        trend.addWidget(self._trend_icon)
        trend.addWidget(self._trend, 1)
        column.addLayout(trend)

    def show_state(self, state: ModelState) -> None:
        """What it says now."""
        if state == self.state:
            return
        self.state = state
        self._dot.place = state.place
        self._dot.update()
        self._name.setText(state.label)
        self._show_figures(state.figures)
        self._health.setText(state.health)
        self._health_icon.setVisible(state.tone is not Tone.PLAIN)
        if state.tone is not Tone.PLAIN:
            self._health_icon.set_kind(state.tone)
        self._trend.setText(state.trend)
        self._trend_icon.setVisible(state.trend_tone in (Tone.WARNING, Tone.BAD))
        self.setToolTip(state.tip)
        self.setAccessibleName(state.label)
        words = [f"{name} {value}" for name, value in state.figures]
        self.setAccessibleDescription(", ".join([*words, state.trend, state.tip]))

    def _show_figures(self, figures: tuple[tuple[str, str], ...]) -> None:
        while len(self._rows) < len(figures):
            name, value = QLabel(), QLabel()
            set_role(name, "secondary")
            styled(value, _TABULAR)
            row = len(self._rows)
            self._grid.addWidget(name, row, 0)
            self._grid.addWidget(value, row, 1, Qt.AlignmentFlag.AlignRight)
            self._rows.append((name, value))
        for (name, value), (words, shown) in zip(self._rows, figures, strict=True):
            name.setText(words)
            value.setText(shown)
