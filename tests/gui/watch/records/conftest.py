"""Pages of records on a real store, without the window around them."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget

from codette_desktop.gui.tabs.watch.requests.requests_page import RequestsPage
from codette_desktop.gui.theme import ThemeManager, theme
from codette_desktop.gui.widgets import ToastHost
from tests.support import watch_records as made


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
def kept(tmp_path: Path) -> Iterator[made.KeptApplication]:
    """An empty store, a watch and reports."""
    application = made.application(tmp_path)
    yield application
    application.store.close()


@pytest.fixture
def host(qapp: QApplication) -> Iterator[QWidget]:
    """A window for the messages of a page."""
    window = QWidget()
    window.resize(1280, 800)
    window.show()
    yield window
    window.hide()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def toasts(host: QWidget) -> ToastHost:
    """Where a page tells what it did."""
    return ToastHost(host)


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Callable[..., None]]:
    """Shows a widget in a size, and frees it afterwards."""
    shown: list[QWidget] = []

    def put(widget: QWidget, width: int = 1280, height: int = 720) -> None:
        shown.append(widget)
        widget.resize(width, height)
        widget.show()  # Qt may not be run here: coroutines would go on inside of one that runs

    yield put
    for widget in shown:
        widget.hide()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest_asyncio.fixture
async def requests(
    kept: made.KeptApplication, toasts: ToastHost, show: Callable[..., None]
) -> AsyncIterator[Callable[[], RequestsPage]]:
    """Makes and shows the page of requests."""
    pages: list[RequestsPage] = []

    def make() -> RequestsPage:
        page = RequestsPage(kept, toasts)  # type: ignore[arg-type]
        pages.append(page)
        show(page)
        return page

    yield make
    for page in pages:
        await page.aclose()
