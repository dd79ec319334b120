"""One answer of a duel: without a name until the vote, then with one."""

from PySide6.QtCore import QEasingCurve, QPropertyAnimation, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.thinking import split
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.ask.thought_view import ThoughtView
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import ElidedLabel, MarkdownView, ScrollColumn

SLIDE_MS = 160
NAME_HEIGHT = 34


class AnswerPane(QFrame):
    """`side` is what the pane is called, "Left" or "Right"."""

    link_activated = Signal(str)

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.side = side
        set_role(self, "card")
        self.title = QLabel(side)
        set_role(self.title, "secondary")
        self.mark = QLabel()
        set_role(self.mark, "strong")
        self.name = ElidedLabel("", role="strong")
        self.area = ScrollColumn(colour="surface")
        self.markdown = MarkdownView()
        self.markdown.link_activated.connect(self.link_activated)
        self.thought: ThoughtView | None = None
        self.cut = QLabel(tr("The answer was cut here: it had no more room."))
        self.cut.setWordWrap(True)
        set_role(self.cut, "secondary")
        self._lay_out()
        self._slide = QPropertyAnimation(self._name_row, b"maximumHeight", self)
        self._slide.setDuration(SLIDE_MS)
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self.show_name("")

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, (14, 10, 14, 4), 8)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.mark)
        self._name_row = QWidget()
        row = QHBoxLayout(self._name_row)
        spaced(row, (14, 0, 14, 6), 8)
        row.addWidget(self.name, 1)
        spaced(self.area.column, (14, 2, 10, 10), 6)
        self.area.column.addWidget(self.markdown)
        self.area.column.addWidget(self.cut)
        self.area.column.addStretch(1)
        column = QVBoxLayout(self)
        spaced(column, (1, 1, 1, 1), 0)
        column.addLayout(head)
        column.addWidget(self._name_row)
        column.addWidget(self.area, 1)

    def show_answer(self, answer: Node | None, *, with_thought: bool = False) -> None:
        """This answer; None clears the pane. `with_thought`: both thought, so both may show it."""
        if self.thought is not None:
            self.thought.markdown.clear()
            self.thought.hide()
            self.thought.deleteLater()
            self.thought = None
        self.area.verticalScrollBar().setValue(0)
        self.show_name("")
        self.mark.setText("")
        if answer is None:
            self.markdown.set_markdown("")
            self.cut.hide()
            return
        thought, text = split(answer.message.content)
        if with_thought:
            self.thought = ThoughtView()
            self.thought.append(thought)
            self.thought.set_running(False)
            self.area.column.insertWidget(0, self.thought)
        self.markdown.set_markdown(text if text.strip() else tr("*(an empty answer)*"))
        self.markdown.setAccessibleName(tr("{side} answer", side=self.side))
        made = answer.generation
        self.cut.setVisible(made is not None and made.reason is FinishReason.LENGTH)

    def show_name(self, name: str) -> None:
        """Who wrote it slides in; "" hides it at once."""
        if name and name == self.name.text() and self._name_row.isVisible():
            return
        self.name.setText(name)
        self._name_row.setVisible(bool(name))
        if name:
            self._slide.stop()
            self._slide.setStartValue(0)
            self._slide.setEndValue(theme().px(NAME_HEIGHT))
            self._slide.start()

    def show_mark(self, text: str) -> None:
        """What the vote said of it; "" for nothing."""
        self.mark.setText(text)

    def scroll_down(self, pages: float) -> None:
        """Down by so many pages; up for less than 0."""
        bar = self.area.verticalScrollBar()
        bar.setValue(bar.value() + round(pages * bar.pageStep() * 0.9))

    def discard(self) -> None:
        """It goes: nothing may be drawn on it with the next frame."""
        self._slide.stop()
        self.markdown.clear()
        if self.thought is not None:
            self.thought.markdown.clear()
