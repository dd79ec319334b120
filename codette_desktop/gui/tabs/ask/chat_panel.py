"""The chat's settings beside it: role, system prompt, preset, sampling parameters. What is changed counts at once."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.roles import Role
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.shortcuts import CHAT_SETTINGS
from codette_desktop.gui.tabs.ask.role_box import RoleBox
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import IconButton, SamplingForm, separator

_SETTLE_MS = 300


class ChatPanel(QWidget):
    """Shown at the right edge of the Ask tab. `changed_by_person` follows a short pause in typing or dragging."""

    sampling_changed = Signal(object)
    system_prompt_changed = Signal(str)
    role_chosen = Signal(str)
    save_preset_wanted = Signal()
    close_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, "panel")
        sized(self, minimum=(300, 0))
        self.role_box = RoleBox()
        self.role_box.chosen.connect(self.role_chosen)
        self.system_prompt = QPlainTextEdit()
        self.system_prompt.setAccessibleName(tr("System prompt"))
        self.system_prompt.setPlaceholderText(tr("For example: You are a patient teacher. Answer in short sentences."))
        self.system_prompt.setTabChangesFocus(True)
        sized(self.system_prompt, minimum=(0, 96), maximum=(0, 160))
        self.form = SamplingForm()
        self._filling = False
        self._system_timer = self._settler(self._tell_system)
        self._sampling_timer = self._settler(self._tell_sampling)
        self.system_prompt.textChanged.connect(self._on_system_text)
        self.form.changed.connect(lambda: self._touch(self._sampling_timer))
        self._lay_out()

    def _settler(self, work: "object") -> QTimer:
        timer = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        timer.timeout.connect(work)
        return timer

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        spaced(head, (16, 10, 8, 10), 8)
        title = QLabel(tr("Chat settings"))
        set_role(title, "heading")
        close = IconButton("x", tr("Close the chat settings"), CHAT_SETTINGS.shown)
        close.clicked.connect(self.close_wanted)
        head.addWidget(title, 1)
        head.addWidget(close)
        page = QWidget()
        inside = QVBoxLayout(page)
        spaced(inside, (16, 14, 16, 16), 8)
        role = _heading(tr("Role"))
        role.setBuddy(self.role_box)
        inside.addWidget(role)
        inside.addWidget(_note(tr("Who the model is to be: its prompt is put below, where you may change it.")))
        inside.addWidget(self.role_box)
        inside.addSpacing(12)
        inside.addWidget(_heading(tr("System prompt")))
        inside.addWidget(_note(tr("Said to the model before everything else in this chat.")))
        inside.addWidget(self.system_prompt)
        inside.addSpacing(12)
        inside.addWidget(_heading(tr("Sampling")))
        inside.addWidget(_note(tr("How each next word is chosen. Rest the pointer on a name to learn what it does.")))
        inside.addWidget(self.form)
        save = QPushButton(tr("Save as a preset …"))
        save.clicked.connect(self.save_preset_wanted)
        inside.addWidget(save)
        inside.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName(tr("Chat settings"))
        area.setWidget(page)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addLayout(head)
        layout.addWidget(separator())
        layout.addWidget(area, 1)

    def fill(self, system_prompt: str, sampling: Sampling) -> None:
        """Show a conversation's settings; what the person is just changing stays."""
        self._filling = True
        if self.system_prompt.toPlainText() != system_prompt and not self._system_timer.isActive():
            self.system_prompt.setPlainText(system_prompt)
        if not self._sampling_timer.isActive() and self._sampling() != sampling:
            self.form.set_sampling(sampling)
        self._filling = False

    def show_roles(self, roles: Sequence[Role]) -> None:
        """What there is to choose from."""
        self.role_box.show_roles(roles)

    def flush(self) -> None:
        """Tell now what would be told after the pause."""
        for timer, work in ((self._system_timer, self._tell_system), (self._sampling_timer, self._tell_sampling)):
            if timer.isActive():
                timer.stop()
                work()

    def focus(self, part: str) -> None:
        """Put the cursor where the person wants to change something."""
        if part == "system":
            self.system_prompt.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.form.setFocus(Qt.FocusReason.OtherFocusReason)

    def _sampling(self) -> Sampling:
        return self.form.sampling()

    def _on_system_text(self) -> None:
        self.role_box.show_text(self.system_prompt.toPlainText())
        self._touch(self._system_timer)

    def _touch(self, timer: QTimer) -> None:
        if not self._filling:
            timer.start()

    def _tell_system(self) -> None:
        self.system_prompt_changed.emit(self.system_prompt.toPlainText())

    def _tell_sampling(self) -> None:
        self.sampling_changed.emit(self._sampling())


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    set_role(label, "strong")
    return label


def _note(text: str) -> QLabel:
    label = QLabel(text)
    set_role(label, "secondary")
    label.setWordWrap(True)
    return label
