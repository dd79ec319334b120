"""Above the columns: which two answers are compared word by word, and whether all scroll together."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from codette_desktop.domain.comparisons import TOGETHER
from codette_desktop.domain.differences import Differences
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.compare.state import CompareState
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton, ElidedLabel


class ToolsRow(QWidget):
    """`pair_changed` carries the two places that are compared, or None for none."""

    pair_changed = Signal(object)
    in_step_changed = Signal(bool)
    rate_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: list[tuple[str, int]] = []
        self.differences_button = ChipButton(tr("Differences"), "scale")
        self.differences_button.setCheckable(True)
        self.differences_button.setToolTip(tr("Mark the words in which two answers differ"))
        self.first, self.second = self._make_combo(tr("The first answer")), self._make_combo(tr("The second answer"))
        self.between = QLabel(tr("and"))
        self.summary = ElidedLabel("", role="secondary")
        set_role(self.between, "secondary")
        self.in_step_button = ChipButton(tr("Scroll together"))
        self.in_step_button.setCheckable(True)
        self.in_step_button.setChecked(True)
        self.in_step_button.setToolTip(tr("Scrolling one answer scrolls the others to the same share of their length"))
        self.in_step_button.toggled.connect(self.in_step_changed)
        self.differences_button.toggled.connect(lambda _on: self._tell())
        self.rate_button = ChipButton(tr("Rate two"), "thumbs-up")
        self.rate_button.setCheckable(True)
        self.rate_button.setToolTip(tr("Say which of two answers is better, or let the two meet without names"))
        self.rate_button.toggled.connect(self.rate_toggled)
        row = QHBoxLayout(self)
        spaced(row, (24, 0, 24, 8), 8)
        for widget in (self.rate_button, self.differences_button, self.first, self.between, self.second, self.summary):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.in_step_button)

    def _make_combo(self, name: str) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(10)
        combo.setMinimumWidth(1)
        combo.activated.connect(lambda _at: self._tell())
        return combo

    def show_state(self, state: CompareState) -> None:
        """The answers one can choose from; the choice stays where it still can be made."""
        labels = [(column.member.label, place) for place, column in enumerate(state.columns)]
        if state.outcome is not None and state.outcome.winner is None:
            labels.append((tr("Together"), TOGETHER))
        if labels != self._labels:
            self._labels = labels
            for combo, usual in ((self.first, 0), (self.second, 1)):
                kept = combo.currentData()
                combo.clear()
                for label, place in labels:
                    combo.addItem(label, place)
                at = combo.findData(kept) if kept is not None else -1
                combo.setCurrentIndex(at if at >= 0 else min(usual, combo.count() - 1))
        self.differences_button.setEnabled(len(labels) > 1)
        self.rate_button.setEnabled(len(state.columns) > 1)
        self._tell()

    def show_found(self, found: Differences) -> None:
        """How much of the two differs."""
        longer = max(found.words)
        if not longer:
            self.summary.setText("")
            return
        share = number(100 * (1 - found.equal / longer))
        same = found.equal == longer
        self.summary.setText(tr("Word for word the same") if same else tr("{share} % of the words differ", share=share))

    @property
    def pair(self) -> tuple[int, int] | None:
        """The places that are compared; None for none."""
        first, second = self.first.currentData(), self.second.currentData()
        if not self.differences_button.isChecked() or first is None or second is None or first == second:
            return None
        return first, second

    def _tell(self) -> None:
        on = self.differences_button.isChecked() and len(self._labels) > 1
        for widget in (self.first, self.between, self.second, self.summary):
            widget.setVisible(on)
        if self.pair is None:
            self.summary.setText(tr("Choose two different answers") if on else "")
        self.between.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.pair_changed.emit(self.pair)
