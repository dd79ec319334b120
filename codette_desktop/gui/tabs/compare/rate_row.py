"""Which of two columns is better: a vote with names in sight, or the way to a blind duel of the two."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from codette_desktop.domain.votes import Preference
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.compare.state import ColumnState, CompareState
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton

VOTES = (Preference.LEFT, Preference.TIE, Preference.BOTH_BAD, Preference.RIGHT)


class RateRow(QWidget):
    """`voted` carries the two places and the vote; `blind_wanted` the two places."""

    voted = Signal(int, int, object)
    blind_wanted = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns: list[ColumnState] = []
        self._id = ""
        self.first, self.second = self._make_combo(tr("The first answer")), self._make_combo(tr("The second answer"))
        self.buttons: dict[Preference, ChipButton] = {}
        self.blind_button = ChipButton(tr("Let these two meet blind"), "eye-off")
        self.blind_button.setToolTip(tr("Opens Rate with these two as contestants: only such votes settle anything"))
        self.blind_button.clicked.connect(lambda: self.blind_wanted.emit(*self._pair()))
        self.said = QLabel()
        set_role(self.said, "secondary")
        box = FlowBox()
        for widget in (self.first, self.second):
            box.flow.addWidget(widget)
        for preference in VOTES:
            button = ChipButton("")
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, preference=preference: self._vote(preference))
            self.buttons[preference] = button
            box.flow.addWidget(button)
        box.flow.addWidget(self.blind_button)
        column = QVBoxLayout(self)
        spaced(column, (24, 0, 24, 8), 4)
        column.addWidget(box)
        column.addWidget(self.said)

    def _make_combo(self, name: str) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(12)
        combo.activated.connect(lambda _at: self._show_pair())
        return combo

    def show_state(self, state: CompareState) -> None:
        """The answers one can choose from."""
        labels = [column.member.label for column in state.columns]
        if labels != [self.first.itemText(at) for at in range(self.first.count())]:
            for combo, usual in ((self.first, 0), (self.second, 1)):
                combo.clear()
                combo.addItems(labels)
                combo.setCurrentIndex(min(usual, len(labels) - 1))
        several = len(labels) > 2
        self.first.setVisible(several)
        self.second.setVisible(several)
        self._columns = state.columns
        if state.id != self._id:
            self._id = state.id
            self.show_vote(None)
        self._show_pair()

    def show_vote(self, preference: Preference | None) -> None:
        """What was said of the two; None for nothing yet."""
        for key, button in self.buttons.items():
            button.setChecked(key is preference)
        self.said.setText(
            tr("Kept. The names were in sight, so it counts for no blind verdict; tuning can use it.")
            if preference is not None
            else tr("Which is better? The names are in sight, so it will count for no blind verdict.")
        )

    def _pair(self) -> tuple[int, int]:
        return self.first.currentIndex(), self.second.currentIndex()

    def _show_pair(self) -> None:
        first, second = self._pair()
        usable = first != second and 0 <= first < len(self._columns) and 0 <= second < len(self._columns)
        columns = [self._columns[first], self._columns[second]] if usable else []
        ready = usable and all(column.node is not None and not column.running for column in columns)
        names = [column.member.label for column in columns] if usable else ["?", "?"]
        for preference, button in self.buttons.items():
            text = {
                Preference.LEFT: tr("{name} is better", name=names[0]),
                Preference.RIGHT: tr("{name} is better", name=names[1]),
                Preference.TIE: tr("Tie"),
                Preference.BOTH_BAD: tr("Both bad"),
            }[preference]
            button.setText(text)
            button.setAccessibleName(text)
            button.setEnabled(ready)
        self.blind_button.setEnabled(usable)

    def _vote(self, preference: Preference) -> None:
        self.show_vote(preference)
        self.voted.emit(*self._pair(), preference)
