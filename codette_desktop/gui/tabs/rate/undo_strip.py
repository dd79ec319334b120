"""A strip below: what the last vote said, and how long it may be taken back."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from codette_desktop.domain.votes import Preference
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.shortcuts import RATE_UNDO
from codette_desktop.gui.tabs.rate.state import SittingState
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton


class UndoStrip(QFrame):
    """`undo_wanted` where the person takes the vote back."""

    undo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "bar")
        self.words = QLabel()
        set_role(self.words, "secondary")
        self.button = ChipButton(tr("Undo"), "undo-2")
        self.button.clicked.connect(self.undo_wanted)
        row = QHBoxLayout(self)
        spaced(row, (24, 4, 24, 4), 12)
        row.addWidget(self.words)
        row.addWidget(self.button)
        row.addStretch(1)
        sized(self, minimum=(0, 40), maximum=(0, 40))  # nothing jumps when there is something to undo
        self.show_state(None)

    def show_state(self, state: SittingState | None) -> None:
        """Always as high, so that nothing jumps; empty where there is nothing to undo."""
        undoable = state.undoable if state else None
        self.button.setVisible(undoable is not None)
        if undoable is None:
            self.words.setText(tr("1 left   2 right   0 tie   9 both bad   U undo   Page Up and Page Down scroll"))
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
