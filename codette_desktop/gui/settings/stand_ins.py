"""When a model fails: who answers in its place, in order, as the configuration file says."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from codette_desktop.configuration.file import Configuration
from codette_desktop.configuration.settings import DEFAULT_CHAIN
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.settings.file_edits import FileEdits, Problem, remove
from codette_desktop.gui.settings.model_box import ModelBox, ModelNames
from codette_desktop.gui.settings.parts import section
from codette_desktop.gui.theme import set_icon, set_role
from codette_desktop.gui.widgets import ElidedLabel, IconButton

_PATH = ("fallbacks", DEFAULT_CHAIN)


class StandInRow(QWidget):
    """One model of the list: its place, its name, and what can be done with it."""

    def __init__(self, place: int, count: int, name: str, owner: "StandIns") -> None:
        super().__init__()
        self.name = name
        self.label = ElidedLabel(tr("{n}. {model}", n=place + 1, model=name))
        self.up = IconButton("chevron-up", tr("Ask {model} earlier", model=name), size=14)
        self.down = IconButton("chevron-down", tr("Ask {model} later", model=name), size=14)
        self.remove_button = IconButton("x", tr("Take {model} off the list", model=name), size=14)
        self.up.setEnabled(place > 0)
        self.down.setEnabled(place + 1 < count)
        self.up.clicked.connect(lambda: owner.shift(place, -1))
        self.down.clicked.connect(lambda: owner.shift(place, 1))
        self.remove_button.clicked.connect(lambda: owner.remove(place))
        row = QHBoxLayout(self)
        spaced(row, spacing=4)
        row.addWidget(self.label, 1)
        for button in (self.up, self.down, self.remove_button):
            row.addWidget(button)


class StandIns(QWidget):
    """The list for all models; those of single models are shown below it."""

    def __init__(self, edits: FileEdits, names: ModelNames, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edits, self._names = edits, names
        self._chain: tuple[str, ...] | None = None
        self._labels: list[str] = []
        self.rows: list[StandInRow] = []
        self.problem = Problem()
        self._list = QVBoxLayout()
        spaced(self._list, spacing=2)
        self.about, self.others = _note(), _note()
        frame = section(tr("When a model fails"), [])
        inside = frame.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101 - as `section` makes it
        inside.addWidget(self.about)
        inside.addLayout(self._list)
        inside.addLayout(self._make_form())
        inside.addWidget(self.others)
        inside.addWidget(self.problem)
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addWidget(frame)

    def _make_form(self) -> QHBoxLayout:
        self.new_box = ModelBox(tr("Model that stands in for others"))
        self.add_button = QPushButton(tr("Add"))
        self.add_button.setAccessibleName(tr("Add to those who stand in"))
        set_icon(self.add_button, "plus", 14)
        self.add_button.setAutoDefault(False)
        self.add_button.clicked.connect(lambda: self.add(self.new_box.currentData()))
        row = QHBoxLayout()
        spaced(row, spacing=8)
        row.addWidget(self.new_box, 1)
        row.addWidget(self.add_button)
        return row

    def show_file(self) -> None:
        """What the file says now."""
        settings = self._edits.configuration.settings
        chain = settings.fallbacks.get(DEFAULT_CHAIN, ())
        labels = [self._names.label(name) for name in chain]
        if (chain, labels) != (self._chain, self._labels):
            self._chain, self._labels = chain, labels
            self._fill(labels)
        self.about.setText(
            tr("These answer in its place, in this order.") if chain else tr("The best model of this computer answers.")
        )
        taken = {self._names.spelt(name) for name in chain}
        free = [item for item in self._names.all() if item[0] not in taken]
        known = [name for name, _text in free]
        current = self.new_box.currentData()
        self.new_box.show_model(free, current if current in known else (known[0] if known else ""))
        self.add_button.setEnabled(bool(known))
        lines = [
            tr(
                "Only for {model}: {others}.",
                model=self._names.label(name),
                others=", ".join(map(self._names.label, others)),
            )
            for name, others in settings.fallbacks.items()
            if name != DEFAULT_CHAIN
        ]
        self.others.setText("\n".join(lines))
        self.others.setVisible(bool(lines))

    def _fill(self, labels: list[str]) -> None:
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = [StandInRow(place, len(labels), label, self) for place, label in enumerate(labels)]
        for row in self.rows:
            self._list.addWidget(row)

    def add(self, name: str) -> None:
        """Ask this one last."""
        self._write([*(self._chain or ()), name])

    def shift(self, place: int, step: int) -> None:
        """Ask it earlier (-1) or later (1)."""
        names = list(self._chain or ())
        names.insert(place + step, names.pop(place))
        self._write(names, lambda: self._focus(place + step, step))

    def remove(self, place: int) -> None:
        """Do not ask it."""
        names = [name for at, name in enumerate(self._chain or ()) if at != place]
        self._write(names, self.new_box.setFocus)

    def _focus(self, place: int, step: int) -> None:
        """The row is another one now: the keyboard goes with the model."""
        self.show_file()
        if place < len(self.rows):
            row = self.rows[place]
            first, second = (row.up, row.down) if step < 0 else (row.down, row.up)
            (first if first.isEnabled() else second).setFocus()

    def _write(self, names: list[str], done: "object | None" = None) -> None:
        def work(file: Configuration) -> None:
            if names:
                file.edit(_PATH, names)
            else:
                remove(file, _PATH)

        self._edits.change(work, self.problem, done)  # type: ignore[arg-type]


def _note() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    set_role(label, "secondary")
    return label
