"""Small buttons: an icon that names itself, a chip, and a row of which one is chosen."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from codette_desktop.gui.theme.icons import set_icon
from codette_desktop.gui.theme.manager import set_role


class IconButton(QToolButton):
    """An icon alone; its text is the accessible name and, with the shortcut, the tooltip."""

    def __init__(
        self,
        icon_name: str,
        text: str,
        shortcut: str = "",
        size: int = 16,
        parent: QWidget | None = None,
        colour: str = "secondary",
    ) -> None:
        super().__init__(parent)
        self._size, self._colour, self._shortcut = size, colour, shortcut
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.set_text(text)
        self.set_icon_name(icon_name)

    def set_text(self, text: str) -> None:
        """What the button does, in words."""
        self.setText(text)
        self.setAccessibleName(text)
        keys = QKeySequence(self._shortcut).toString(QKeySequence.SequenceFormat.NativeText) if self._shortcut else ""
        self.setToolTip(f"{text} ({keys})" if keys else text)

    def set_icon_name(self, name: str, colour: str = "") -> None:
        """Shows another icon, in the same colour unless one is given."""
        self.icon_name = name
        self._colour = colour or self._colour
        set_icon(self, name, self._size, self._colour)


class ChipButton(QPushButton):
    """A small rounded button for a suggestion or a filter."""

    def __init__(self, text: str, icon_name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        set_role(self, "chip")
        self.setAccessibleName(text)
        if icon_name:
            set_icon(self, icon_name, 16, "secondary")


class SegmentedControl(QFrame):
    """A row of choices of which exactly one holds; the arrow keys move along it."""

    changed = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str]], name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "segments")
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._keys = [key for key, _ in choices]
        self._group = QButtonGroup(self)
        self._buttons: list[QPushButton] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for number, (_, text) in enumerate(choices):
            button = QPushButton(text, self)
            set_role(button, "segment")
            button.setCheckable(True)
            button.setAccessibleName(f"{name}: {text}" if name else text)
            self._group.addButton(button, number)
            row.addWidget(button)
            self._buttons.append(button)
        self._group.button(0).setChecked(True)
        self._group.idToggled.connect(self._on_toggled)

    @property
    def current(self) -> str:
        """The key of the choice that holds."""
        return self._keys[self._group.checkedId()]

    def set_current(self, key: str) -> None:
        """Chooses; raises ValueError for an unknown key."""
        self._group.button(self._keys.index(key)).setChecked(True)

    def button(self, key: str) -> QPushButton:
        """The button of that choice."""
        return self._buttons[self._keys.index(key)]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if not step:
            super().keyPressEvent(event)
            return
        button = self._group.button((self._group.checkedId() + step) % len(self._keys))
        button.setChecked(True)
        button.setFocus(Qt.FocusReason.TabFocusReason)

    def _on_toggled(self, number: int, checked: bool) -> None:
        if checked:
            self.changed.emit(self._keys[number])
