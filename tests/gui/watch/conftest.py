"""The page "Now" on a simulated watch, without the window around it."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget

from codette_desktop.gui.tabs.watch.now.now_page import NowPage
from codette_desktop.gui.theme import ThemeManager, theme
from tests.gui.conftest import settle, until
from tests.support.watching import SimulatedWatch, busy_watch, simulated_application


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
    """Shows a widget in a size, and frees it afterwards. Qt runs when the test waits for it: it must not from within
    a coroutine, whose tasks could not step."""
    shown: list[QWidget] = []

    def put(widget: QWidget, width: int = 1280, height: int = 2000) -> None:
        shown.append(widget)
        widget.resize(width, height)
        widget.show()

    yield put
    for widget in shown:
        widget.hide()
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def watch() -> SimulatedWatch:
    """A quarter of an hour of simulated samples, with two graphics devices."""
    return busy_watch()


@pytest_asyncio.fixture
async def page(watch: SimulatedWatch, show: Callable[..., None]) -> AsyncIterator[NowPage]:
    """The whole page, tall enough for all charts, with everything read."""
    made = NowPage(simulated_application(watch), clock=watch.clock)
    show(made)
    await loaded(made)
    yield made
    await made.aclose()


async def loaded(page: NowPage) -> None:
    """Until the page has polled, and whatever it wanted has been read and drawn."""
    await settle()
    page.presenter.poll()
    await until(lambda: not page.presenter.tasks and page.charts.is_drawn)
    await settle()


async def settled(page: NowPage) -> None:
    """Until what is under way has been read and drawn."""
    await until(lambda: not page.presenter.tasks and page.charts.is_drawn)
    await settle()
