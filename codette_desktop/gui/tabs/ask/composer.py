"""Where questions are typed: text box, preset, chat settings, context gauge, Send or Stop."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from codette_desktop.domain.answers import ContextUse
from codette_desktop.domain.conversations import Preset
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import show_what_fits, spaced
from codette_desktop.gui.shortcuts import CHAT_SETTINGS
from codette_desktop.gui.styles import styled
from codette_desktop.gui.tabs.ask.plan_line import PlanLine
from codette_desktop.gui.theme import set_icon, set_role, theme
from codette_desktop.gui.theme.tokens import ANSWER_WIDTH
from codette_desktop.gui.widgets import ChipButton, ContextGauge, ElidedLabel, GrowingTextEdit, IconButton

_FRAME = """
QFrame#composer { background: @surface; border: 1px solid @line_strong; border-radius: @12; }
QFrame#composer[focused="true"] { border-color: @accent; }
"""
_LONGEST_ROLE = 28  # letters on the chip


class Composer(QWidget):
    """Signals what the person wants. `submitted` carries the text; the presenter clears the box."""

    submitted = Signal(str)
    ensemble_wanted = Signal(str)
    stop_wanted = Signal()
    text_changed = Signal(str)
    settings_wanted = Signal(str)  # "sampling" or "system"
    preset_chosen = Signal(str)
    preset_save_wanted = Signal()
    preset_delete_wanted = Signal(str)
    queued_dropped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: Sequence[Preset] = ()
        self._preset, self._modified = "", False
        self._answering = False
        self.edit = GrowingTextEdit(self)
        set_role(self.edit, "composer")
        self.edit.setAccessibleName(tr("Your question"))
        self.edit.setPlaceholderText(tr("Ask anything"))
        self.edit.setToolTip(tr("Enter sends, Shift+Enter starts a new line, Ctrl+Enter asks the ensemble"))
        self.edit.setTabChangesFocus(True)
        self.edit.submitted.connect(self._on_submit)
        self.edit.submitted_ensemble.connect(lambda: self.ensemble_wanted.emit(self.text()))
        self.edit.textChanged.connect(self._on_text)
        self.preset_button = ChipButton("")
        self.preset_button.clicked.connect(self._show_presets)
        self.system_button = ChipButton(tr("System prompt"))
        self.system_button.clicked.connect(lambda: self.settings_wanted.emit("system"))
        self.sampling_button = IconButton("sliders-horizontal", tr("Chat settings"), CHAT_SETTINGS.shown)
        self.sampling_button.clicked.connect(lambda: self.settings_wanted.emit("sampling"))
        self.gauge = ContextGauge()
        self.send_button = QPushButton(tr("Send"))
        self.send_button.clicked.connect(self._on_button)
        self.queue_box = QVBoxLayout()
        spaced(self.queue_box, (4, 0, 4, 0), 2)
        self._lay_out()
        self.set_answering(False)
        self.edit.installEventFilter(self)

    def _lay_out(self) -> None:
        self.frame = QFrame()
        self.frame.installEventFilter(self)
        self.frame.setObjectName("composer")
        styled(self.frame, _FRAME)
        inside = QVBoxLayout(self.frame)
        spaced(inside, (14, 12, 10, 10), 8)
        row = self._row = QHBoxLayout()
        spaced(row, spacing=6)
        for widget in (self.preset_button, self.system_button, self.sampling_button):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.gauge)
        row.addSpacing(theme().px(4))
        row.addWidget(self.send_button)
        inside.addWidget(self.edit)
        inside.addLayout(row)
        column = QWidget()
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._column = column
        inner = QVBoxLayout(column)
        spaced(inner, spacing=6)
        inner.addLayout(self.queue_box)
        self.plan_line = PlanLine()
        inner.addWidget(self.plan_line)
        inner.addWidget(self.frame)
        outer = QHBoxLayout(self)
        spaced(outer, (24, 0, 24, 16), 0)
        outer.addStretch(1)
        outer.addWidget(column, 1000)
        outer.addStretch(1)
        theme().changed.connect(self._resize)
        self._resize()

    def _resize(self) -> None:
        # As wide as the answers plus the frame's own padding, so that the words stand in one line with them.
        self._column.setMaximumWidth(theme().px(ANSWER_WIDTH + 28))

    # Text

    def text(self) -> str:
        """What stands in the box."""
        return self.edit.toPlainText()

    def set_text(self, text: str) -> None:
        """Replace it, without telling."""
        if text != self.text():
            self.edit.blockSignals(True)
            self.edit.setPlainText(text)
            self.edit.blockSignals(False)
            self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
            self.edit.updateGeometry()
        self._update_button()

    def focus(self) -> None:
        """The person types here next."""
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_text(self) -> None:
        self._update_button()
        self.text_changed.emit(self.text())

    def _on_submit(self) -> None:
        if self.text().strip():
            self.submitted.emit(self.text())

    def _on_button(self) -> None:
        if self._answering:
            self.stop_wanted.emit()
        else:
            self._on_submit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.frame:
            if event.type() == QEvent.Type.Resize:
                self._fit()
        elif event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.frame.setProperty("focused", event.type() == QEvent.Type.FocusIn)
            self.frame.style().unpolish(self.frame)
            self.frame.style().polish(self.frame)
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        """Where there is no room, what can be reached by the chat settings' button gives way first."""
        inside, spacing = self.frame.layout(), self._row.spacing()
        if inside is None or not self.isVisible():
            return
        margins = inside.contentsMargins()
        room = self.frame.width() - margins.left() - margins.right() - theme().px(4)
        room -= self.sampling_button.sizeHint().width() + self.send_button.sizeHint().width() + 3 * spacing
        show_what_fits((self.system_button, self.gauge, self.preset_button), room, spacing)

    # State

    def set_answering(self, answering: bool) -> None:
        """Send becomes Stop while an answer is written."""
        self._answering = answering
        self.send_button.setText(tr("Stop") if answering else tr("Send"))
        self.send_button.setToolTip(tr("Stop the answer (Esc)") if answering else tr("Send (Enter)"))
        set_role(self.send_button, "" if answering else "primary")
        set_icon(self.send_button, "square" if answering else "send", 14, "text" if answering else "accent_text")
        placeholder = tr("Type the next question; it waits for this answer") if answering else tr("Ask anything")
        self.edit.setPlaceholderText(placeholder)
        self.edit.viewport().update()  # Qt paints a new placeholder only with the next change of focus
        self._update_button()

    def _update_button(self) -> None:
        self.send_button.setEnabled(self._answering or bool(self.text().strip()))

    def set_system_prompt(self, text: str, role: str = "") -> None:
        """Show on the chip whether there is one, or the title of the role whose prompt it is."""
        short = " ".join(text.split())
        words = role if len(role) <= _LONGEST_ROLE else f"{role[: _LONGEST_ROLE - 1].rstrip()}…"
        self.system_button.setText(words or (tr("System prompt: on") if short else tr("System prompt")))
        self.system_button.setAccessibleName(tr("Role: {role}", role=role) if role else self.system_button.text())
        tip = short[:300] or tr("Tell the model who it is and how to answer")
        self.system_button.setToolTip(f"{role}\n{tip}" if role else tip)
        self._fit()

    def set_presets(self, presets: Sequence[Preset], current: str, modified: bool) -> None:
        """The presets to choose from; `current` may be "" for parameters that belong to none."""
        self._presets, self._preset, self._modified = presets, current, modified
        name = current or tr("Custom")
        self.preset_button.setText(tr("{preset}, changed", preset=name) if modified else name)
        self.preset_button.setAccessibleName(tr("Preset: {preset}", preset=self.preset_button.text()))
        self.preset_button.setToolTip(tr("How the next words are chosen: a named set of sampling parameters"))
        self._fit()

    def presets_menu(self) -> QMenu:
        """All presets, and what can be done with them."""
        menu = QMenu(self)
        for preset in self._presets:
            action = menu.addAction(preset.name)
            action.setCheckable(True)
            action.setChecked(preset.name == self._preset)
            action.triggered.connect(lambda _=False, name=preset.name: self.preset_chosen.emit(name))
        menu.addSeparator()
        menu.addAction(tr("Edit parameters …")).triggered.connect(lambda: self.settings_wanted.emit("sampling"))
        menu.addAction(tr("Save as …")).triggered.connect(lambda: self.preset_save_wanted.emit())
        own = next((item for item in self._presets if item.name == self._preset and not item.built_in), None)
        if own is not None:
            action = menu.addAction(tr("Delete “{name}”", name=own.name))
            action.triggered.connect(lambda: self.preset_delete_wanted.emit(own.name))
        return menu

    def _show_presets(self) -> None:
        menu = self.presets_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        place = self.preset_button.mapToGlobal(QPoint(0, 0))
        menu.popup(QPoint(place.x(), place.y() - menu.sizeHint().height()))

    def set_queued(self, texts: Sequence[str]) -> None:
        """The questions that wait for the present answer to end."""
        while (item := self.queue_box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for index, text in enumerate(texts):
            self.queue_box.addWidget(self._queued_row(index, text))

    def _queued_row(self, index: int, text: str) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        spaced(layout, (10, 0, 4, 0), 8)
        word = QLabel(tr("Next:"))
        set_role(word, "secondary")
        label = ElidedLabel(" ".join(text.split()))
        back = IconButton("undo-2", tr("Take this question back"), size=14)
        back.clicked.connect(lambda: self.queued_dropped.emit(index))
        layout.addWidget(word)
        layout.addWidget(label, 1)
        layout.addWidget(back)
        return row

    def show_context(self, use: ContextUse | None, problem: str = "") -> None:
        """How full the context would be if the text were sent now."""
        if use is None:
            self.gauge.set_unknown()
            self.gauge.setToolTip(problem or tr("How full the context is shows here."))
            return
        self.gauge.set_context_use(use)
        self.gauge.setToolTip(context_text(use))


def context_text(use: ContextUse) -> str:
    """The context by part, a line each."""
    lines = [
        tr("The context holds {n} tokens: all the model can have before its eyes.", n=number(use.length)),
        tr("System prompt: {n}", n=number(use.system)),
        tr("Conversation so far: {n}", n=number(use.history)),
        tr("This question: {n}", n=number(use.question)),
        tr("Room for the answer: {n}", n=number(use.room)),
    ]
    if use.estimated:
        lines.append(tr("All reckoned from the lengths of the texts: this server counts tokens only as it answers."))
    if use.left_out_messages:
        lines.append(tr("Left out, oldest first: {n} messages", n=number(use.left_out_messages)))
    return "\n".join(lines)
