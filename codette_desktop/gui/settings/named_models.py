"""Models of one's own names in the configuration file: a card each, one to add, and the last one removed."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from codette_desktop.configuration.file import Configuration
from codette_desktop.configuration.settings import ModelEntry
from codette_desktop.domain.errors import ConfigurationError
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.settings.file_edits import FileEdits, Problem
from codette_desktop.gui.settings.model_box import ModelBox, ModelNames, QuietComboBox, QuietSpinBox
from codette_desktop.gui.settings.parts import section
from codette_desktop.gui.theme import set_icon, set_role
from codette_desktop.gui.widgets import ElidedLabel, IconButton
from codette_desktop.gui.widgets.parameter_field import inset_spin_box

_PRIORITY = 1_000_000


class NamedModelCard(QFrame):
    """What the file says of one model. Each change is written at once."""

    def __init__(self, name: str, edits: FileEdits) -> None:
        super().__init__()
        self.name, self._edits = name, edits
        set_role(self, "card")
        self.problem = Problem()
        self.remove_button = IconButton("trash-2", tr("Remove {model}", model=name), size=14)
        self.model_box = ModelBox(tr("Model of {name}", name=name))
        self.model_box.chosen.connect(lambda model: self._set("model", model))
        self.priority_box = QuietSpinBox(tr("Priority of {name}", name=name))
        self.priority_box.setRange(-_PRIORITY, _PRIORITY)
        self.priority_box.setToolTip(tr("The higher is asked first where another model cannot answer."))
        inset_spin_box(self.priority_box)
        self.priority_box.valueChanged.connect(lambda value: self._set("priority", value or None))
        self.fallback_box = QuietComboBox(tr("May {name} stand in for another model?", name=name))
        for text, value in ((tr("As usual"), None), (tr("Yes"), True), (tr("No"), False)):
            self.fallback_box.addItem(text, value)
        self.fallback_box.setToolTip(tr("Whether it may answer in the place of a model that fails."))
        self.fallback_box.activated.connect(lambda _at: self._set("fallback", self.fallback_box.currentData()))
        self.cache_box = self._switch(
            "cache",
            tr("Its answers may be kept in the response cache"),
            tr("and given again to the same question"),
            True,
        )
        self.apart_box = self._switch(
            "apart", tr("Runs in a process of its own"), tr("Should the model crash, nothing else does."), False
        )
        self.preload_box = self._switch(
            "preload", tr("Is loaded when the application starts"), tr("so that its first answer does not wait"), False
        )
        self._lay_out()

    def _lay_out(self) -> None:
        title = ElidedLabel(self.name, role="strong")
        head = QHBoxLayout()
        spaced(head, spacing=8)
        head.addWidget(title, 1)
        head.addWidget(self.remove_button)
        rows = section(
            "",
            [
                (tr("Model"), self.model_box, ""),
                (tr("Priority"), self.priority_box, ""),
                (tr("May stand in"), self.fallback_box, ""),
            ],
        )
        set_role(rows, "")
        inside = rows.layout()
        assert inside is not None  # noqa: S101 - as `section` makes it
        spaced(inside, spacing=12)
        column = QVBoxLayout(self)
        spaced(column, (16, 12, 16, 12), 10)
        column.addLayout(head)
        column.addWidget(rows)
        switches = QVBoxLayout()
        spaced(switches, spacing=2)
        for box in (self.cache_box, self.apart_box, self.preload_box):
            switches.addWidget(box)
        column.addLayout(switches)
        column.addWidget(self.problem)

    def _switch(self, key: str, text: str, tip: str, usual: bool) -> QCheckBox:
        """A switch that is written only where it is not as usual."""
        box = QCheckBox(text)
        box.setAccessibleName(f"{self.name}: {text}")
        box.setToolTip(tip)
        box.clicked.connect(lambda on: self._set(key, None if on == usual else on))
        return box

    def _set(self, key: str, value: Any) -> None:
        if value is None:  # the model itself stays although nothing may be left to say of it
            self._edits.change(lambda file: _forget(file, ("models", self.name, key)), self.problem)
        else:
            self._edits.set(("models", self.name, key), value, self.problem)

    def show_entry(self, entry: ModelEntry, names: ModelNames) -> None:
        """What the file says now."""
        self.model_box.show_model(names.models(), names.spelt(entry.model, own=False))
        self.priority_box.blockSignals(True)
        self.priority_box.setValue(entry.priority)
        self.priority_box.blockSignals(False)
        self.fallback_box.setCurrentIndex((None, True, False).index(entry.fallback))
        self.cache_box.setChecked(entry.cache)
        self.apart_box.setChecked(bool(entry.apart))
        self.preload_box.setChecked(entry.preload)


class NamedModels(QWidget):
    """All of them. A removed one can be put back as long as the settings are open."""

    def __init__(self, edits: FileEdits, names: ModelNames, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edits, self._names = edits, names
        self._removed: tuple[str, Any, str, str] | None = None  # name, what stood there, the file before and after
        self.cards: list[NamedModelCard] = []
        self.problem = Problem()
        about = QLabel(
            tr("A name of your own is good wherever a model is chosen. What it stands for may change; the name stays.")
        )
        about.setWordWrap(True)
        set_role(about, "secondary")
        self._list = QVBoxLayout()
        spaced(self._list, spacing=10)
        column = QVBoxLayout(self)
        spaced(column, spacing=10)
        heading = QLabel(tr("Your own names for models"))
        set_role(heading, "heading")
        for widget in (heading, about):
            column.addWidget(widget)
        column.addLayout(self._list)
        column.addLayout(self._make_undo())
        column.addWidget(self._make_form())

    def _make_undo(self) -> QHBoxLayout:
        self.message = QLabel()
        self.message.setWordWrap(True)
        set_role(self.message, "secondary")
        self.undo_button = QPushButton(tr("Undo"))
        self.undo_button.clicked.connect(self.put_back)
        row = QHBoxLayout()
        spaced(row, spacing=8)
        row.addWidget(self.message, 1)
        row.addWidget(self.undo_button)
        self._say("")
        return row

    def _make_form(self) -> QFrame:
        self.name_field = QLineEdit()
        self.name_field.setAccessibleName(tr("Name of the new model"))
        self.name_field.setPlaceholderText(tr("For example: writer"))
        self.name_field.returnPressed.connect(self.add)
        self.new_box = ModelBox(tr("What the new name stands for"))
        self.add_button = QPushButton(tr("Add model"))
        set_icon(self.add_button, "plus", 14)
        self.add_button.setAutoDefault(False)  # Enter in the field adds; it must not press something else too
        self.add_button.clicked.connect(self.add)
        frame = section("", [(tr("New name"), self.name_field, ""), (tr("Stands for"), self.new_box, "")])
        column = frame.layout()
        assert isinstance(column, QVBoxLayout)  # noqa: S101 - as `section` makes it
        column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.problem)
        sized(self.add_button, minimum=(130, 0))
        return frame

    def show_file(self) -> None:
        """What the file says now; cards that stay keep the keyboard."""
        known = {card.name: card for card in self.cards}
        self.cards = []
        for place, entry in enumerate(self._edits.configuration.settings.models.values()):
            card = known.pop(entry.name, None) or self._make_card(entry.name)
            self._list.removeWidget(card)
            self._list.insertWidget(place, card)
            card.show_entry(entry, self._names)
            self.cards.append(card)
        for gone in known.values():
            self._list.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        models = self._names.models()
        self.new_box.show_model(models, self.new_box.currentData() or (models[0][0] if models else ""))

    def _make_card(self, name: str) -> NamedModelCard:
        card = NamedModelCard(name, self._edits)
        card.remove_button.clicked.connect(lambda: self.remove(card))
        return card

    def add(self) -> None:
        """Write what the fields say."""
        name, model = self.name_field.text().strip(), self.new_box.currentData()
        if not name:
            self.problem.show_words(tr("The model has no name yet. Type one."))
            self.name_field.setFocus()
            return
        self._edits.change(lambda file: _add(file, name, model), self.problem, self.name_field.clear)

    def remove(self, card: NamedModelCard) -> None:
        """Take a name out of the file; it can be put back as it was."""
        self._edits.change(lambda file: self._remove(file, card.name), card.problem, self._tell_removed)

    def _remove(self, file: Configuration, name: str) -> None:
        path = ("models", name)
        before, value = file.read()[0], file.get(path)
        file.remove(path)
        self._removed = (name, value, before, file.read()[0])

    def _tell_removed(self) -> None:
        if self._removed is not None:
            self._say(tr("Removed {name}. The model itself stays.", name=self._removed[0]))
            self.undo_button.setFocus()

    def put_back(self) -> None:
        """Undo `remove`: the file as it was, or, where it was changed meanwhile, the name as it was."""
        removed, self._removed = self._removed, None
        if removed is None:
            return
        name, value, before, after = removed

        def work(file: Configuration) -> None:
            if not file.write_back(before, after):
                file.add(("models", name), value if value is not None else {"model": name})

        self._edits.change(work, self.problem)
        self._say("")

    def _say(self, text: str) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self.undo_button.setVisible(bool(text))


def _add(file: Configuration, name: str, model: str) -> None:
    known = file.entry(name)
    if known is not None:
        raise ConfigurationError(f"There is a model named {known.name} already.", "Take another name.")
    file.add(("models", name), {"model": model})


def _forget(file: Configuration, path: tuple[str, ...]) -> None:
    if file.get(path) is not None:
        file.remove(path)
