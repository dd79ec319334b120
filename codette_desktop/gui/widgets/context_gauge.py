"""How full the context window is, by part."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from codette_desktop.domain.answers import ContextUse
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.theme.manager import theme
from codette_desktop.gui.theme.tokens import TEXT_SECONDARY
from codette_desktop.gui.widgets.labels import paint_focus

_BAR_WIDTH, _BAR_HEIGHT, _GAP = 96, 8, 8
WARNING_SHARE = 0.85  # of the context used by the prompt


class ContextGauge(QWidget):
    """A bar in parts (system, history, question, free room) and "312/1,024". All figures are tokens."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._use: ContextUse | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme().changed.connect(self._changed)
        self._changed()

    def set_use(self, length: int, system: int, history: int, question: int, left_out_messages: int = 0) -> None:
        """Shows these tokens of a context of `length`."""
        self.set_context_use(ContextUse(length, system, history, question, left_out_messages))

    def set_context_use(self, use: ContextUse) -> None:
        """Shows that use."""
        self._use = use
        self._changed()

    def set_unknown(self) -> None:
        """Shows that nothing is known yet."""
        self._use = None
        self._changed()

    def text(self) -> str:
        """What stands beside the bar."""
        if self._use is None:
            return "–"
        return f"{number(self._use.prompt)}/{number(self._use.length)}"

    def parts(self) -> tuple[tuple[str, int, str], ...]:
        """(name, tokens, colour token or series number) of each part in the order of the bar, the room last."""
        use = self._use
        if use is None:
            return ()
        return (
            (tr("System prompt"), use.system, "series:3"),
            (tr("Earlier messages"), use.history, "series:0"),
            (tr("Question"), use.question, "series:2"),
            (tr("Room for the answer"), use.room, "pressed"),
        )

    def sizeHint(self) -> QSize:
        px = theme().px
        metrics = QFontMetricsF(theme().font(TEXT_SECONDARY, mono=True))
        return QSize(
            px(_BAR_WIDTH + _GAP + 8) + round(metrics.horizontalAdvance(self._widest())),
            max(px(24), round(metrics.height())),
        )

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _widest(self) -> str:
        """Figures grow while one types; room for the longest from the start keeps the row still."""
        return f"{number(self._use.length)}/{number(self._use.length)}" if self._use else "8,888/8,888"

    def _changed(self) -> None:
        self.setAccessibleName(tr("Context used: {text} tokens", text=self.text()))
        self.setToolTip(self._tooltip())
        self.updateGeometry()
        self.update()

    def _tooltip(self) -> str:
        if self._use is None:
            return tr("How much of the model's context this conversation takes is not known yet.")
        lines = [tr("Context: what the model can take in at once, in tokens (about ¾ of a word each)."), ""]
        lines += [f"{name}: {number(tokens)}" for name, tokens, _ in self.parts()]
        if self._use.left_out_messages:
            lines += [
                "",
                tr("Left out because they no longer fit: {count} messages", count=self._use.left_out_messages),
            ]
        return "\n".join(lines)

    def paintEvent(self, _event: QPaintEvent) -> None:
        px, tokens = theme().px, theme().tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(px(4), (self.height() - px(_BAR_HEIGHT)) / 2, px(_BAR_WIDTH), px(_BAR_HEIGHT))
        path = QPainterPath()
        path.addRoundedRect(bar, px(4), px(4))
        painter.fillPath(path, QColor(tokens.pressed))
        painter.setClipPath(path)
        x = bar.left()
        for _, count, colour in self.parts()[:-1]:
            width = bar.width() * count / max(1, self._use.length if self._use else 1)
            if count:
                width = max(width, 2.0)  # what is there must be seen
                painter.fillRect(QRectF(x, bar.top(), width, bar.height()), QColor(_colour(colour)))
                painter.fillRect(QRectF(x + width - 1, bar.top(), 1, bar.height()), QColor(tokens.surface))
            x += width
        painter.setClipping(False)
        painter.setFont(theme().font(TEXT_SECONDARY, mono=True))
        painter.setPen(QColor(tokens.warning_word if self._nearly_full() else tokens.secondary))
        beside = QRectF(bar.right() + px(_GAP), 0, self.width() - bar.right() - px(_GAP), self.height())
        painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        painter.end()
        if self.hasFocus():
            paint_focus(self)

    def _nearly_full(self) -> bool:
        use = self._use
        return use is not None and (use.left_out_messages > 0 or use.prompt > WARNING_SHARE * use.length)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


def _colour(name: str) -> str:
    tokens = theme().tokens
    return tokens.series[int(name.removeprefix("series:"))] if name.startswith("series:") else tokens.colour(name)
