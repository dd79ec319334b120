"""A strip below: what the last vote said, and how long it may be taken back."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from codette_desktop.domain.votes import Preference
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.shortcuts import RATE_UNDO
from codette_desktop.gui.tabs.rate.state import Phase, SittingState
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton, ElidedLabel


class UndoStrip(QFrame):
    """`undo_wanted` where the person takes the vote back."""

    undo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "bar")
        self.words = ElidedLabel("", role="secondary")
        self.button = ChipButton(tr("Undo"), "undo-2")
        self.button.clicked.connect(self.undo_wanted)
        row = QHBoxLayout(self)
        spaced(row, (24, 4, 24, 4), 12)
        row.addWidget(self.words)
        row.addWidget(self.button)
        row.addStretch(1)  # takes what the words leave
        sized(self, minimum=(0, 40), maximum=(0, 40))  # nothing jumps when there is something to undo
        self.show_state(None)

    def show_state(self, state: SittingState | None) -> None:
        """Always as high, so that nothing jumps; empty where there is nothing to undo."""
        undoable = state.undoable if state else None
        self.button.setVisible(undoable is not None)
        if undoable is None:
            self.words.setText(_seen_text() if _was_seen(state) else _keys_text())
            return
        said = {
            Preference.LEFT: tr("You chose the left answer."),
            Preference.RIGHT: tr("You chose the right answer."),
            Preference.TIE: tr("You called it a tie."),
            Preference.BOTH_BAD: tr("You found both bad."),
        }[undoable.vote.preference]
        blind = (
            tr("Voting anew will not count as blind: you have seen the names.")
            if undoable.names_seen
            else tr("It can be cast anew and stays blind.")
        )
        self.words.setText(f"{said} {blind}")
        self.button.setText(tr("Undo ({key})  {n} s", key=RATE_UNDO.shown, n=undoable.seconds_left))


def _was_seen(state: SittingState | None) -> bool:
    """Whether the duel on view comes once more, after its names were shown."""
    return state is not None and state.phase is Phase.READING and state.duel is not None and state.duel.names_seen


def _seen_text() -> str:
    return tr("You have seen who wrote these: a vote is kept, but counts for no verdict.")


def _keys_text() -> str:
    return tr("1 left · 2 right · 0 tie · 9 both bad · U undo · Page Up and Page Down scroll")
