"""An answer: streamed Markdown, how it ended, and how fast it was."""

import html

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Generation, Node
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.thinking import Part, ThinkSplitter, split
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.shortcuts import REGENERATE
from codette_desktop.gui.tabs.ask.message_card import MessageCard
from codette_desktop.gui.tabs.ask.thought_view import ThoughtView
from codette_desktop.gui.tabs.ask.thumbs import Thumbs
from codette_desktop.gui.tabs.ask.wording import (
    error_text,
    figures_line,
    note_text,
    parameters_text,
    reason_text,
    speaker,
)
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import IconButton, MarkdownView


class AnswerCard(MessageCard):
    """Begins live and empty (`append`), or is given a stored answer (`set_node`); a live one becomes the stored one."""

    again_wanted = Signal(str)
    link_activated = Signal(str)
    seed_copied = Signal(str)
    rated = Signal(str, object)
    record_wanted = Signal(str)

    def __init__(self, speaker: str = "", parent: QWidget | None = None) -> None:
        super().__init__(speaker or tr("Assistant"), parent)
        self._splitter = ThinkSplitter()
        self._live_text: list[str] = []
        self.again_button = IconButton("rotate-ccw", tr("Answer again"), REGENERATE.shown, size=14)
        self.again_button.clicked.connect(self._on_again)
        self.record_button = IconButton("activity", tr("Record: what was measured of this answer"), size=14)
        self.record_button.clicked.connect(self._on_record)
        self.record_button.hide()  # until there is a generation
        self.thumbs = Thumbs()
        self.thumbs.hide()  # until there is an answer to judge
        self.thumbs.rated.connect(self._on_rated)
        self.buttons.addWidget(self.thumbs)
        self.buttons.addWidget(self.record_button)
        self.buttons.addWidget(self.copy_button)
        self.buttons.addWidget(self.again_button)
        self.left_out = _note("warning")
        self.waiting = _note("secondary")
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)  # growing at the end paints only what is new
        self.markdown = MarkdownView()
        self.markdown.link_activated.connect(self.link_activated)
        self.thought: ThoughtView | None = None
        self.reason_row = self._make_reason_row()
        self.foot = self._make_foot()
        self._inside = QVBoxLayout()
        spaced(self._inside, spacing=6)
        for widget in (self.left_out, self.waiting, self.markdown, self.reason_row, self.foot):
            self._inside.addWidget(widget)
        self.body.addLayout(self._inside)

    def _make_reason_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        spaced(layout, spacing=12)
        self.reason = QLabel()
        self.reason.setTextFormat(Qt.TextFormat.PlainText)
        self.reason.setWordWrap(True)
        self.reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.retry_button = QPushButton(tr("Try again"))
        self.retry_button.clicked.connect(self._on_again)
        layout.addWidget(self.reason, 1)
        layout.addWidget(self.retry_button, 0, Qt.AlignmentFlag.AlignTop)
        row.hide()
        return row

    def _make_foot(self) -> QLabel:
        foot = QLabel()
        set_role(foot, "secondary")
        foot.setTextFormat(Qt.TextFormat.RichText)
        foot.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        foot.setWordWrap(True)
        foot.linkActivated.connect(self._on_seed)
        foot.hide()
        theme().changed.connect(self._retint)
        return foot

    def _retint(self) -> None:
        """Rich text keeps the colour its links were set with."""
        if self.node is not None and self.node.generation is not None:
            self._show_generation(self.node.generation)

    # Live

    def show_waiting(self, text: str) -> None:
        """What happens before the first word comes; "" when it has come."""
        self.waiting.setText(text)
        self.waiting.setVisible(bool(text))

    def show_note(self, note: str) -> None:
        """What must be told above the answer; "" for nothing."""
        self.left_out.setText(note)
        self.left_out.setVisible(bool(note))

    def append(self, text: str) -> None:
        """More of the answer; drawn with the next frame."""
        if self._live_text == []:
            self.show_waiting("")
        self._live_text.append(text)
        self._put(self._splitter.feed(text))

    def _put(self, parts: list[Part]) -> None:
        for kind, text in parts:
            if kind == "think":
                self._thought_view().append(text)
            else:
                if self.thought is not None:
                    self.thought.set_running(False)
                self.markdown.append(text)

    def _thought_view(self) -> ThoughtView:
        if self.thought is None:
            self.thought = ThoughtView()
            self._inside.insertWidget(2, self.thought)
        return self.thought

    def discard(self) -> None:
        """The card goes: nothing may be drawn on it with the next frame."""
        self.markdown.clear()
        if self.thought is not None:
            self.thought.markdown.clear()

    def text(self) -> str:
        """The answer without the thought."""
        return split(super().text() if self.node else "".join(self._live_text))[1]

    def set_busy(self, busy: bool) -> None:
        super().set_busy(busy)
        self.again_button.setEnabled(not busy)
        self.retry_button.setEnabled(not busy)

    # Stored

    def set_node(self, node: Node) -> None:
        first = self.node is None
        super().set_node(node)
        if first:
            self._take_text(node.message.content)
        self.show_waiting("")
        self.speaker.setText(speaker(node.generation))
        if node.generation is not None:
            self._show_generation(node.generation)
            self.thumbs.setVisible(bool(self.text().strip()))
            self.record_button.show()

    def _take_text(self, content: str) -> None:
        if content == "".join(self._live_text):
            self._put(self._splitter.finish())
            self.markdown.finish()
        else:
            thought, answer = split(content)
            if thought and self.thought is None:
                self._thought_view().append(thought)
            self.markdown.set_markdown(answer)
        if self.thought is not None:
            self.thought.set_running(False)
        self.markdown.setVisible(bool(self.text().strip()))

    def _show_generation(self, generation: Generation) -> None:
        line, parameters = html.escape(figures_line(generation)), parameters_text(generation)
        plain = figures_line(generation)
        if generation.seed is not None:
            seed = tr("seed {seed}", seed=generation.seed)
            style = f"text-decoration: none; color: {theme().tokens.link}"
            line += f' · <a href="seed" style="{style}">{html.escape(seed)}</a>'
            plain += f" · {seed}"
            parameters += "\n\n" + tr("Click the seed to copy it.")
        self.foot.setText(line)
        self.foot.setAccessibleName(plain)
        self.foot.setToolTip(parameters)
        self.foot.show()
        self.show_note(note_text(generation))
        self._show_reason(reason_text(generation), generation.reason)

    def show_error(self, error: CodetteError) -> None:
        """An answer that never got as far as being stored."""
        self.show_waiting("")
        self.markdown.hide()
        self._show_reason(error_text(error), FinishReason.FAILED)

    def _show_reason(self, text: str, reason: FinishReason | None) -> None:
        roles = {FinishReason.FAILED: "bad", FinishReason.CANCELLED: "secondary"}
        set_role(self.reason, roles.get(reason, "warning") if reason else "secondary")
        self.reason.setText(text)
        self.reason_row.setVisible(bool(text))
        self.retry_button.setVisible(reason in (FinishReason.FAILED, FinishReason.INTERRUPTED))

    def _on_rated(self, preference: object) -> None:
        if self.node is not None:
            self.rated.emit(self.node.id, preference)

    def _on_record(self) -> None:
        if self.node is not None and self.node.generation is not None:
            self.record_wanted.emit(self.node.generation.id)

    def _on_again(self) -> None:
        self.again_wanted.emit(self.node.id if self.node else "")

    def _on_seed(self, _link: str = "") -> None:
        if self.node is not None and self.node.generation is not None:
            self.seed_copied.emit(str(self.node.generation.seed))


def _note(role: str) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)  # names of models come from outside
    set_role(label, role)
    label.setWordWrap(True)
    label.hide()
    return label
