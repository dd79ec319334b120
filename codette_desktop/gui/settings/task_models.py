"""Who answers what: for each kind of task, the model that Auto prefers, as the configuration file says."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from codette_desktop.configuration.file import Configuration
from codette_desktop.configuration.settings import TaskEntry
from codette_desktop.domain.tasks import TaskType
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.settings.file_edits import FileEdits, Problem, remove
from codette_desktop.gui.settings.model_box import ModelBox, ModelNames
from codette_desktop.gui.settings.parts import section
from codette_desktop.gui.theme import set_role


def task_words() -> dict[TaskType, tuple[str, str]]:
    """Each kind of task in a word, and what belongs to it."""
    return {
        TaskType.CODING: (tr("Coding"), tr("Write, change or translate code, queries, scripts, formulas.")),
        TaskType.ARCHITECTURE: (tr("Architecture"), tr("The shape of a system, its parts, the choice of technology.")),
        TaskType.TESTING: (tr("Testing"), tr("Write tests, choose cases, plan how something is tested.")),
        TaskType.DEBUGGING: (tr("Debugging"), tr("Something goes wrong: find out why, and repair it.")),
        TaskType.DOCUMENTATION: (tr("Documentation"), tr("Text about software or a product for those who use it.")),
        TaskType.ANALYSIS: (tr("Analysis"), tr("Compare, evaluate and interpret data, texts or options.")),
        TaskType.PLANNING: (tr("Planning"), tr("Order work in time: schedules, steps, estimates, priorities.")),
        TaskType.GENERAL: (tr("Everything else"), tr("Facts, conversation, creative writing, translation.")),
    }


class TaskModels(QWidget):
    """A list for each kind of task."""

    def __init__(self, edits: FileEdits, names: ModelNames, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edits, self._names = edits, names
        self.boxes: dict[TaskType, ModelBox] = {}
        self.notes: dict[TaskType, QLabel] = {}
        self.problem = Problem()
        rows: list[tuple[str, QWidget, str]] = [
            (word, self._make_row(task, word, tip), "") for task, (word, tip) in task_words().items()
        ]
        frame = section(tr("Who answers what"), rows)
        inside = frame.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101 - as `section` makes it
        about = QLabel(tr("Auto reads what a question is about and prefers the model you name here."))
        about.setWordWrap(True)
        set_role(about, "secondary")
        inside.insertWidget(1, about)
        inside.addWidget(self.problem)
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addWidget(frame)

    def _make_row(self, task: TaskType, word: str, tip: str) -> QWidget:
        box = self.boxes[task] = ModelBox(tr("{task} is answered by", task=word), tr("Whoever suits"))
        box.setAccessibleDescription(tip)
        box.chosen.connect(lambda name: self._on_chosen(task, name))
        note = self.notes[task] = QLabel()
        note.setWordWrap(True)
        set_role(note, "secondary")
        note.hide()
        row = QWidget()
        row.setToolTip(tip)
        row.setFocusProxy(box)
        column = QVBoxLayout(row)
        spaced(column, spacing=4)
        column.addWidget(box)
        column.addWidget(note)
        return row

    def show_file(self) -> None:
        """What the file says now."""
        tasks, models = self._edits.configuration.settings.tasks, self._names.all()
        for task, box in self.boxes.items():
            said = tasks.get(task, TaskEntry())
            box.show_model(models, self._names.spelt(said.models[0]) if said.models else "")
            words = []
            if len(said.models) > 1:
                words.append(tr("Then {models}.", models=self._listed(said.models[1:])))
            if said.avoid:
                words.append(tr("Asked only when nobody else can: {models}.", models=self._listed(said.avoid)))
            self.notes[task].setText(" ".join(words))
            self.notes[task].setVisible(bool(words))

    def _listed(self, names: tuple[str, ...]) -> str:
        return ", ".join(self._names.label(name) for name in names)

    def _on_chosen(self, task: TaskType, name: str) -> None:
        path = ("tasks", task.value, "models")

        def work(file: Configuration) -> None:
            if not name:
                remove(file, path)
                return
            said = file.settings.tasks.get(task, TaskEntry()).models
            file.edit(path, [name, *(other for other in said[1:] if self._names.spelt(other) != name)])

        self._edits.change(work, self.problem)
