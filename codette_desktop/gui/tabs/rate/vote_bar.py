"""Below the answers: the four votes with their keys, reasons one may give, and a better answer one may write."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.votes import Preference
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.shortcuts import RATE_CORRECT, RATE_REASONS, RATE_VOTES
from codette_desktop.gui.tabs.rate.state import Phase, SittingState
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import ChipButton
from codette_desktop.rating.ballots import REASONS

_EDGE, _GAP = 24, 8  # design pixels
_LOW, _LOW_WRITING = 300, 440  # of a page; in less there is no room for reasons
ORDER = (Preference.LEFT, Preference.TIE, Preference.BOTH_BAD, Preference.RIGHT)  # as the answers lie


class VoteBar(QWidget):
    """Signals what the person wants."""

    voted = Signal(object)
    reason_toggled = Signal(str)
    correction_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page_height = 10_000
        self.buttons: dict[Preference, QPushButton] = {}
        self.reasons: dict[str, ChipButton] = {}
        self.correct_button = ChipButton(tr("Write a better answer"), "pencil")
        self.correction = QPlainTextEdit()
        theme().changed.connect(self.fit)
        self._make_reasons()
        self._make_correction()
        row = QHBoxLayout()
        spaced(row, spacing=_GAP)
        for preference in ORDER:
            row.addWidget(self._make_button(preference), 1)
        column = QVBoxLayout(self)
        spaced(column, (_EDGE, 0, _EDGE, 8), 8)
        column.addWidget(self.reason_row)
        column.addWidget(self.correction)
        column.addLayout(row)

    def _make_button(self, preference: Preference) -> QPushButton:
        key = RATE_VOTES[preference.value].shown
        button = QPushButton(tr("{words}   {key}", words=vote_name(preference), key=key))
        button.setAccessibleName(vote_name(preference))
        button.setToolTip(tr("{words} (key {key})", words=vote_tip(preference), key=key))
        set_role(button, "vote")
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _=False: self.voted.emit(preference))
        sized(button, minimum=(1, 40))  # where there is no room its words become fewer
        self.buttons[preference] = button
        return button

    def _make_reasons(self) -> None:
        self.reason_row = FlowBox()
        self._because = QLabel(tr("Because it is"))
        self._because.setContentsMargins(0, 7, 0, 0)  # on the line of the chips
        set_role(self._because, "secondary")
        self.reason_row.flow.addWidget(self._because)
        for reason in REASONS:
            key = RATE_REASONS[reason].shown
            chip = ChipButton(tr("{words}  {key}", words=reason_name(reason), key=key))
            chip.setAccessibleName(reason_name(reason))
            chip.setToolTip(tr("A reason for your vote, if you like (key {key})", key=key))
            chip.setCheckable(True)
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            chip.clicked.connect(lambda _=False, reason=reason: self.reason_toggled.emit(reason))
            self.reason_row.flow.addWidget(chip)
            self.reasons[reason] = chip
        self.correct_button.setCheckable(True)
        key = RATE_CORRECT.shown
        self.correct_button.setText(tr("{words}  {key}", words=tr("Write a better answer"), key=key))
        self.correct_button.setToolTip(
            tr("What the better answer would be: kept with your vote, for tuning (key {key}; Esc goes back)", key=key)
        )
        self.correct_button.toggled.connect(self._show_correction)
        self.reason_row.flow.addWidget(self.correct_button)

    def _make_correction(self) -> None:
        self.correction.setPlaceholderText(tr("The better answer would be …  (Esc goes back to the votes)"))
        self.correction.setAccessibleName(tr("The better answer"))
        self.correction.setTabChangesFocus(True)
        self.correction.textChanged.connect(lambda: self.correction_changed.emit(self.correction.toPlainText()))
        sized(self.correction, minimum=(0, 48), maximum=(0, 110))
        self.correction.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """As many words on the votes as fit all of them; the key at least."""
        px = theme().px
        room = (self.width() - 2 * px(_EDGE) - (len(ORDER) - 1) * px(_GAP)) // len(ORDER)
        for words in (vote_name, vote_word, lambda _preference: ""):
            for preference, button in self.buttons.items():
                key = RATE_VOTES[preference.value].shown
                button.setText(tr("{words}   {key}", words=words(preference), key=key).strip())
            if all(button.sizeHint().width() <= room for button in self.buttons.values()):
                return

    def fit_height(self, page: int) -> None:
        """Reasons are for who likes: on a page of few pixels they give way to the answers, and their keys remain."""
        self._page_height = page
        px = theme().px
        writes = self.correct_button.isChecked()
        for widget in (self._because, *self.reasons.values()):
            widget.setVisible(page >= px(_LOW_WRITING if writes else _LOW))
        self.correct_button.setVisible(page >= px(_LOW) or writes)
        self.reason_row.setVisible(page >= px(_LOW) or writes)
        self.correction.setMaximumHeight(px(110 if page >= px(_LOW_WRITING) else 56))

    def show_state(self, state: SittingState) -> None:
        """What can be done now, and what was said."""
        reading = state.phase is Phase.READING
        for preference, button in self.buttons.items():
            button.setEnabled(reading)
            button.setChecked(preference is state.preference)
        for reason, chip in self.reasons.items():
            chip.setEnabled(reading)
            chip.setChecked(reason in state.tags)
        self.correct_button.setEnabled(reading)
        if not reading:
            self.correct_button.setChecked(False)
        if self.correction.toPlainText() != state.correction:
            self.correction.setPlainText(state.correction)

    def correct(self) -> None:
        """Write a better answer."""
        if self.correct_button.isEnabled():
            self.correct_button.setChecked(True)
            self.correction.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _show_correction(self, shown: bool) -> None:
        self.correction.setVisible(shown)
        self.fit_height(self._page_height)
        if shown:
            self.correction.setFocus(Qt.FocusReason.OtherFocusReason)


def vote_name(preference: Preference) -> str:
    """What a vote says, short."""
    return {
        Preference.LEFT: tr("Left is better"),
        Preference.RIGHT: tr("Right is better"),
        Preference.TIE: tr("Tie"),
        Preference.BOTH_BAD: tr("Both bad"),
    }[preference]


def vote_word(preference: Preference) -> str:
    """What a vote says, in a word where there is no room for more."""
    return {
        Preference.LEFT: tr("Left"),
        Preference.RIGHT: tr("Right"),
        Preference.TIE: tr("Tie"),
        Preference.BOTH_BAD: tr("Bad"),
    }[preference]


def vote_tip(preference: Preference) -> str:
    """What a vote says, in a sentence."""
    return {
        Preference.LEFT: tr("The left answer is better"),
        Preference.RIGHT: tr("The right answer is better"),
        Preference.TIE: tr("Both are equally good"),
        Preference.BOTH_BAD: tr("Neither is any good: counted apart, for neither of them"),
    }[preference]


def reason_name(reason: str) -> str:
    """A reason in a word or two."""
    return {
        "correct": tr("correct"),
        "clear": tr("clear"),
        "complete": tr("complete"),
        "brief": tr("brief"),
        "follows": tr("as asked"),
        "tone": tr("well put"),
    }[reason]
