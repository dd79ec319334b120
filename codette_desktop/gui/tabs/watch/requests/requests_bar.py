"""The row above the table of requests: which of them are wanted."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from codette_desktop.domain.request_log import Purpose
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized
from codette_desktop.gui.tabs.watch.requests.requests_wording import Wanted, purpose_word, short
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton
from codette_desktop.gui.widgets.quiet_wheel import QuietWheel

TYPING_MS = 250


class RequestsBar(FlowBox):
    """`changed` is emitted when something else is wanted; for text, when no key has been pressed for a moment."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, spacing=8)
        self._told = Wanted()
        self.text = QLineEdit()
        set_role(self.text, "search")
        self.text.setPlaceholderText(tr("Model or error"))
        self.text.setAccessibleName(tr("Search for a model or an error"))
        self.text.setClearButtonEnabled(True)
        sized(self.text, minimum=(180, 0), maximum=(180, 0))
        self.model = self._box(tr("Model"), [(tr("All models"), "")], 190)
        purposes = [(purpose_word(item), item.value) for item in Purpose]
        self.purpose = self._box(tr("For what"), [(tr("All purposes"), "all"), *purposes], 150)
        self.outcome = self._box(
            tr("Outcome"),
            [
                (tr("All outcomes"), "all"), (tr("Answered"), "answered"), (tr("Failed"), "failed"),
                (tr("Stopped"), "stopped"), (tr("From the cache"), "cached"),
            ],
            150,
        )  # fmt: skip
        self.period = self._box(
            tr("Period"),
            [
                (tr("All time"), "all"), (tr("Last hour"), "hour"), (tr("Last day"), "day"),
                (tr("Last week"), "week"), (tr("Last month"), "month"),
            ],
            130,
        )  # fmt: skip
        self.all_button = ChipButton(tr("Show all"), "x")
        self.all_button.clicked.connect(self.show_all)
        for widget in (self.text, self.model, self.purpose, self.outcome, self.period, self.all_button):
            self.flow.addWidget(widget)
        self.all_button.hide()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPING_MS)
        self._timer.timeout.connect(self._tell)
        self.text.textChanged.connect(lambda _text: self._timer.start())
        self.text.returnPressed.connect(self._tell)
        QuietWheel(self)

    def _box(self, name: str, choices: Sequence[tuple[str, str]], width: int) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.view().setAccessibleName(name)
        sized(box, minimum=(width, 0), maximum=(width, 0))
        for text, key in choices:
            box.addItem(text, key)
        box.currentIndexChanged.connect(lambda _at: self._tell())
        return box

    @property
    def wanted(self) -> Wanted:
        """What is wanted now."""
        return Wanted(
            self.text.text(),
            self.model.currentData() or "",
            self.purpose.currentData(),
            self.outcome.currentData(),
            self.period.currentData(),
        )

    def show_models(self, models: Sequence[tuple[str, str]]) -> None:
        """Those one can choose from: (name, label). The one chosen stays, even where it is not among them."""
        chosen, label = self.model.currentData() or "", self.model.currentText()
        known = [(short(text or name, 60), name) for name, text in models]
        if chosen and chosen not in {name for _text, name in known}:
            known.append((label, chosen))
        if known == [(self.model.itemText(at), self.model.itemData(at)) for at in range(1, self.model.count())]:
            return
        self.model.blockSignals(True)
        while self.model.count() > 1:
            self.model.removeItem(1)
        for text, name in known:
            self.model.addItem(text, name)
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        self.model.blockSignals(False)

    def show_wanted(self, wanted: Wanted) -> None:
        """Say something else; told once."""
        self.blockSignals(True)
        self.text.setText(wanted.text)
        for box, key in (
            (self.model, wanted.model),
            (self.purpose, wanted.purpose),
            (self.outcome, wanted.outcome),
            (self.period, wanted.period),
        ):
            if box.findData(key) < 0:
                box.addItem(short(key, 60), key)
            box.setCurrentIndex(box.findData(key))
        self.blockSignals(False)
        self._told = replace(wanted, text=f"{wanted.text}\0")  # unlike what is wanted
        self._tell()

    def show_all(self) -> None:
        """Leave nothing out."""
        self.show_wanted(Wanted())
        self.text.setFocus()

    def _tell(self) -> None:
        self._timer.stop()
        if self.wanted == self._told or self.signalsBlocked():
            return
        self._told = self.wanted
        self.all_button.setVisible(not self.wanted.is_all)
        self.fit()
        self.changed.emit()
