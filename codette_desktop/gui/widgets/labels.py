"""Labels that cut themselves, states in colour, shape and word, and lines between things."""

import html

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from codette_desktop.gui.theme.icons import icon_pixmap
from codette_desktop.gui.theme.manager import set_role, theme

STATE_ICONS = {"info": "info", "good": "circle-check", "warning": "triangle-alert", "bad": "circle-x"}
STATE_COLOURS = {"info": "accent", "good": "good", "warning": "warning", "bad": "bad"}


def plain_tip(text: str) -> str:
    """A text for a tooltip, which Qt would take for HTML where it looks like it: names of models come from outside."""
    return f"<p>{html.escape(text).replace(chr(10), '<br>')}</p>" if Qt.mightBeRichText(text) else text


class IconLabel(QLabel):
    """An icon that is no button, tinted by the theme."""

    def __init__(self, name: str, size: int = 16, colour: str = "text", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._now = (name, size, colour)
        theme().changed.connect(self._apply)
        self._apply()

    def show_icon(self, name: str, colour: str) -> None:
        """Shows another icon."""
        self._now = (name, self._now[1], colour)
        self._apply()

    def _apply(self) -> None:
        name, size, colour = self._now
        side = theme().px(size)
        self.setFixedSize(side, side)
        self.setPixmap(icon_pixmap(name, side, colour, self.devicePixelRatioF()))


class StateIcon(IconLabel):
    """The icon of a state: "info", "good", "warning" or "bad"; each has a shape of its own."""

    def __init__(self, kind: str, size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(STATE_ICONS[kind], size, STATE_COLOURS[kind], parent)

    def set_kind(self, kind: str) -> None:
        """Shows another state."""
        self.show_icon(STATE_ICONS[kind], STATE_COLOURS[kind])


class StatusDot(QWidget):
    """A state as icon and word."""

    def __init__(self, kind: str, word: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = StateIcon(kind, 16, self)
        self._label = QLabel(word, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._icon)
        row.addWidget(self._label)
        self.set_state(kind, word)

    def set_state(self, kind: str, word: str) -> None:
        """Shows another state; the word says what the colour means."""
        self._icon.set_kind(kind)
        self._label.setText(word)
        set_role(self._label, "" if kind == "info" else kind)
        self.setAccessibleName(word)


class ElidedLabel(QWidget):
    """One line of text that is cut where there is no room; the whole text is then its tooltip."""

    clicked = Signal()

    def __init__(
        self,
        text: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
        *,
        role: str = "",
    ) -> None:
        super().__init__(parent)
        self._text, self._mode, self._tip, self._clickable = "", mode, "", False
        self._label = QLabel(self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        set_role(self._label, role)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Shows that text; line breaks become spaces."""
        self._text = " ".join(text.split())
        self.setAccessibleName(self._text)
        self._elide()
        self.updateGeometry()

    def text(self) -> str:
        """The whole text."""
        return self._text

    def shown_text(self) -> str:
        """What is to be seen of it."""
        return self._label.text()

    def set_tip(self, tip: str) -> None:
        """A tooltip for when the text is not cut."""
        self._tip = tip
        self._elide()

    def set_role(self, role: str) -> None:
        """The style sheet's role of the text."""
        set_role(self._label, role)
        self._elide()

    def set_clickable(self, clickable: bool) -> None:
        """Makes the text a button: pointer, keyboard, `clicked`."""
        self._clickable = clickable
        self.setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if clickable else Qt.FocusPolicy.NoFocus)

    @property
    def is_elided(self) -> bool:
        """Whether the text is cut."""
        return self._label.text() != self._text

    def sizeHint(self) -> QSize:
        self._label.ensurePolished()
        metrics = self._label.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text) + 4, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(24), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "_label"):
            self.updateGeometry()
            self._elide()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._clickable and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._clickable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.hasFocus():
            paint_focus(self)

    def _elide(self) -> None:
        self._label.setGeometry(self.rect())
        shown = self._label.fontMetrics().elidedText(self._text, self._mode, max(0, self.width() - 2))
        self._label.setText(shown)
        self.setToolTip(plain_tip(self._text if shown != self._text else self._tip))


def separator(vertical: bool = False, parent: QWidget | None = None) -> QFrame:
    """A line of one pixel between two things."""
    line = QFrame(parent)
    set_role(line, "line")
    if vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line


def paint_focus(widget: QWidget) -> None:
    """The focus ring of widgets that paint themselves; to be called in a paintEvent."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme().tokens.accent), 2))
    painter.drawRoundedRect(widget.rect().adjusted(1, 1, -1, -1), 4, 4)
