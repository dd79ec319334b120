"""The frame flusher: one timer for all panes, which sleeps while nothing is pending."""

import time

from PySide6.QtWidgets import QApplication
from shiboken6 import delete

from codette_desktop.gui.theme import ThemeManager
from codette_desktop.gui.widgets import MarkdownView, frame_flusher


def test_the_flusher_runs_only_while_something_is_pending(qapp: QApplication) -> None:
    ThemeManager(qapp)
    flusher = frame_flusher()
    calls: list[int] = []

    def callback() -> bool:
        calls.append(1)
        return len(calls) < 3

    flusher.request(callback)
    flusher.request(callback)
    assert flusher.running
    end = time.monotonic() + 5
    while flusher.running and time.monotonic() < end:
        qapp.processEvents()
        time.sleep(0.002)
    assert len(calls) == 3
    assert not flusher.running


def test_a_widget_that_has_gone_is_not_called(qapp: QApplication) -> None:
    ThemeManager(qapp)
    view = MarkdownView()
    view.append("text")
    flusher = frame_flusher()
    assert flusher.pending
    delete(view)
    flusher._on_frame()
    assert not flusher.pending


def test_one_frame_redraws_no_more_panes_than_it_can_paint_and_the_others_are_next(qapp: QApplication) -> None:
    ThemeManager(qapp)
    flusher = frame_flusher()
    order: list[int] = []
    for pane in range(4):
        flusher.request(lambda pane=pane: order.append(pane))
    flusher._on_frame()
    assert order == [0, 1]
    flusher._on_frame()
    assert order == [0, 1, 2, 3]
    assert not flusher.pending
