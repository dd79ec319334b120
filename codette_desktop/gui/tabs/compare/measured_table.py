"""The table of a proof: members alone, then methods, with what they got right and what that took."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from codette_desktop.domain.ensembles import Method
from codette_desktop.evaluation.comparison import FEWEST, Interval
from codette_desktop.evaluation.gains import Measured, Proof
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.compare.together import method_name
from codette_desktop.gui.theme import theme


class MeasuredTable(QTableWidget):
    """Read only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        titles = [
            tr("Who answers"), tr("Right"), tr("95 % interval"), tr("Error avoided"), tr("95 % interval"),
            tr("Time"), tr("Memory"),
        ]  # fmt: skip
        super().__init__(0, len(titles), parent)
        self.setHorizontalHeaderLabels(titles)
        self.setAccessibleName(tr("What members and methods got right"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tips = {
            3: tr("The share of the best member's mistakes that the method does not make; negative: it makes more"),
            5: tr("Seconds of all answers it needs, added up, and as a multiple of the best member's"),
        }
        for at, tip in tips.items():
            head = QTableWidgetItem(titles[at])
            head.setToolTip(tip)
            self.setHorizontalHeaderItem(at, head)

    def show_proof(self, proof: Proof) -> None:
        """The best member and what is recommended are bold."""
        gains = {gain.name: gain for gain in proof.gains}
        rows = (*proof.members, *proof.methods)
        self.setRowCount(len(rows))
        for at, item in enumerate(rows):
            name = method_name(Method(item.name)) if item.method else item.name
            gain = gains.get(item.name)
            enough = proof.questions >= FEWEST
            avoided = gain.error_avoided if gain is not None and enough else None
            cells = [
                name + (tr(" · the best member") if item is proof.best else ""),
                tr("{n} %", n=number(100 * item.mean.value, 1)),
                _range(item.mean),
                tr("{n} %", n=number(100 * avoided.value, 1)) if avoided else "",
                _range(avoided) if avoided else "",
                _time(item, proof.best),
                tr("{n} GB", n=number(item.memory_bytes / 1e9, 2)) if item.memory_bytes else "–",
            ]
            for column, text in enumerate(cells):
                self.setItem(at, column, _cell(text, column, bold=item.name == proof.chosen))


def _cell(text: str, column: int, *, bold: bool) -> QTableWidgetItem:
    cell = QTableWidgetItem(text)
    font = theme().font(12, mono=column > 0)
    font.setBold(bold)
    cell.setFont(font)
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    cell.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return cell


def _range(found: Interval) -> str:
    return tr("{low} to {high}", low=number(100 * found.low, 1), high=number(100 * found.high, 1))


def _time(item: Measured, best: Measured) -> str:
    times = item.seconds / best.seconds if best.seconds else 1.0
    return tr("{seconds} s · {times}×", seconds=number(item.seconds, 1), times=number(times, 1))
