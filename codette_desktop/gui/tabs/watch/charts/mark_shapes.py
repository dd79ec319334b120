"""Marks of what happened at a moment: a small symbol for each kind, a shape each, so that no colour is needed."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from codette_desktop.domain.telemetry import Mark, MarkKind
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.watch.charts.time_axis import moment_text
from codette_desktop.gui.theme import theme

SIZE = 8  # design pixels across
GRAVEST = (MarkKind.ALERT, MarkKind.FALLBACK, MarkKind.UNLOADED, MarkKind.LOADED, MarkKind.JOB)
_COLOURS = {MarkKind.FALLBACK: "warning", MarkKind.ALERT: "bad", MarkKind.JOB: "accent"}


def mark_colour(kind: MarkKind) -> str:
    """The name of the token."""
    return _COLOURS.get(kind, "secondary")


def mark_word(kind: MarkKind) -> str:
    """What happened, in a word."""
    return {
        MarkKind.LOADED: tr("Loaded"),
        MarkKind.UNLOADED: tr("Unloaded"),
        MarkKind.FALLBACK: tr("Another model stood in"),
        MarkKind.ALERT: tr("Alert"),
        MarkKind.JOB: tr("Job"),
    }[kind]


def mark_text(mark: Mark) -> str:
    """ "10:42:07  Loaded: Guide M"."""
    return f"{moment_text(mark.at, 0)}  {mark_word(mark.kind)}: {mark.text}"


def paint_mark(painter: QPainter, box: QRectF, kind: MarkKind) -> None:
    """Loaded: triangle up; unloaded: hollow, down; fallback: diamond; alert: disc; job: square."""
    tokens = theme().tokens
    colour = QColor(tokens.colour(mark_colour(kind)))
    painter.setPen(QPen(colour, 1.25))
    painter.setBrush(QColor(tokens.surface) if kind is MarkKind.UNLOADED else colour)
    left, right, top, bottom, middle = box.left(), box.right(), box.top(), box.bottom(), box.center()
    match kind:
        case MarkKind.LOADED:
            corners = [QPointF(middle.x(), top), QPointF(right, bottom), QPointF(left, bottom)]
        case MarkKind.UNLOADED:
            corners = [QPointF(left, top), QPointF(right, top), QPointF(middle.x(), bottom)]
        case MarkKind.FALLBACK:
            corners = [QPointF(middle.x(), top), QPointF(right, middle.y()), QPointF(middle.x(), bottom),
                       QPointF(left, middle.y())]  # fmt: skip
        case MarkKind.ALERT:
            painter.drawEllipse(box)
            return
        case _:
            painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
            return
    painter.drawPolygon(QPolygonF(corners), Qt.FillRule.WindingFill)
