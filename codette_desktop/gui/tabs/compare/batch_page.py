"""The page of batches: prompts pasted or from a file, and how far each batch is."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask import transfer
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tabs.compare.batch_presenter import BatchPresenter
from codette_desktop.gui.tabs.compare.batch_row import BatchRow
from codette_desktop.gui.tabs.compare.commands import TABLE_FILTER
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton, ScrollColumn, ToastHost, delete_with_undo, file_dialogs

PROMPTS_FILTER = "Prompts (*.csv *.tsv *.jsonl *.ndjson *.txt *.md)"
NAME_LENGTH = 40


class BatchPage(QWidget):
    """Draws what its presenter knows."""

    def __init__(self, presenter: BatchPresenter, toasts: ToastHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presenter = presenter
        self._toasts = toasts
        self._tasks = Tasks(self._show_error)
        self.rows: dict[str, BatchRow] = {}
        self.edit = QPlainTextEdit()
        self.problem = QLabel()
        self.start_button = QPushButton(tr("Start"))
        self.file_button = ChipButton(tr("From a file …"), "folder-open")
        self.area = ScrollColumn()
        self.none = QLabel(tr("Batches will be listed here. They go on while you do something else."))
        self._lay_out()
        self._count()

    def _lay_out(self) -> None:
        title = QLabel(tr("Many prompts at once"))
        set_role(title, "title")
        text = QLabel(
            tr(
                "Each prompt goes to the members chosen above, and every answer is kept. A batch can be paused, and "
                "after a restart it goes on where it was."
            )
        )
        text.setWordWrap(True)
        for label in (text, self.none):
            set_role(label, "secondary")
        self.edit.setPlaceholderText(tr("One prompt a line"))
        self.edit.setAccessibleName(tr("Prompts, one a line"))
        self.edit.setTabChangesFocus(True)
        self.edit.textChanged.connect(self._count)
        sized(self.edit, minimum=(0, 90), maximum=(0, 150))
        set_role(self.problem, "bad")
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.hide()
        set_role(self.start_button, "primary")
        self.start_button.clicked.connect(self._start)
        self.file_button.setToolTip(tr("CSV with a column “prompt”, JSON lines, or text with one prompt a line"))
        self.file_button.clicked.connect(lambda: self._tasks.start(self._from_file(), "prompts from a file"))
        buttons = QHBoxLayout()
        spaced(buttons, spacing=8)
        buttons.addWidget(self.file_button)
        buttons.addStretch(1)
        buttons.addWidget(self.start_button)
        self._rows = QVBoxLayout()
        spaced(self._rows, spacing=8)
        spaced(self.area.column, (24, 8, 24, 24), 8)
        for widget in (title, text, self.edit):
            self.area.column.addWidget(widget)
        self.area.column.addWidget(self.problem)
        self.area.column.addLayout(buttons)
        self.area.column.addSpacing(8)
        self.area.column.addWidget(self.none)
        self.area.column.addLayout(self._rows)
        self.area.column.addStretch(1)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(self.area)

    def focus(self) -> None:
        """Type here."""
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def reload(self) -> None:
        """Draw what there is now."""
        batches = self._presenter.batches
        ids = [batch.id for batch in batches]
        for gone in [known for known in self.rows if known not in ids]:
            row = self.rows.pop(gone)
            row.hide()
            row.deleteLater()
        for at, batch in enumerate(batches):
            row = self.rows.get(batch.id) or self._make_row(batch.id, at)
            row.show_batch(
                batch, running=self._presenter.is_running(batch.id), pausing=batch.id in self._presenter.pausing
            )
        self.none.setVisible(not batches)

    def _make_row(self, batch_id: str, at: int) -> BatchRow:
        row = self.rows[batch_id] = BatchRow(batch_id)
        row.run_wanted.connect(self._presenter.run)
        row.pause_wanted.connect(self._presenter.pause)
        row.again_wanted.connect(self._presenter.ask_failed_again)
        row.export_wanted.connect(lambda key: self._tasks.start(self._export(key), "export a batch"))
        row.delete_wanted.connect(lambda key: self._tasks.start(self._delete(key), "delete a batch"))
        self._rows.insertWidget(at, row)
        return row

    def _count(self) -> None:
        count = sum(bool(line.strip()) for line in self.edit.toPlainText().splitlines())
        text = tr("Ask 1 prompt") if count == 1 else tr("Ask {count} prompts", count=number(count))
        self.start_button.setText(text if count else tr("Start"))
        self.start_button.setEnabled(count > 0)
        self.problem.hide()

    def _start(self) -> None:
        self._tasks.start(self._begin(), "begin a batch")

    async def _begin(self) -> None:
        text = self.edit.toPlainText()
        found = self._presenter.read_text(text)
        self.edit.clear()  # at once: a second click begins nothing
        try:
            await self._presenter.create(" ".join(found.prompts[0].split())[:NAME_LENGTH], found)
        except CodetteError:
            self.edit.setPlainText(text)
            raise

    async def _from_file(self) -> None:
        path = await file_dialogs.pick_open_file(self, tr("Prompts from a file"), PROMPTS_FILTER)
        if path is not None:
            await self._presenter.create_from_file(path)
            self.problem.hide()

    async def _export(self, batch_id: str) -> None:
        batch = next(batch for batch in self._presenter.batches if batch.id == batch_id)
        suggested = transfer.file_name(batch.name, ".csv")
        path = await file_dialogs.pick_save_file(self, tr("Export the answers"), TABLE_FILTER, suggested)
        if path is not None:
            rows = await self._presenter.export_to(batch_id, path)
            self._toasts.show_toast(tr("{rows} rows saved as {name}.", rows=number(rows), name=path.name), "good")

    async def _delete(self, batch_id: str) -> None:
        await self._presenter.delete(batch_id)
        delete_with_undo(
            self._toasts,
            tr("The batch was taken off the list; its comparisons stay."),
            undo=lambda: self._tasks.start(self._presenter.restore(batch_id), "undo the deletion"),
        )

    def _show_error(self, error: CodetteError) -> None:
        self.problem.setText(error_text(error))
        self.problem.show()

    async def aclose(self) -> None:
        """End what was begun here."""
        await self._tasks.aclose()
