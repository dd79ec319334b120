"""What all messages on the screen share: who, when, versions, buttons."""

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from codette_desktop.domain.conversations import Node
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.ask.wording import clock
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import IconButton


class BranchSwitch(QWidget):
    """ "‹ 2/3 ›": walks between versions of one message. Hidden while there is one only."""

    walked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.previous = IconButton("chevron-left", tr("Previous version"), "Alt+Left", size=14)
        self.next = IconButton("chevron-right", tr("Next version"), "Alt+Right", size=14)
        self.label = QLabel()
        set_role(self.label, "secondary")
        self.previous.clicked.connect(lambda: self.walked.emit(-1))
        self.next.clicked.connect(lambda: self.walked.emit(1))
        layout = QHBoxLayout(self)
        spaced(layout, spacing=2)
        for widget in (self.previous, self.label, self.next):
            layout.addWidget(widget)
        self.hide()

    def show_place(self, index: int, count: int) -> None:
        """`index` counts from 0."""
        self.label.setText(f"{index + 1}/{count}")
        self.label.setAccessibleName(tr("Version {index} of {count}", index=index + 1, count=count))
        self.previous.setEnabled(index > 0)
        self.next.setEnabled(index < count - 1)
        self.setVisible(count > 1)


class MessageCard(QWidget):
    """A message: its head, and below it whatever the kind of message puts into `body`."""

    walked = Signal(str, int)
    copied = Signal(str)

    def __init__(self, speaker: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.node: Node | None = None
        self.speaker = QLabel(speaker)
        set_role(self.speaker, "strong")
        self.time = QLabel()
        set_role(self.time, "secondary")
        self.branches = BranchSwitch()
        self.branches.walked.connect(self._on_walked)
        self.copy_button = IconButton("copy", tr("Copy"), size=14)
        self.copy_button.clicked.connect(self._on_copy)
        self.buttons = QHBoxLayout()
        spaced(self.buttons, spacing=2)
        self.buttons.addWidget(self.branches)
        head = QHBoxLayout()
        spaced(head, spacing=8)
        head.addWidget(self.speaker)
        head.addWidget(self.time)
        head.addStretch(1)
        head.addLayout(self.buttons)
        self.body = QVBoxLayout(self)
        spaced(self.body, spacing=6)
        self.body.addLayout(head)

    def text(self) -> str:
        """The words of the message."""
        return self.node.message.content if self.node else ""

    def set_node(self, node: Node) -> None:
        """The message shown here; called again when it gained siblings."""
        self.node = node
        self.time.setText(clock(node.created_at, datetime.now().astimezone().date()))
        self.time.setToolTip(f"{node.created_at.astimezone():%A %d %B %Y, %H:%M:%S}")
        if node.id in node.sibling_ids:
            self.branches.show_place(node.sibling_ids.index(node.id), len(node.sibling_ids))

    def set_busy(self, busy: bool) -> None:
        """While an answer is written nothing may change the tree."""
        self.branches.setEnabled(not busy)

    def _on_walked(self, step: int) -> None:
        if self.node is not None:
            self.walked.emit(self.node.id, step)

    def _on_copy(self) -> None:
        self.copied.emit(self.text())
