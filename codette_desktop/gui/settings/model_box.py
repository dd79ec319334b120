"""A list of models to choose from, for what the configuration file may name."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QSpinBox, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.model_choice import Entry, ModelChoice


class QuietComboBox(QComboBox):
    """Not changed by a wheel that scrolls the page over it. `name` is what a screen reader says."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_name(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_name(self, name: str) -> None:
        """What a screen reader says."""
        self.setAccessibleName(name)
        self.view().setAccessibleName(name)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class QuietSpinBox(QSpinBox):
    """The same for a number."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ModelBox(QuietComboBox):
    """`chosen` carries the name of the model the person chose; "" for `none`, what stands first if it is given."""

    chosen = Signal(str)

    def __init__(self, name: str, none: str = "", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._none = none
        self._shown: list[tuple[str, str]] = []
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.activated.connect(lambda _at: self.chosen.emit(self.currentData()))

    def show_model(self, models: list[tuple[str, str]], current: str) -> None:
        """Choose from `models`, names with what is read of each; `current` is shown even if it is none of them."""
        wanted = [("", self._none)] if self._none else []
        wanted += models
        if current not in (name for name, _text in wanted) and (current or not wanted):
            wanted.append((current, _not_found(current) if current else tr("No model")))
        if wanted != self._shown:
            self._shown = wanted
            self.clear()
            for name, text in wanted:
                self.addItem(text, name)
        self.setCurrentIndex(max(0, self.findData(current)))
        self.setToolTip(self.currentText())


class ModelNames:
    """The models there are, and how the names in the file are spelt among them."""

    def __init__(self, choice: ModelChoice) -> None:
        self._choice = choice

    def models(self) -> list[tuple[str, str]]:
        """What the name of one's own may stand for: every model of the library and of the servers."""
        return [(entry.name, entry.label) for entry in self._choice.models if entry.model is not None]

    def all(self) -> list[tuple[str, str]]:
        """One's own names, then the models."""
        own = [(entry.name, _read(entry)) for entry in self._choice.entries if entry.own and entry.model]
        lost = [(entry.name, _read(entry)) for entry in self._choice.entries if entry.own and not entry.model]
        taken = {name.casefold() for name, _text in (*own, *lost)}
        return [*own, *(item for item in self.models() if item[0].casefold() not in taken), *lost]

    def spelt(self, name: str, *, own: bool = True) -> str:
        """The name in the lists that means the same; `name` itself where none does. `own`: among one's own too."""
        wanted = name.casefold()
        for entry in self._choice.entries:
            if own and entry.own and entry.name.casefold() == wanted:
                return entry.name
        for entry in self._choice.models:
            if entry.model is not None and wanted in _spellings(entry.name, entry.label, entry.title, entry.place):
                return entry.name
        return name

    def label(self, name: str) -> str:
        """What is read of a name of the file."""
        spelt = self.spelt(name)
        return next((text for known, text in self.all() if known == spelt), _not_found(name))


def _read(entry: Entry) -> str:
    return entry.label if entry.model is not None else _not_found(entry.name)


def _not_found(name: str) -> str:
    return tr("{name} (not found)", name=name)


def _spellings(name: str, label: str, title: str, place: str) -> set[str]:
    file = place.replace("\\", "/").rsplit("/", 1)[-1]
    return {text.casefold() for text in (name, label, title, place, file, file.rsplit(".", 1)[0])}
