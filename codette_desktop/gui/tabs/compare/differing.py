"""Marks in two answers the words in which they differ; worked out between frames, also while they are written."""

import time
from collections.abc import Generator

from PySide6.QtCore import QObject, QTimer, Signal

from codette_desktop.domain.differences import Differences, compare_steps
from codette_desktop.domain.words import WordList
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets import MarkdownView
from codette_desktop.gui.widgets.frame_flusher import frame_flusher

EVERY_MS = 300  # while they are written
BUDGET_S = 0.002  # of one frame


class DifferenceMarker(QObject):
    """Of two views, or of none. GUI thread. `shown` carries the `Differences` that are marked now."""

    shown = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views: tuple[MarkdownView, MarkdownView] | None = None
        self._words = (WordList(), WordList())
        self._steps: Generator[None, None, Differences] | None = None
        self._shown: tuple[str, str] = ("", "")
        self.found = Differences()
        self._timer = QTimer(self, interval=EVERY_MS, singleShot=True)
        self._timer.timeout.connect(self._begin)
        theme().changed.connect(self.touch)

    def compare(self, first: MarkdownView | None, second: MarkdownView | None) -> None:
        """Mark these two from now on; None for either removes all marks."""
        views = (first, second) if first is not None and second is not None else None
        if views == self._views:
            return
        self.clear()
        self._views = views
        for view in views or ():
            view.rendered.connect(self.touch)
        self._begin()

    def touch(self) -> None:
        """One of them has changed."""
        if self._views is not None and not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Nothing is compared any more."""
        self._timer.stop()
        frame_flusher().cancel(self._work)
        for view in self._views or ():
            view.rendered.disconnect(self.touch)
            view.set_marks((), "highlight")
        self._views, self._steps = None, None
        self._words, self._shown = (WordList(), WordList()), ("", "")
        self.found = Differences()

    def _begin(self) -> None:
        if self._views is None:
            return
        texts = (self._views[0].plain(), self._views[1].plain())
        self._steps = compare_steps(*self._words, *texts)
        self._shown = texts
        frame_flusher().request(self._work)

    def _work(self) -> bool:
        """Some steps; True where more are left."""
        if self._steps is None or self._views is None:
            return False
        end = time.perf_counter() + BUDGET_S
        try:
            while time.perf_counter() < end:
                next(self._steps)
        except StopIteration as done:
            self._steps = None
            self._show(done.value)
            return False
        return True

    def _show(self, found: Differences) -> None:
        self.found = found
        self.shown.emit(found)
        if self._views is None:
            return
        for view, ranges, text in zip(self._views, (found.first, found.second), self._shown, strict=True):
            if view.plain().startswith(text):
                view.set_marks(ranges, "highlight")
            else:
                self.touch()
