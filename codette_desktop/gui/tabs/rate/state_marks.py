"""Marks for how far a pair has come: a shape each, so that no colour is needed to tell them apart."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.rate.wording import state_tip, state_word
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.rating.verdict import State

MARK = 10  # design pixels across


def paint_mark(painter: QPainter, box: QRectF, state: State) -> None:
    """Full disc: settled; half a disc: leaning; empty ring: too early; two bars: equally good."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    tokens = theme().tokens
    colour = QColor(tokens.secondary if state is State.TOO_EARLY else tokens.text)
    width = max(1.0, theme().px(3) / 2)
    painter.setPen(QPen(colour, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ring = box.adjusted(width / 2, width / 2, -width / 2, -width / 2)
    if state is State.EQUALLY_GOOD:
        for share in (0.33, 0.67):
            y = box.top() + share * box.height()
            painter.drawLine(QPointF(box.left() + 0.5, y), QPointF(box.right() - 0.5, y))
    else:
        painter.drawEllipse(ring)
        painter.setBrush(colour)
        if state is State.SETTLED:
            painter.drawEllipse(ring)
        elif state is State.LEANING:
            painter.drawPie(ring, 90 * 16, 180 * 16)
    painter.restore()


class StateMark(QWidget):
    """The mark alone."""

    def __init__(self, state: State, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        sized(self, minimum=(MARK, MARK), maximum=(MARK, MARK))
        self.setAccessibleName(state_word(state))

    def show_state(self, state: State) -> None:
        """Another state."""
        self.state = state
        self.setAccessibleName(state_word(state))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        side = theme().px(MARK)
        paint_mark(QPainter(self), QRectF(0, 0, side, side), self.state)


class MarkLegend(FlowBox):
    """What the marks mean."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, spacing=14)
        for state in (State.SETTLED, State.EQUALLY_GOOD, State.LEANING, State.TOO_EARLY):
            self.flow.addWidget(_Entry(state, self))
        self.setAccessibleName(tr("What the marks mean"))


class _Entry(QWidget):
    def __init__(self, state: State, parent: QWidget) -> None:
        super().__init__(parent)
        label = QLabel(state_word(state))
        set_role(label, "secondary")
        row = QHBoxLayout(self)
        spaced(row, spacing=6)
        row.addWidget(StateMark(state), 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(label)
        self.setToolTip(state_tip(state))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        return super().sizeHint()
