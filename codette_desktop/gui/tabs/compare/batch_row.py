"""One batch: how far it is, how long it takes, and what can be done with it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from codette_desktop.domain.comparisons import Batch, BatchState
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton, ElidedLabel, IconButton


class BatchRow(QFrame):
    """Signals carry the batch's id."""

    run_wanted = Signal(str)
    pause_wanted = Signal(str)
    again_wanted = Signal(str)
    export_wanted = Signal(str)
    delete_wanted = Signal(str)

    def __init__(self, batch_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.name = ElidedLabel("", role="strong")
        self.state = ElidedLabel("", role="secondary")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.pause_button, self.run_button = ChipButton(tr("Pause")), ChipButton(tr("Go on"))
        self.pause_button.setToolTip(tr("Begin no more prompts; those being asked are finished"))
        self.again_button = ChipButton(tr("Ask failed ones again"), "rotate-ccw")
        self.export_button = IconButton("download", tr("Export the answers as a table"))
        self.delete_button = IconButton("trash-2", tr("Take off the list"))
        for button, signal in (
            (self.pause_button, self.pause_wanted), (self.run_button, self.run_wanted),
            (self.again_button, self.again_wanted), (self.export_button, self.export_wanted),
            (self.delete_button, self.delete_wanted),
        ):  # fmt: skip
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(batch_id))
        words = QVBoxLayout()
        spaced(words, spacing=4)
        words.addWidget(self.name)
        words.addWidget(self.state)
        row = QHBoxLayout()
        spaced(row, spacing=6)
        row.addLayout(words, 1)
        for button in (
            self.pause_button, self.run_button, self.again_button, self.export_button, self.delete_button
        ):  # fmt: skip
            row.addWidget(button)
        column = QVBoxLayout(self)
        spaced(column, (14, 10, 10, 12), 8)
        column.addLayout(row)
        column.addWidget(self.bar)

    def show_batch(self, batch: Batch, *, running: bool, pausing: bool) -> None:
        """How far it is now."""
        self.name.setText(batch.name)
        members = ", ".join(member.label for member in batch.setup.members)
        self.setToolTip(members)
        self.state.setText(state_text(batch, running=running, pausing=pausing))
        self.bar.setRange(0, max(1, batch.prompts))
        self.bar.setValue(batch.done)
        self.bar.setAccessibleName(tr("{done} of {all} prompts", done=number(batch.done), all=number(batch.prompts)))
        left = batch.done < batch.prompts
        self.pause_button.setVisible(running)
        self.pause_button.setEnabled(not pausing)
        self.run_button.setVisible(not running and left)
        self.again_button.setVisible(not running and batch.failed > 0)
        self.export_button.setEnabled(batch.done > 0)


def state_text(batch: Batch, *, running: bool, pausing: bool) -> str:
    """ "34 of 100 · 2 failed · about 3 min left"."""
    parts = [tr("{done} of {all}", done=number(batch.done), all=number(batch.prompts))]
    if batch.failed:
        parts.append(tr("{count} failed", count=number(batch.failed)))
    if pausing:
        parts.append(tr("pauses after what is being asked"))
    elif running:
        left = batch.remaining_s
        parts.append(tr("about {time} left", time=time_text(left)) if left is not None else tr("begins"))
    elif batch.state is BatchState.DONE or batch.done >= batch.prompts:
        parts.append(tr("done in {time}", time=time_text(batch.seconds)))
    else:
        parts.append(tr("paused"))
    return " · ".join(parts)


def time_text(seconds: float) -> str:
    """ "8 s", "3 min", "2 h 10 min"."""
    if seconds < 90:
        return tr("{n} s", n=number(max(1, round(seconds))))
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("{n} min", n=number(minutes))
    return tr("{hours} h {minutes} min", hours=number(minutes // 60), minutes=number(minutes % 60))
