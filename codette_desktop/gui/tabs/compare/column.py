"""One column: who answers, the answer as it is written, and what can be done with it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.domain.errors import Cancelled
from codette_desktop.domain.servers import OUTSIDE
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask.answer_card import AnswerCard
from codette_desktop.gui.tabs.ask.wording import duration, speed
from codette_desktop.gui.tabs.compare.state import ColumnState
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import ChipButton, ElidedLabel, IconButton, MarkdownView
from codette_desktop.gui.widgets.scroll_column import ScrollColumn

LEAST_WIDTH = 280


class SeriesDot(QWidget):
    """A round mark in the colour of a place: the same wherever that member is spoken of."""

    def __init__(self, place: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = place
        sized(self, minimum=(10, 10), maximum=(10, 10))
        theme().changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(series_colour(self.place)))
        side = min(self.width(), self.height()) - 1
        painter.drawEllipse(0, 0, side, side)


def series_colour(place: int) -> str:
    """The colour of the member at `place`."""
    series = theme().tokens.series
    return series[place % len(series)]


class CompareColumn(QFrame):
    """Signals carry the place of the member."""

    use_wanted = Signal(int)
    chat_wanted = Signal(int)
    again_wanted = Signal(int)
    stop_wanted = Signal(int)
    copied = Signal(str)
    link_activated = Signal(str)
    record_wanted = Signal(str)

    def __init__(self, place: int, state: ColumnState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = place
        self.state = state
        set_role(self, "card")
        sized(self, minimum=(LEAST_WIDTH, 0))
        self.setAccessibleName(tr("Answer of {member}", member=state.member.label))
        self.name = ElidedLabel(state.member.label, role="strong")
        self.figures = QLabel()
        self.figures.setWordWrap(True)
        set_role(self.figures, "secondary")
        self.area = ScrollColumn(colour="surface", follow=True)
        self.card = self._make_card()
        self.waiting = QLabel()
        self.waiting.setWordWrap(True)
        self.waiting.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.waiting, "secondary")
        self._lay_out()
        self._make_foot()
        self.show_state(state)

    @property
    def markdown(self) -> MarkdownView:
        """The answer's view."""
        return self.card.markdown

    def _make_card(self) -> AnswerCard:
        card = AnswerCard(self.state.member.label)
        for widget in (
            card.speaker,
            card.time,
            card.copy_button,
            card.again_button,
            card.record_button,
            card.foot,
            card.branches,
            card.thumbs,
        ):
            widget.hide()
        card.link_activated.connect(self.link_activated)
        card.again_wanted.connect(lambda _node: self.again_wanted.emit(self.place))
        card.foot.setMaximumHeight(0)  # the figures stand in the head
        return card

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, spacing=8)
        head.addWidget(SeriesDot(self.place))
        head.addWidget(self.name, 1)
        top = QVBoxLayout()
        spaced(top, (14, 12, 14, 8), 2)
        top.addLayout(head)
        top.addWidget(self.figures)
        top.addWidget(self.waiting)
        spaced(self.area.column, (14, 4, 10, 8), 0)
        self.area.column.addWidget(self.card)
        self.area.column.addStretch(1)
        self._column = QVBoxLayout(self)
        spaced(self._column, (1, 1, 1, 1), 0)
        self._column.addLayout(top)
        self._column.addWidget(self.area, 1)

    def _make_foot(self) -> None:
        self.use_button = ChipButton(tr("Use this"), "check")
        self.use_button.setToolTip(tr("Take this answer: it is marked here, and put into the chat it was asked from"))
        self.chat_button = IconButton("message-square", tr("Continue this one as a chat"))
        self.copy_button = IconButton("copy", tr("Copy"))
        self.again_button = IconButton("rotate-ccw", tr("Ask this one again"))
        self.stop_button = IconButton("square", tr("Stop this one"))
        self.record_button = IconButton("activity", tr("Record: what was measured of this answer"))
        self.use_button.clicked.connect(lambda: self.use_wanted.emit(self.place))
        self.chat_button.clicked.connect(lambda: self.chat_wanted.emit(self.place))
        self.copy_button.clicked.connect(lambda: self.copied.emit(self.card.text() or self.state.text))
        self.again_button.clicked.connect(lambda: self.again_wanted.emit(self.place))
        self.record_button.clicked.connect(self._on_record)
        self.stop_button.clicked.connect(lambda: self.stop_wanted.emit(self.place))
        foot = QHBoxLayout()
        spaced(foot, (10, 6, 10, 10), 4)
        foot.addWidget(self.use_button)
        foot.addStretch(1)
        for button in (
            self.stop_button,
            self.chat_button,
            self.copy_button,
            self.again_button,
            self.record_button,
        ):
            foot.addWidget(button)
        self._column.addLayout(foot)

    # What is shown

    def show_state(self, state: ColumnState, *, chosen: bool = False, busy: bool = False) -> None:
        """All of it anew; text that is drawn already stays."""
        if state is not self.state:
            self._new_card()
        self.state = state
        self.name.setText(state.member.label)
        if state.node is not None:
            if self.card.node is None or self.card.node.id != state.node.id:
                self.card.set_node(state.node)
                self.card.foot.hide()
                self.card.record_button.hide()  # it stands in the foot
                self.card.thumbs.hide()  # two are compared instead: see `RateRow`
                self.card.branches.hide()  # its sisters are the other members' answers
        elif state.chunks and not self.card.text():
            self.card.append(state.text)
        self.show_head(chosen=chosen, busy=busy)

    def show_head(self, *, chosen: bool = False, busy: bool = False) -> None:
        """The line of figures, what it waits for, and what can be done."""
        state = self.state
        self.figures.setText(figures_text(state))
        words = self._waiting_words()
        self.waiting.setText(words)
        self.waiting.setVisible(bool(words))
        if state.error is not None and state.node is None:
            self._show_error()
        written = bool(state.text.strip())
        self.use_button.setText(tr("Used") if chosen else tr("Use this"))
        self.use_button.setEnabled(written and not state.running)
        self.chat_button.setEnabled(written and state.node is not None and not state.running)
        self.copy_button.setEnabled(written)
        self.again_button.setVisible(not state.running)
        self.again_button.setEnabled(not busy)
        self.stop_button.setVisible(state.running)
        self.use_button.setVisible(not state.running)
        self.record_button.setVisible(not state.running)
        self.record_button.setEnabled(state.node is not None and state.node.generation is not None)

    def _on_record(self) -> None:
        if self.state.node is not None and self.state.node.generation is not None:
            self.record_wanted.emit(self.state.node.generation.id)

    def grew(self, text: str) -> None:
        """More of the answer."""
        if self.waiting.isVisible():
            self.waiting.hide()
        self.card.append(text)

    def _waiting_words(self) -> str:
        state = self.state
        if state.waits:
            return tr("Waits: {why}", why=state.waits)
        if state.joint and not state.chunks and state.node is None and state.error is None:
            return state.joint
        if state.running and not state.chunks:
            return tr("Reading the question …")
        if not state.asked and state.error is None:
            return tr("Was not needed.")
        return ""

    def _show_error(self) -> None:
        error = self.state.error
        if error is None:
            return
        self.card.show_error(error)
        set_role(self.card.reason, "secondary" if isinstance(error, Cancelled) else "bad")
        if self.state.chunks:
            self.card.markdown.show()
        self.card.retry_button.setVisible(not isinstance(error, Cancelled))

    def _new_card(self) -> None:
        old, self.card = self.card, self._make_card()
        self.area.column.replaceWidget(old, self.card)
        old.discard()
        old.hide()
        old.deleteLater()

    def discard(self) -> None:
        """The column goes: nothing may be drawn on it with the next frame."""
        self.card.discard()


def figures_text(state: ColumnState) -> str:
    """ "212 tok/s · first token 18 ms · 84 tokens"; what is known so far."""
    end, generation = state.end, state.node.generation if state.node else None
    figures = end.figures if end else generation.figures if generation else None
    if figures is None:
        return _error_words(state)
    parts = [tr("cached") if figures.cached else tr("{speed} tok/s", speed=speed(figures.tokens_per_second))]
    parts.append(tr("first token {time}", time=duration(figures.time_to_first_token_ms)))
    count = figures.completion_tokens
    parts.append(tr("1 token") if count == 1 else tr("{count} tokens", count=number(count)))
    if state.memory_bytes:
        parts.append(tr("{n} GB in memory", n=number(state.memory_bytes / 1e9, 2)))
    if _device(end, generation).endswith(OUTSIDE):
        parts.append(tr("outside this computer"))
    return " · ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def _device(end: AnswerEnd | None, generation: object) -> str:
    return end.device if end else str(getattr(generation, "device", ""))


def _error_words(state: ColumnState) -> str:
    if state.error is not None:
        return tr("Stopped") if isinstance(state.error, Cancelled) else tr("Failed")
    return tr("Writing …") if state.running and state.chunks else ""
