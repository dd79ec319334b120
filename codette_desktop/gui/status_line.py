"""The status line: what answers, on what, how fast, how full, how much memory, and whether all is well."""

import os

import psutil
from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from codette_desktop.domain.answers import AnswerFigures, ContextUse
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import show_what_fits, sized, spaced
from codette_desktop.gui.styles import styled
from codette_desktop.gui.tabs.ask.wording import duration, speed
from codette_desktop.gui.theme import set_role

_PART = """
QPushButton { background: transparent; border: 1px solid transparent; border-radius: @4; padding: @2 @6;
  color: @secondary; }
QPushButton:hover { background: @hover; color: @text; }
QPushButton:focus { border: 1px solid @accent; }
QPushButton[kind="good"] { color: @good_word; }
QPushButton[kind="warning"] { color: @warning_word; }
QPushButton[kind="bad"] { color: @bad_word; }
"""
_MEMORY_EVERY_MS = 2000


class StatusLine(QFrame):
    """Each part is a button that names, by `opened`, what it speaks of: "model", "engine", "context", "watch"."""

    opened = Signal(str)
    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "bar")
        self.setAccessibleName(tr("Status"))
        self._process = psutil.Process(os.getpid())
        self.model = self._part("model", tr("The model that answers. Click to choose another."))
        self.device = self._part("engine", tr("What the model runs on. Click for the engine's settings."))
        self.speed = self._part("watch", tr("Speed of the last answer, in tokens a second."))
        self.first = self._part("watch", tr("How long the last answer took to begin."))
        self.context = self._part("context", tr("Tokens of the context in use. Click for the chat's settings."))
        self.memory = self._part("watch", tr("Memory this application uses, models included."))
        self.health = self._part("watch", tr("Whether everything works."))
        self._unknown = {self.speed, self.first, self.context}  # nothing to tell yet
        self._lay_out()
        self._timer = QTimer(self, interval=_MEMORY_EVERY_MS)
        self._timer.timeout.connect(self._show_memory)
        self.show_figures(None)
        self.show_context(None)
        self.show_device("", 0)
        self.show_health("good", tr("ok"), tr("Everything works."))

    def _part(self, name: str, tooltip: str) -> QPushButton:
        button = QPushButton()
        styled(button, _PART)
        button.setToolTip(tooltip)
        button.clicked.connect(lambda: self.opened.emit(name))
        return button

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        spaced(layout, (10, 3, 10, 3), 2)
        for button in (self.model, self.device, self.speed, self.first, self.context, self.memory):
            layout.addWidget(button)
        layout.addStretch(1)
        self.progress_label = QLabel()
        set_role(self.progress_label, "secondary")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 100)
        self.progress.setAccessibleName(tr("Progress of loading the model"))
        sized(self.progress, minimum=(120, 0), maximum=(120, 0))
        self.cancel = QPushButton(tr("Cancel"))
        styled(self.cancel, _PART)
        self.cancel.setAccessibleName(tr("Cancel loading the model"))
        self.cancel.clicked.connect(self.cancel_wanted)
        for widget in (self.progress_label, self.progress, self.cancel):
            layout.addWidget(widget)
            widget.hide()
        layout.addWidget(self.health)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_memory()
        self._fit()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def show_model(self, label: str) -> None:
        """The model of the conversation on view."""
        self._set(self.model, label, tr("Model {label}", label=label))

    def want_device(self, wanted: bool) -> None:
        """Whether there is one model of which to say what it runs on."""
        self._want(self.device, wanted)

    def show_device(self, device: str, threads: int) -> None:
        """What the model is loaded on; "" while it is not loaded."""
        if not device:
            text = tr("not loaded")
        elif threads == 1:
            text = tr("{device}, 1 thread", device=device)
        else:
            text = tr("{device}, {n} threads", device=device, n=threads) if threads else device
        self._set(self.device, text, tr("Runs on: {device}", device=text))

    def show_figures(self, figures: AnswerFigures | None) -> None:
        """How fast the last answer was."""
        fast = figures is not None and figures.tokens_per_second > 0
        self._want(self.speed, fast)
        self._want(self.first, figures is not None and figures.completion_tokens > 0)
        if figures is not None:
            text = tr("{speed} tok/s", speed=speed(figures.tokens_per_second))
            self._set(self.speed, text, tr("Last speed {speed}", speed=text))
            text = tr("first token {time}", time=duration(figures.time_to_first_token_ms))
            self._set(self.first, text, text)

    def show_context(self, use: ContextUse | None) -> None:
        """How full the context is."""
        self._want(self.context, use is not None)
        if use is not None:
            text = tr("context {used}/{length}", used=number(use.prompt), length=number(use.length))
            self._set(self.context, text, text)

    def show_health(self, kind: str, word: str, explanation: str) -> None:
        """One word on whether all is well; `kind` is "good", "warning" or "bad"."""
        mark = {"good": "●", "warning": "▲", "bad": "■"}[kind]
        self._set(self.health, f"{mark} {word}", tr("Health: {word}", word=word))
        self.health.setToolTip(explanation)
        self.health.setProperty("kind", kind)
        self.health.style().unpolish(self.health)
        self.health.style().polish(self.health)

    def show_loading(self, name: str, progress: float | None) -> None:
        """A model is being loaded, 0 to 1; None when it no longer is."""
        for widget in (self.progress_label, self.progress, self.cancel):
            widget.setVisible(progress is not None)
        self._fit()
        if progress is not None:
            self.progress_label.setText(tr("Loading {name}", name=name))
            self.progress.setValue(round(progress * 100))

    def _show_memory(self) -> None:
        resident = self._process.memory_info().rss
        self._set(
            self.memory, tr("RAM {n} GB", n=number(resident / 1e9, 2)), tr("Memory {n} GB", n=number(resident / 1e9, 2))
        )

    def _set(self, button: QPushButton, text: str, name: str) -> None:
        if button.text() != text:
            button.setText(text)
            button.setAccessibleName(name)
            self._fit()

    def _want(self, button: QPushButton, wanted: bool) -> None:
        (self._unknown.discard if wanted else self._unknown.add)(button)
        button.setVisible(wanted)
        self._fit()

    def _fit(self) -> None:
        """In a narrow window or at a large zoom, what matters least gives way: half a figure is worse than none."""
        row = self.layout()
        if row is None or not self.isVisible():
            return
        margins = row.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        for widget in (self.model, self.health, self.progress_label, self.progress, self.cancel):
            room -= 0 if widget.isHidden() else widget.sizeHint().width() + row.spacing()
        parts = (self.first, self.memory, self.speed, self.device, self.context)
        show_what_fits([part for part in parts if part not in self._unknown], room, row.spacing())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
