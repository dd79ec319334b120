"""The Models tab: everything that can answer on this computer, and what is wrong with what cannot."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.domain.models import ModelInfo
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import Entry, ModelChoice, size_text
from codette_desktop.gui.tabs.models.adapter_row import AdapterRow
from codette_desktop.gui.tabs.models.record import fit_text, health_words, record_text
from codette_desktop.gui.tabs.models.table import EntryRole, ModelTable, tooltip
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_icon, set_role, theme
from codette_desktop.gui.widgets import (
    EmptyState,
    IconButton,
    StatusDot,
    ToastHost,
    delete_with_undo,
    dialogs,
    file_dialogs,
)

GGUF_FILTER = "GGUF (*.gguf)"
_WIDTHS = (230, 100, 100, 95, 85, 80)


class ModelsTab(QWidget):
    """`use_wanted` carries the name of a model to chat with."""

    use_wanted = Signal(str)

    def __init__(self, choice: ModelChoice, tasks: Tasks, toasts: ToastHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice, self._tasks, self._toasts = choice, tasks, toasts
        self.table = QTableView()
        self.model = ModelTable(self)
        self.empty = EmptyState(
            "box",
            tr("No models yet"),
            tr("A model is a .gguf file. Add one, or a folder of them; nothing is copied or moved."),
            [(tr("Add a model file …"), self.add_file, "primary"), (tr("Add a folder …"), self.add_folder)],
        )
        self._make_table()
        self._lay_out()
        choice.listeners.append(self.show_entries)
        theme().changed.connect(self._resize_columns)
        self.show_entries()

    def _make_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setAccessibleName(tr("Models"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        table.horizontalHeader().setStretchLastSection(True)
        table.horizontalHeader().setHighlightSections(False)
        table.activated.connect(lambda _index: self.use_current())
        table.selectionModel().selectionChanged.connect(lambda *_: self._update())
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.remove_current)
        self._resize_columns()

    def _resize_columns(self) -> None:
        px = theme().px
        self.table.verticalHeader().setDefaultSectionSize(px(36))
        for column, width in enumerate(_WIDTHS):
            self.table.setColumnWidth(column, px(width))

    def _lay_out(self) -> None:
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        spaced(layout, (24, 20, 24, 16), 16)
        layout.addLayout(self._make_head())
        layout.addWidget(self.stack, 1)
        layout.addLayout(self._make_about())

    def _make_head(self) -> QVBoxLayout:
        title = QLabel(tr("Models"))
        set_role(title, "title")
        self.summary = QLabel()
        set_role(self.summary, "secondary")
        self.use_button = self._button("message-square", tr("Use in chat"), self.use_current)
        set_role(self.use_button, "primary")
        set_icon(self.use_button, "message-square", 14, "accent_text")
        self.load_button = self._button("download", tr("Load"), self.load_current)
        self.file_button = self._button("plus", tr("Add a file …"), self.add_file)
        self.folder_button = self._button("folder-open", tr("Add a folder …"), self.add_folder)
        self.remove_button = IconButton("x", tr("Remove from list"))
        self.remove_button.clicked.connect(self.remove_current)
        self.again_button = IconButton("refresh-cw", tr("Look again"))
        self.again_button.clicked.connect(lambda: self._choice.refresh())
        words = QVBoxLayout()
        spaced(words, spacing=2)
        words.addWidget(title)
        words.addWidget(self.summary)
        buttons = QHBoxLayout()
        spaced(buttons, spacing=8)
        for button in (self.file_button, self.folder_button, self.again_button, self.remove_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.load_button, self.use_button):
            buttons.addWidget(button)
        head = QVBoxLayout()
        spaced(head, spacing=12)
        head.addLayout(words)
        head.addLayout(buttons)
        return head

    def _make_about(self) -> QVBoxLayout:
        """What is known of the chosen model."""
        self.detail = _note(tr("About the chosen model"))
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.fit = _note(tr("Memory"))
        self.health = StatusDot("info", "")
        self.record = _note(tr("Answers so far"))
        self.apart = QCheckBox(tr("Keep apart: should this model crash, nothing else does"))
        self.apart.setToolTip(
            tr("It runs in a process of its own and starts a little slower. Counts from its next load on.")
        )
        self.apart.clicked.connect(self._on_apart)
        state = QHBoxLayout()
        spaced(state, spacing=16)
        state.addWidget(self.health)
        state.addWidget(self.record, 1)
        about = QVBoxLayout()
        spaced(about, spacing=6)
        about.addWidget(self.detail)
        about.addWidget(self.fit)
        about.addLayout(state)
        self.adapter = AdapterRow()
        self.adapter.use_wanted.connect(self._use_adapter)
        about.addWidget(self.adapter)
        about.addSpacing(6)
        about.addWidget(self.apart)
        return about

    def _button(self, icon_name: str, text: str, work: "object") -> QPushButton:
        button = QPushButton(text)
        set_icon(button, icon_name, 14)
        button.clicked.connect(lambda: work())  # type: ignore[operator]
        return button

    def show_entries(self) -> None:
        """Draw the list as the library sees it now."""
        chosen, entries, default = self.current(), self._choice.models, self._choice.find("")
        in_use = next((item.name for item in entries if default and item.model and item.model == default.model), "")
        self.model.show_entries(entries, in_use, self._choice.loaded())
        usable = [entry.model for entry in entries if entry.model]
        problems = len(entries) - len(usable)
        text = tr(
            "{count} models, {size} on disk",
            count=number(len(usable)),
            size=size_text(sum(m.size_bytes for m in usable)),
        )
        if problems:
            text += " · " + (tr("1 problem") if problems == 1 else tr("{n} problems", n=problems))
        self.summary.setText(text)
        self.stack.setCurrentWidget(self.table if entries else self.empty)
        row = next((at for at, entry in enumerate(entries) if chosen and entry.path == chosen.path), 0)
        self.table.selectRow(row)
        self._update()

    def current(self) -> Entry | None:
        """The entry of the chosen row."""
        return self.table.currentIndex().data(EntryRole)

    def _update(self) -> None:
        entry = self.current()
        self.use_button.setEnabled(entry is not None and entry.model is not None)
        removable = entry is not None and (entry.added or self._choice.folder_of(entry) is not None)
        self.remove_button.setEnabled(removable)
        self.remove_button.setToolTip(
            tr("The file stays on the disk.")
            if removable
            else tr("Models that ship with the application, or lie in its own folder, stay on the list.")
        )
        self._show_about(entry)
        self._show_load(entry)
        in_file = entry is not None and isinstance(entry.model, ModelInfo)
        self.apart.setVisible(in_file)
        if in_file and entry is not None:
            self._tasks.start(self._show_apart(entry), "look how a model runs")

    def _show_about(self, entry: Entry | None) -> None:
        """Where it is, whether it works, and how its answers have been."""
        self.detail.setText(tooltip(entry) if entry else "")
        known = entry is not None and entry.model is not None
        kind, word, why = health_words(self._choice.health_of(entry)) if known and entry else ("info", "", "")
        self.health.set_state(kind, word)
        self.health.setToolTip(why)
        self.health.setVisible(bool(word))
        self.record.setText(record_text(self._choice.profile_of(entry)) if known and entry else "")

    def _show_load(self, entry: Entry | None) -> None:
        """What the button does with the chosen model, and the memory it needs."""
        loaded = entry is not None and self._choice.is_loaded(entry)
        self.load_button.setEnabled(entry is not None and entry.model is not None)
        self.load_button.setText(tr("Unload") if loaded else tr("Load"))
        set_icon(self.load_button, "upload" if loaded else "download", 14)
        self.load_button.setToolTip(
            tr("Free its memory.") if loaded else tr("Have it in memory before the first question.")
        )
        if entry is None or not isinstance(entry.model, ModelInfo):
            self.fit.hide()
            self.adapter.hide()
        else:
            self._tasks.start(self._show_fit(entry), "look whether a model fits")

    async def _show_fit(self, entry: Entry) -> None:
        found, adapters = await self._choice.fit_of(entry), await self._choice.adapters_for(entry)
        if found is not None and entry == self.current():
            self.fit.setText(fit_text(*found))
            self.fit.show()
            self.adapter.show_adapters(adapters)

    async def _show_apart(self, entry: Entry) -> None:
        apart, crashes = await self._choice.apartness(entry)
        if entry != self.current():
            return
        text = tr("Keep apart: should this model crash, nothing else does")
        if crashes:
            times = tr("once") if crashes == 1 else tr("{n} times", n=crashes)
            text += " · " + tr("it has crashed {times} while it was tried", times=times)
        self.apart.setText(text)
        self.apart.setChecked(apart)

    def _on_apart(self, apart: bool) -> None:
        entry = self.current()
        if entry is not None:
            self._tasks.start(self._set_apart(entry, apart), "set how a model runs")

    async def _set_apart(self, entry: Entry, apart: bool) -> None:
        await self._choice.set_apart(entry, apart)
        await self._show_apart(entry)

    # What the person does

    def use_current(self) -> None:
        """Chat with the chosen model."""
        entry = self.current()
        if entry is not None and entry.model is not None:
            self.use_wanted.emit(entry.name)

    def _use_adapter(self, suffix: str) -> None:
        entry = self.current()
        if entry is not None and entry.model is not None:
            self.use_wanted.emit(f"{entry.name}{suffix}")

    def load_current(self) -> None:
        """Have the chosen model in memory, or no longer."""
        entry = self.current()
        if entry is None or entry.model is None:
            return
        if self._choice.is_loaded(entry):
            self._tasks.start(self._choice.unload(entry), "unload a model")
        else:
            self._choice.load(entry.name)

    def add_file(self) -> None:
        """Choose files to put on the list."""
        self._tasks.start(self._add_files(), "add model files")

    async def _add_files(self) -> None:
        paths = await file_dialogs.pick_open_files(self.window(), tr("Add a model file"), GGUF_FILTER)
        for path in paths:
            entry = self._choice.add_file(path)
            if entry.error is not None:
                self._toasts.show_toast(f"{path.name}: {entry.error}", "bad", timeout_ms=10_000)
            else:
                self._toasts.show_toast(tr("Added {name}.", name=entry.title), "good")

    def add_folder(self) -> None:
        """Choose a folder to search for models."""
        self._tasks.start(self._add_folder(), "add a folder")

    async def _add_folder(self) -> None:
        folder = await file_dialogs.pick_folder(self.window(), tr("Add a folder of models"))
        if folder is not None:
            before = {entry.path for entry in self._choice.models}
            await self._choice.add_folder(folder)
            new = sum(entry.path not in before for entry in self._choice.models)
            self._toasts.show_toast(tr("Found {n} new files in {folder}.", n=new, folder=folder.name), "info")

    def remove_current(self) -> None:
        """Take the chosen file, or the folder it comes from, off the list."""
        entry = self.current()
        if entry is not None:
            self._tasks.start(self._remove(entry), "remove a model from the list")

    async def _remove(self, entry: Entry) -> None:
        folder = None if entry.added else self._choice.folder_of(entry)
        if not entry.added and folder is None:
            return
        if folder is not None and entry.path != folder:
            question = tr("The folder {folder} and all models in it leave the list. No file is deleted.", folder=folder)
            if not await dialogs.ask(self.window(), tr("Remove the whole folder?"), question, accept=tr("Remove")):
                return
        await self._choice.remove(entry)
        delete_with_undo(
            self._toasts,
            tr("{name} left the list. The files are where they were.", name=folder.name if folder else entry.title),
            undo=lambda: self._tasks.start(self._choice.put_back(entry, folder), "undo"),
        )


def _note(name: str) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setAccessibleName(name)
    set_role(label, "secondary")
    return label
