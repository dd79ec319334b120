"""The page of duels: the prompt, two answers without names, and the votes."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.duels import Duel
from codette_desktop.domain.thinking import split
from codette_desktop.domain.votes import Preference
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.rate.answer_pane import AnswerPane
from codette_desktop.gui.tabs.rate.state import Phase, SittingState
from codette_desktop.gui.tabs.rate.vote_bar import VoteBar
from codette_desktop.gui.tabs.rate.wording import cast_text, used_up_text
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import ChipButton, ElidedLabel, ScrollColumn
from codette_desktop.rating.verdict import Conclusion

PROMPT_HEIGHT = 96
_LEAST_QUESTION = 140  # design pixels


class DuelPage(QWidget):
    """Draws what the presenter keeps; signals what the person wants."""

    verdict_wanted = Signal()
    retry_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Duel"))
        self._duel_id = ""
        self.question = ElidedLabel("", role="strong")
        self.progress = ElidedLabel("", role="secondary")
        self.verdict_button = ChipButton(tr("Verdict so far"), "scale")
        self.verdict_button.clicked.connect(self.verdict_wanted)
        self.prompt = QLabel()
        self.left, self.right = AnswerPane(tr("Left")), AnswerPane(tr("Right"))
        self.votes = VoteBar()
        self.waiting = QLabel()
        self.retry_button = QPushButton(tr("Try again"))
        self.stack = QStackedWidget()
        self._lay_out()
        theme().changed.connect(self._fit)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, (24, 12, 24, 4), 12)
        head.addWidget(self.question, 1)
        head.addWidget(self.progress, 0)
        head.addStretch(0)
        head.addWidget(self.verdict_button)
        self.prompt.setWordWrap(True)
        self.prompt.setTextFormat(Qt.TextFormat.PlainText)
        self.prompt.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.prompt.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        set_role(self.prompt, "question")
        self.prompt_area = ScrollColumn()
        spaced(self.prompt_area.column, (24, 0, 24, 4), 0)
        self.prompt_area.column.addWidget(self.prompt)
        self.prompt_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        panes = QWidget()
        row = QHBoxLayout(panes)
        spaced(row, (24, 4, 24, 8), 12)
        for pane in (self.left, self.right):
            pane.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(pane, 1)
        self.stack.addWidget(panes)
        self.stack.addWidget(self._make_waiting())
        self.stack.setMinimumHeight(1)  # rather less of the answers than votes that lie on something else
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addLayout(head)
        column.addWidget(self.prompt_area)
        column.addWidget(self.stack, 1)
        column.addWidget(self.votes)

    def _make_waiting(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        spaced(column, (24, 24, 24, 24), 12)
        self.waiting.setWordWrap(True)
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.waiting.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName(tr("Both answers are being written"))
        sized(self.bar, maximum=(240, 0))
        self.retry_button.clicked.connect(self.retry_wanted)
        column.addStretch(2)
        column.addWidget(self.waiting)
        column.addWidget(self.bar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.retry_button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        return page

    # What is shown

    def show_state(self, state: SittingState) -> None:
        """The sitting as it stands."""
        self.question.setText(state.experiment.question)
        self.progress.setText(progress_text(state.standing, state.equal))
        self._fit_head()
        self.votes.show_state(state)
        self._show_waiting(state)
        self._show_duel(state)
        if state.phase in (Phase.WAITING, Phase.READING) and self.isVisible() and not self.votes.correction.hasFocus():
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_waiting(self, state: SittingState) -> None:
        text = tr(
            "Both answers are being written. They appear together, so that their speed does not give away who writes."
        )
        if state.error is not None:
            text = error_text(state.error)
        elif state.used_up:
            text = used_up_text()
        set_role(self.waiting, "bad" if state.error is not None else "secondary")
        self.waiting.setText(text)
        self.bar.setVisible(state.error is None and state.phase is Phase.WAITING)
        self.retry_button.setVisible(state.error is not None)
        self.stack.setCurrentIndex(0 if state.duel is not None else 1)

    def _show_duel(self, state: SittingState) -> None:
        duel = state.duel
        key = f"{duel.id}:{state.phase is Phase.READING}" if duel else ""
        if duel is None or (key != self._duel_id and state.phase is Phase.READING):
            both = duel is not None and _both_thought(duel)
            self.prompt.setText(duel.question.message.content if duel else "")
            self.prompt_area.verticalScrollBar().setValue(0)
            self._fit_prompt()
            self.left.show_answer(duel.left_answer if duel else None, with_thought=both)
            self.right.show_answer(duel.right_answer if duel else None, with_thought=both)
        self._duel_id = key
        if duel is None:
            return
        chosen = state.preference
        self.left.show_mark(tr("Better") if chosen is Preference.LEFT else "")
        self.right.show_mark(tr("Better") if chosen is Preference.RIGHT else "")
        self.left.show_name(duel.left.label if state.names_shown else "")
        self.right.show_name(duel.right.label if state.names_shown else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._fit_head()
        self.votes.fit_height(self.height())
        self._fit_prompt()

    def _fit_head(self) -> None:
        """What the list says too gives way, then words of the button."""
        room = self.width() - theme().px(2 * 24)
        gap = theme().px(12)
        self.verdict_button.setText(tr("Verdict so far"))
        taken = self.progress.sizeHint().width() + gap + self.verdict_button.sizeHint().width()
        self.question.setVisible(room - taken >= theme().px(_LEAST_QUESTION))
        if taken > room:
            self.verdict_button.setText(tr("Verdict"))

    def _fit_prompt(self) -> None:
        """As high as the prompt needs, up to a few lines; then it scrolls."""
        px = theme().px
        width = max(px(200), self.width() - px(48) - px(10))
        needed = self.prompt.heightForWidth(width) + px(6)
        self.prompt_area.setFixedHeight(max(px(28), min(px(PROMPT_HEIGHT), needed)))

    def scroll_answers(self, pages: float) -> None:
        """Both answers."""
        self.left.scroll_down(pages)
        self.right.scroll_down(pages)

    def discard(self) -> None:
        """The page goes."""
        self.left.discard()
        self.right.discard()


def _both_thought(duel: Duel) -> bool:
    """A thought is shown for both or for neither: it would tell them apart."""
    return all(split(node.message.content)[0] for node in (duel.left_answer, duel.right_answer))


def progress_text(standing: Conclusion, equal: int = 0) -> str:
    """ "17 votes, about 40 more"; `equal` of the votes were cast because both answers were the same."""
    count = cast_text(standing.votes, equal)
    if standing.ending is not None:
        return count
    more = standing.more_votes
    rest = tr("about 1 more") if more == 1 else tr("about {n} more", n=number(more))
    return f"{count}, {rest}"
