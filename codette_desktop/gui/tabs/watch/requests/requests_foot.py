"""Below the table of requests: what the chosen one is, and what can be done with it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.request_log import RequestPlace, RequestRecord
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.watch.requests.requests_wording import summary
from codette_desktop.gui.theme import set_icon
from codette_desktop.gui.widgets import ElidedLabel


class RequestsFoot(QWidget):
    """Says what is chosen; the page decides what can be done."""

    record_wanted = Signal()
    answer_wanted = Signal()
    compare_wanted = Signal()
    copy_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = ElidedLabel(role="secondary")
        self.record_button = self._button(tr("Record"), "activity", tr("All that was measured of it (Enter)"))
        self.answer_button = self._button(tr("Open the answer"), "message-square", "")
        self.compare_button = self._button(tr("Compare"), "columns-2", "")
        self.copy_button = self._button(tr("Copy"), "copy", tr("The chosen rows as text (Ctrl+C)"))
        buttons = FlowBox()
        for button, signal in (
            (self.record_button, self.record_wanted),
            (self.answer_button, self.answer_wanted),
            (self.compare_button, self.compare_wanted),
            (self.copy_button, self.copy_wanted),
        ):
            button.clicked.connect(signal)
            buttons.flow.addWidget(button)
        column = QVBoxLayout(self)
        spaced(column, (24, 8, 24, 12), 6)
        column.addWidget(self.line)
        column.addWidget(buttons)

    def _button(self, text: str, icon: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        set_icon(button, icon, colour="secondary")
        return button

    def show_chosen(self, chosen: int, record: RequestRecord | None) -> None:
        """How many rows are chosen, and the current one."""
        if chosen > 2:
            self.line.setText(tr("{n} requests are chosen", n=number(chosen)))
        else:
            self.line.setText(summary(record) if record is not None else "")
        failed = record is not None and bool(record.error) and chosen <= 2
        self.line.set_role("bad" if failed else "secondary")
        self.record_button.setEnabled(record is not None)
        self.copy_button.setEnabled(chosen > 0)
        self.compare_button.setEnabled(record is not None and chosen in (1, 2))
        self.compare_button.setText(tr("Compare both") if chosen == 2 else tr("Compare with …"))
        self.compare_button.setAccessibleName(self.compare_button.text())
        both = tr("Both records side by side")
        tip = both if chosen == 2 else tr("Choose another request, to see both records side by side")
        self.compare_button.setToolTip(tip)

    def show_place(self, place: RequestPlace | None, *, reading: bool = False) -> None:
        """Where the answer of the current request is kept; None for none."""
        kept = place is not None and bool(place.kind)
        self.answer_button.setEnabled(kept)
        if kept:
            comparison = place is not None and place.kind == "comparison"
            tip = tr("In its comparison") if comparison else tr("In its chat")
        else:
            tip = tr("Looking for it …") if reading else not_kept()
        self.answer_button.setToolTip(tip)
        self.answer_button.setAccessibleDescription(tip)

    def actions_for(self, parent: QWidget) -> list[QAction]:
        """The same for a menu."""
        found: list[QAction] = []
        for button in (self.record_button, self.answer_button, self.compare_button, self.copy_button):
            action = QAction(button.text(), parent)
            action.setEnabled(button.isEnabled())
            action.setToolTip(button.toolTip())
            action.triggered.connect(button.click)
            found.append(action)
        return found


def not_kept() -> str:
    """Why an answer cannot be opened."""
    return tr("The answer is not kept: only answers in chats and comparisons are, until they are deleted.")


class ExportStrip(QWidget):
    """How far an export is."""

    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._all = 0
        self.words = ElidedLabel(role="secondary")
        self.bar = QProgressBar()
        self.bar.setAccessibleName(tr("Export"))
        self.bar.setTextVisible(False)
        sized(self.bar, minimum=(120, 0), maximum=(240, 0))
        self.cancel_button = QPushButton(tr("Cancel"))
        self.cancel_button.setAccessibleName(tr("Cancel the export"))
        self.cancel_button.clicked.connect(self.cancel_wanted)
        row = QHBoxLayout(self)
        spaced(row, (24, 6, 24, 6), 12)
        row.addWidget(self.words, 1)
        row.addWidget(self.bar, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.cancel_button)
        self.hide()

    def begin(self, count: int) -> None:
        """Of so many rows."""
        self._all = max(1, count)
        self.bar.setRange(0, self._all)
        self.show_written(0)
        self.show()

    def show_written(self, rows: int) -> None:
        """So many are written."""
        self.bar.setValue(min(rows, self._all))
        self.words.setText(tr("Exporting: {n} of {all}", n=number(rows), all=number(self._all)))
