"""What hand-drawn rows of lists share."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from codette_desktop.gui.theme import theme

Index = QModelIndex | QPersistentModelIndex


def draw_row(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """The rounded background of a row that is chosen or under the pointer."""
    tokens = theme().tokens
    selected = bool(option.state & QStyle.StateFlag.State_Selected)
    hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
    if selected or hovered:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.pressed if selected else tokens.hover))
        radius = theme().px(6)
        painter.drawRoundedRect(option.rect.adjusted(theme().px(2), 1, -theme().px(2), -1), radius, radius)
    if option.state & QStyle.StateFlag.State_HasFocus and selected:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens.accent), 1))
        radius = theme().px(6)
        painter.drawRoundedRect(option.rect.adjusted(theme().px(2), 1, -theme().px(2) - 1, -2), radius, radius)
