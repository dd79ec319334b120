"""What an empty tab shows: what it is for, and what to do next."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from codette_desktop.gui.theme.manager import set_role, theme
from codette_desktop.gui.widgets.labels import IconLabel

Action = tuple[str, Callable[[], object]] | tuple[str, Callable[[], object], str]
MAX_ACTIONS = 3


class EmptyState(QWidget):
    """Icon, title, a sentence or two, up to three buttons, in the middle of the room it gets."""

    def __init__(
        self, icon_name: str, title: str, text: str = "", actions: Sequence[Action] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.buttons: list[QPushButton] = []
        self._icon = IconLabel(icon_name, 32, "secondary", self)
        self._title = QLabel(title, self)
        set_role(self._title, "title")
        self._text = QLabel(text, self)
        self._text.setWordWrap(True)
        for label in (self._title, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._row = QHBoxLayout()
        self._column = column = QVBoxLayout(self)
        column.addStretch(2)
        column.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._title)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self._text, 100)
        middle.addStretch(1)
        column.addLayout(middle)
        column.addSpacing(8)
        column.addLayout(self._row)
        column.addStretch(3)
        self._row.addStretch(1)
        self._row.addStretch(1)
        self.set_text(title, text)
        self.set_actions(actions)
        theme().changed.connect(self._apply)
        self._apply()

    def set_text(self, title: str, text: str = "") -> None:
        """Says something else."""
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._fit_text()
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)

    def set_actions(self, actions: Sequence[Action]) -> None:
        """Offers these instead; raises ValueError for more than three. A third item is the button's role."""
        if len(actions) > MAX_ACTIONS:
            raise ValueError("an empty state offers at most three things")
        for button in self.buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = []
        for number, action in enumerate(actions):
            button = QPushButton(action[0], self)
            button.setAccessibleName(action[0])
            set_role(button, action[2] if len(action) == 3 else "")
            button.clicked.connect(lambda _=False, run=action[1]: run())
            self._row.insertWidget(1 + number, button)
            self.buttons.append(button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_text()

    def _fit_text(self) -> None:
        """A wrapped label in a nested layout is given one line less than it needs; it is told its height."""
        px = theme().px
        width = max(px(200), min(px(480), self.width() - 2 * px(24)))
        self._text.setMinimumWidth(px(200))
        self._text.setMaximumWidth(px(480))
        self._text.setMinimumHeight(max(0, self._text.heightForWidth(width)))  # -1 for an empty one

    def _apply(self) -> None:
        px, column = theme().px, self._column
        column.setContentsMargins(px(24), px(24), px(24), px(24))
        column.setSpacing(px(8))
        self._row.setSpacing(px(8))
        self._fit_text()
