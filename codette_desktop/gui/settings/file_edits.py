"""Changes to the configuration file from the window, one after the other and never on the window's thread."""

import asyncio
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLabel, QWidget

from codette_desktop.configuration.file import Configuration
from codette_desktop.configuration.problems import Path
from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_role

Change = Callable[[Configuration], object]


class FileEdits(QObject):
    """`refused` follows a change that was not made: whoever shows the file shows again what it says."""

    refused = Signal()

    def __init__(self, configuration: Configuration, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.configuration = configuration
        self._tasks = Tasks()
        self._one_by_one = asyncio.Lock()

    def change(self, work: Change, problem: "Problem", done: Callable[[], object] | None = None) -> None:
        """Do `work` with the file. A refusal is told in `problem`; else `done` is called."""
        problem.show_words("")
        self._tasks.start(self._change(work, problem, done), "change the configuration file")

    async def _change(self, work: Change, problem: "Problem", done: Callable[[], object] | None) -> None:
        async with self._one_by_one:
            try:
                await asyncio.get_event_loop().run_in_executor(None, work, self.configuration)
            except CodetteError as error:
                if shiboken6.isValid(self) and shiboken6.isValid(problem):
                    self.refused.emit()
                    problem.show_words(f"{error.message} {error.hint}".strip())
                return
        if done is not None and shiboken6.isValid(self):
            done()

    def set(self, path: Path, value: Any, problem: "Problem") -> None:
        """Write `value` there; None takes away what stands there."""
        if value is None:
            self.change(lambda file: remove(file, path), problem)
        else:
            self.change(lambda file: file.edit(path, value), problem)


class Problem(QLabel):
    """Why a change was refused, under the control it was made with; hidden while there is nothing to tell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self, "bad")
        self.hide()

    def show_words(self, text: str) -> None:
        """Tell it; "" for nothing."""
        self.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))


def remove(file: Configuration, path: Path) -> None:
    """Take away what stands there, if anything does, and the group it stands in if nothing is left in that one.

    The sections of the file stay. Raises ConfigurationError.
    """
    if file.get(path) is None:
        return
    group = file.get(path[:-1]) if len(path) > 2 else None
    alone = isinstance(group, dict) and len(group) == 1
    file.remove(path[:-1] if alone else path)
