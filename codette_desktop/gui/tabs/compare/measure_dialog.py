"""Measure this ensemble: its members and every method on questions whose answers are known."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.domain.ensembles import Member, Method
from codette_desktop.domain.errors import CodetteError
from codette_desktop.evaluation.gains import Proof
from codette_desktop.evaluation.suites import load_suite, shipped_suites
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.compare.measured_table import MeasuredTable
from codette_desktop.gui.tabs.compare.together import method_name
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton, file_dialogs

if TYPE_CHECKING:
    from codette_desktop.application import Application

SUITE_FILTER = "JSON lines (*.jsonl)"
SAMPLING = {"temperature": 0.0, "max_tokens": 256}  # unless a member says otherwise


class MeasureDialog(QDialog):
    """`method_wanted` carries the method that the person takes over."""

    method_wanted = Signal(object)

    def __init__(self, application: "Application", specs: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._specs = specs
        self._tasks = Tasks(self._show_error)
        self._task: asyncio.Task[None] | None = None
        self.proof: Proof | None = None
        self.setWindowTitle(tr("Measure this ensemble"))
        self.setAccessibleName(self.windowTitle())
        self.suite = QComboBox()
        self.file_button = ChipButton(tr("From a file …"), "folder-open")
        self.learn_box = QCheckBox(tr("Let the weights of the members rest on what is found"))
        self.learn_box.setChecked(True)
        self.start_button = QPushButton(tr("Measure"))
        self.bar, self.state = QProgressBar(), QLabel()
        self.verdict, self.reasons = QLabel(), QLabel()
        self.table = MeasuredTable()
        self.use_button = QPushButton(tr("Use it from now on"))
        self.close_button = QPushButton(tr("Close"))
        self._started_at = 0.0
        self._fill_suites()
        self._lay_out()
        self._connect()
        self._show_running(running=False)

    def _fill_suites(self) -> None:
        for path in shipped_suites():
            self.add_suite(path)
        self.suite.setAccessibleName(tr("Questions"))

    def add_suite(self, path: Path) -> None:
        """Offer the questions of a file, and choose them. Raises InvalidRequest."""
        found = load_suite(path)
        text = tr("{name} ({count} questions)", name=found.name, count=number(len(found.questions)))
        self.suite.addItem(text, path)
        self.suite.setItemData(self.suite.count() - 1, found.description, Qt.ItemDataRole.ToolTipRole)
        self.suite.setCurrentIndex(self.suite.count() - 1)

    def _lay_out(self) -> None:
        text = QLabel(
            tr(
                "Every member is asked questions whose answers are known, and every method decides on their answers. "
                "What a method gains over the best member alone is told with its 95 % interval."
            )
        )
        for label in (text, self.state, self.reasons, self.verdict):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        set_role(text, "secondary")
        set_role(self.verdict, "heading")
        set_role(self.start_button, "primary")
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        top = QHBoxLayout()
        spaced(top, spacing=8)
        top.addWidget(self.suite, 1)
        top.addWidget(self.file_button)
        top.addWidget(self.start_button)
        bottom = QHBoxLayout()
        spaced(bottom, spacing=8)
        bottom.addStretch(1)
        bottom.addWidget(self.use_button)
        bottom.addWidget(self.close_button)
        column = QVBoxLayout(self)
        spaced(column, (24, 20, 24, 16), 10)
        column.addWidget(text)
        column.addLayout(top)
        for widget in (self.learn_box, self.bar, self.state, self.verdict, self.reasons):
            column.addWidget(widget)
        column.addWidget(self.table, 1)
        column.addLayout(bottom)
        sized(self, minimum=(940, 600))

    def _connect(self) -> None:
        self.start_button.clicked.connect(self._start_or_stop)
        self.file_button.clicked.connect(lambda: self._tasks.start(self._from_file(), "a suite from a file"))
        self.close_button.clicked.connect(self.reject)
        self.use_button.clicked.connect(self._use)
        self.finished.connect(lambda _result: self._tasks.cancel())

    def _start_or_stop(self) -> None:
        now = time.monotonic()
        if self._task is None:
            self._started_at = now
            self._show_running(running=True)
            self._task = self._tasks.start(self._measure(), "measure an ensemble")
            self._task.add_done_callback(lambda _done: self._ended())
        elif 1000 * (now - self._started_at) > QApplication.doubleClickInterval():  # not the second half of one
            self._task.cancel()

    def _ended(self) -> None:
        self._task = None
        self._show_running(running=False)

    async def _measure(self) -> None:
        members = self._application.members.read_all(self._specs, sampling=SAMPLING)
        suite = await asyncio.get_event_loop().run_in_executor(None, load_suite, self.suite.currentData())
        measured = await self._application.proofs.measure(
            suite, members, progress=lambda who, done, count: self._progress(members, who, done, count),
            learn=self.learn_box.isChecked(),
        )  # fmt: skip
        self._show_proof(measured.proof)

    async def _from_file(self) -> None:
        path = await file_dialogs.pick_open_file(self, tr("Questions with their answers"), SUITE_FILTER)
        if path is not None:
            self.add_suite(path)

    def _progress(self, members: tuple[Member, ...], who: str, done: int, count: int) -> None:
        labels = [member.label for member in members]
        if who in labels:
            self.bar.setRange(0, count * len(labels))
            self.bar.setValue(labels.index(who) * count + done)
            self.state.setText(tr("{who}: {done} of {count}", who=who, done=number(done), count=number(count)))
        else:
            self.state.setText(tr("{who} decides …", who=method_name(Method(who))))

    def _show_running(self, *, running: bool) -> None:
        self.start_button.setText(tr("Stop") if running else tr("Measure"))
        for widget in (self.suite, self.file_button, self.learn_box):
            widget.setEnabled(not running)
        self.bar.setVisible(running)
        self.state.setVisible(running)
        set_role(self.state, "secondary")
        shown = self.proof is not None and not running
        for widget in (self.verdict, self.reasons):
            widget.setVisible(shown)
        methods = {item.name for item in self.proof.methods} if self.proof else set[str]()
        self.use_button.setVisible(shown and self.proof is not None and self.proof.chosen in methods)

    def _show_proof(self, proof: Proof) -> None:
        self.proof = proof
        methods = {item.name for item in proof.methods}
        chosen = method_name(Method(proof.chosen)) if proof.chosen in methods else proof.chosen
        self.verdict.setText(
            tr("Use “{method}”.", method=chosen)
            if proof.chosen in methods
            else tr("Use {member} alone.", member=proof.chosen)
        )
        self.reasons.setText("\n".join(proof.reasons))
        self.table.show_proof(proof)

    def _use(self) -> None:
        if self.proof is not None:
            self.method_wanted.emit(Method(self.proof.chosen))
            self.accept()

    def _show_error(self, error: CodetteError) -> None:
        self._show_running(running=False)
        set_role(self.state, "bad")
        self.state.setText(error_text(error))
        self.state.show()

    async def aclose(self) -> None:
        """Stop what runs."""
        await self._tasks.aclose()
