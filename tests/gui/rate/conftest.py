"""Pages on their own, without the window around them."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget

from codette_desktop.gui.theme import ThemeManager, theme


@pytest.fixture(autouse=True)
def themed(qapp: QApplication) -> Iterator[ThemeManager]:
    """Light, at 100 %, before and after."""
    manager = theme()
    manager.set_mode("light")
    manager.set_zoom(100)
    yield manager
    manager.set_mode("light")
    manager.set_zoom(100)


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Callable[..., None]]:
    """Shows a widget in a size, and frees it afterwards."""
    shown: list[QWidget] = []

    def put(widget: QWidget, width: int = 1000, height: int = 720) -> None:
        shown.append(widget)
        widget.resize(width, height)
        widget.show()
        QApplication.processEvents()

    yield put
    for widget in shown:
        widget.hide()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
