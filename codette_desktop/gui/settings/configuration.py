"""The settings' page on the configuration file: where it is, what is wrong with it, and what it says, to be changed."""

import asyncio
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from codette_desktop.configuration.problems import Problem as Mistake
from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import ModelChoice
from codette_desktop.gui.settings.file_edits import FileEdits, Problem
from codette_desktop.gui.settings.model_box import ModelNames
from codette_desktop.gui.settings.named_models import NamedModels
from codette_desktop.gui.settings.parts import section
from codette_desktop.gui.settings.stand_ins import StandIns
from codette_desktop.gui.settings.task_models import TaskModels
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_icon, set_role
from codette_desktop.gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from codette_desktop.application import Application

_LOCAL_ONLY = ("routing", "local_only")
_SETTLE_MS = 30  # layouts inside layouts take some turns of the loop
MOST_MISTAKES = 12


class ConfigurationPage(QWidget):
    """Shows what is in force and follows the file; every change is written into it, and the rest of it stays."""

    def __init__(self, application: "Application", choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._file = application.configuration
        self._tasks = Tasks()
        self.edits = FileEdits(self._file, self)
        self.edits.refused.connect(self.show_file)
        names = ModelNames(choice)
        self.models = NamedModels(self.edits, names)
        self.task_models = TaskModels(self.edits, names)
        self.stand_ins = StandIns(self.edits, names)
        column = QVBoxLayout(self)
        spaced(column, spacing=20)
        column.addWidget(self._make_head())
        for part in (self.models, self.task_models, self.stand_ins):
            column.addWidget(part)
        column.addWidget(self._make_routing())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_file()

    def stop(self) -> None:
        """The settings are closed; what is being written is written."""
        self._tasks.cancel()

    def _make_head(self) -> QWidget:
        self.path = ElidedLabel(str(self._file.path), Qt.TextElideMode.ElideMiddle)
        self.open_button = QPushButton(tr("Open the file"))
        set_icon(self.open_button, "external-link", 14)
        self.open_button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._file.path))))
        self.create_button = QPushButton(tr("Create it"))
        self.create_button.setToolTip(tr("With every setting explained, and nothing set yet"))
        self.create_button.setAccessibleName(tr("Create the configuration file"))
        set_icon(self.create_button, "plus", 14)
        self.create_problem = Problem()
        self.create_button.clicked.connect(
            lambda: self.edits.change(lambda file: file.create(), self.create_problem, self.open_button.setFocus)
        )
        buttons = QHBoxLayout()
        spaced(buttons)
        for button in (self.open_button, self.create_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.about = QLabel()
        self.about.setWordWrap(True)
        set_role(self.about, "secondary")
        self.mistakes = Problem()
        self.mistakes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        frame = section("", [(tr("File"), self.path, "")])
        column = frame.layout()
        assert isinstance(column, QVBoxLayout)  # noqa: S101 - as `section` makes it
        column.insertWidget(0, self.about)
        column.addLayout(buttons)
        column.addWidget(self.create_problem)
        column.addWidget(self.mistakes)
        return frame

    def _make_routing(self) -> QWidget:
        self.local_box = QCheckBox(tr("Nothing leaves this computer"))
        self.local_box.setAccessibleName(self.local_box.text())
        self.local_box.clicked.connect(lambda on: self.edits.set(_LOCAL_ONLY, True if on else None, self.local_problem))
        self.local_problem = Problem()
        note = tr(
            "Auto then never asks a model outside this computer, and none stands in for another, whatever is set "
            "elsewhere. One that you choose yourself is still asked."
        )
        frame = section("", [(tr("Privacy"), self.local_box, note)])
        column = frame.layout()
        assert isinstance(column, QVBoxLayout)  # noqa: S101 - as `section` makes it
        column.addWidget(self.local_problem)
        return frame

    def show_file(self) -> None:
        """What the file says now, and what is wrong with it; while nobody looks, nothing."""
        if not self.isVisible():
            return
        self.setUpdatesEnabled(False)  # nothing is drawn before all has found its place
        exists = self._file.exists
        self.about.setText(_about(exists))
        self.open_button.setVisible(exists)
        self.create_button.setVisible(not exists)
        for part in (self.models, self.task_models, self.stand_ins):
            part.show_file()
        self.local_box.setChecked(self._file.local_only)
        QTimer.singleShot(_SETTLE_MS, self, lambda: self.setUpdatesEnabled(True))
        self._tasks.start(self._check(), "check the configuration file")

    async def _check(self) -> None:
        """Models that the file names are looked for in folders, which may take a while."""
        try:
            found = await asyncio.get_event_loop().run_in_executor(None, self._file.check)
        except CodetteError as error:
            found = (Mistake(1, 1, "", error.message, error.hint),)
        if shiboken6.isValid(self):
            self.mistakes.show_words(_told(found))


def _about(exists: bool) -> str:
    if exists:
        return tr(
            "A text file for models, servers, roles and who answers what. What you change here is written into it and "
            "counts at once; your comments stay. What you change in an editor shows here by itself."
        )
    return tr(
        "There is no configuration file, and none is needed. It is for names of your own for models, for who answers "
        "what, and for roles, all in one text file that you can copy to another computer. Create it with everything "
        "explained, or change something below: then it is made for you."
    )


def _told(mistakes: tuple[Mistake, ...]) -> str:
    lines = [str(mistake) for mistake in mistakes[:MOST_MISTAKES]]
    if len(mistakes) > MOST_MISTAKES:
        lines.append(tr("and {n} more", n=len(mistakes) - MOST_MISTAKES))
    if any(mistake.grave for mistake in mistakes):
        lines.append(tr("Until this is mended, what was last read without a mistake stays in force."))
    return "\n".join(lines)
