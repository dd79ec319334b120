"""One vote in full: what was asked, both answers, what was said of them, and all that is stored."""

from datetime import date, datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.messages import Role
from codette_desktop.domain.thinking import split
from codette_desktop.domain.votes import Preference, Source, Vote
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.rate.fact_text import FactText
from codette_desktop.gui.tabs.rate.result_parts import Card, wrapped
from codette_desktop.gui.tabs.rate.vote_wording import (
    counts_word,
    facts_as_text,
    reason_word,
    side_facts,
    vote_facts,
    vote_sentence,
)
from codette_desktop.gui.tabs.rate.votes_model import Texts
from codette_desktop.gui.theme import set_icon, set_role, theme
from codette_desktop.gui.widgets import ElidedLabel, IconLabel, MarkdownView, ScrollColumn

SIDE_BY_SIDE = 620  # design width from which both answers stand beside each other
_SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard


class VoteDetail(QWidget):
    """`take_back_wanted` is emitted at once: who asks before is the page."""

    take_back_wanted = Signal()
    link_activated = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.vote: Vote | None = None
        self.sentence, self.counts = wrapped(role="heading"), wrapped(role="secondary")
        self.take_back_button = QPushButton(tr("Take back"))
        self.take_back_button.setToolTip(tr("The vote stays in the list, marked, and counts for nothing"))
        set_icon(self.take_back_button, "undo-2", colour="secondary")
        self.copy_button = QPushButton(tr("Copy all"))
        self.copy_button.setToolTip(tr("Everything that is stored of this vote, as text"))
        set_icon(self.copy_button, "copy", colour="secondary")
        self.prompt_card, self.prompt = Card(tr("Prompt")), wrapped()
        self.left, self.right = AnswerPane(tr("Left")), AnswerPane(tr("Right"))
        self.correction_card, self.correction = Card(tr("What you would have liked to read")), wrapped()
        self.facts_card, self.facts = Card(tr("All that is stored")), FactText()
        self.area = ScrollColumn()
        self._lay_out()
        self.take_back_button.clicked.connect(self.take_back_wanted)
        self.copy_button.clicked.connect(self._copy)
        for pane in (self.left, self.right):
            pane.markdown.link_activated.connect(self.link_activated)

    def _lay_out(self) -> None:
        for label in (self.prompt, self.correction):
            label.setTextInteractionFlags(_SELECTABLE)
        self.prompt_card.column.addWidget(self.prompt)
        self.correction_card.column.addWidget(self.correction)
        self.facts_card.column.addWidget(self.facts)
        buttons = FlowBox()
        for button in (self.take_back_button, self.copy_button):
            button.setAccessibleName(button.text())
            buttons.flow.addWidget(button)
        self.answers = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        spaced(self.answers, spacing=12)
        for pane in (self.left, self.right):
            self.answers.addWidget(pane, 1)
        column = self.area.column
        spaced(column, (24, 12, 14, 24), 12)  # the scroll bar is the rest of the right margin
        column.addWidget(self.sentence)
        column.addWidget(self.counts)
        column.addWidget(buttons)
        column.addWidget(self.prompt_card)
        column.addLayout(self.answers)
        column.addWidget(self.correction_card)
        column.addWidget(self.facts_card)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(self.area)

    def show_vote(self, vote: Vote, texts: Texts | None) -> None:
        """All of it; `texts` None where they cannot be read."""
        other = self.vote is None or self.vote.id != vote.id
        self.vote = vote
        self.sentence.setText(vote_sentence(vote))
        words = [counts_word(vote), *(reason_word(tag) for tag in vote.tags)]
        self.counts.setText(" · ".join(words))
        self.take_back_button.setVisible(vote.taken_back_at is None)
        self.prompt.setText(_prompt_text(vote, texts))
        gone = _gone_text(vote)
        self.left.show_answer(vote.left.contestant.label, texts.left if texts else None, gone,
                              chosen=vote.preference in (Preference.LEFT, Preference.UP))  # fmt: skip
        self.right.setVisible(vote.right is not None)
        if vote.right is not None:
            self.right.show_answer(vote.right.contestant.label, texts.right if texts else None, gone,
                                   chosen=vote.preference is Preference.RIGHT)  # fmt: skip
        self.correction.setText(vote.correction)
        self.correction_card.setVisible(bool(vote.correction))
        self.facts.show_facts(vote_facts(vote, _today()), side_facts(vote))
        if other:
            self.area.verticalScrollBar().setValue(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= theme().px(SIDE_BY_SIDE)
        way = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self.answers.direction() != way:
            self.answers.setDirection(way)

    def _copy(self) -> None:
        if self.vote is None:
            return
        parts = [
            facts_as_text(self.vote, _today()),
            f"{tr('Prompt')}:\n{self.prompt.text()}",
            f"{tr('Left')}:\n{self.left.text}",
        ]
        if self.vote.right is not None:
            parts.append(f"{tr('Right')}:\n{self.right.text}")
        QGuiApplication.clipboard().setText("\n\n".join(parts))


class AnswerPane(QFrame):
    """Who answered, whether it was chosen, and the answer."""

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.side, self.text = side, ""
        self.name = ElidedLabel(role="strong")
        self.mark = IconLabel("check", 16, "good")
        self.chosen = QLabel(tr("better"))
        set_role(self.chosen, "good")
        self.markdown = MarkdownView()
        self.gone = wrapped(role="secondary")
        head = QHBoxLayout()
        spaced(head, spacing=6)
        label = QLabel(side)
        set_role(label, "secondary")
        head.addWidget(label)
        head.addWidget(self.name, 1)
        head.addWidget(self.mark)
        head.addWidget(self.chosen)
        column = QVBoxLayout(self)
        spaced(column, (16, 12, 16, 14), 8)
        column.addLayout(head)
        column.addWidget(self.markdown)
        column.addWidget(self.gone)
        column.addStretch(1)

    def show_answer(self, name: str, text: str | None, gone: str, *, chosen: bool) -> None:
        """Its words without what was only thought; `text` None where it is not there, `gone` then says why."""
        self.name.setText(name)
        self.setAccessibleName(f"{self.side}: {name}")
        self.text = text or ""
        spoken = split(self.text)[1] if self.text else ""
        self.markdown.set_markdown(spoken or self.text)
        self.markdown.setVisible(bool(self.text))
        self.gone.setText(gone if text is None else tr("This answer is empty."))
        self.gone.setVisible(not self.text)
        self.mark.setVisible(chosen)
        self.chosen.setVisible(chosen)


def _gone_text(vote: Vote) -> str:
    if vote.source is Source.IMPORTED:
        return tr("This vote was read from a file, which holds no texts.")
    return tr("This text is not kept any more.")


def _prompt_text(vote: Vote, texts: Texts | None) -> str:
    if texts is None or not texts.prompt:
        return _gone_text(vote)
    if len(texts.prompt) == 1:
        return texts.prompt[0].content
    names = {Role.SYSTEM: tr("System prompt"), Role.USER: tr("You"), Role.ASSISTANT: tr("Answer")}
    return "\n\n".join(f"{names[message.role]}: {message.content}" for message in texts.prompt)


def _today() -> date:
    return datetime.now().astimezone().date()
