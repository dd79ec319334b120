"""The real window on a real store; the loop is qasync's, as in the application."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from codette_desktop.application import Application
from codette_desktop.gui.app import build, make_qt_application
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.inference.chat import ChatService
from tests.support.gguf_files import write_model
from tests.support.scripted_provider import ScriptedProvider

WAIT_S = 20.0


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], object]]:
    """Coroutines of these tests run on Qt's loop."""

    def make() -> object:
        app = make_qt_application()
        app.setQuitOnLastWindowClosed(False)
        import qasync

        class Loop(qasync.QEventLoop):  # type: ignore[misc, name-defined]
            """qasync lets Qt run once more after the loop has stopped: see `_only_the_loop_runs_qt`."""

            def run_until_complete(self, future: object) -> object:
                task = asyncio.ensure_future(future, loop=self)  # type: ignore[arg-type]
                task.add_done_callback(lambda _done: self.stop())
                self.run_forever()
                return task.result()

        return Loop(app, already_running=False)

    return {"qasync": make}


@pytest.fixture(scope="session", autouse=True)
def _only_the_loop_runs_qt() -> Iterator[None]:
    """pytest-qt lets Qt run between a test and the end of its fixtures, where no loop counts as running: coroutines of
    the window that go on then would fail as they never do in the application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytestqt.plugin._process_events", lambda: None)
        yield


async def until(done: Callable[[], object], seconds: float = WAIT_S) -> None:
    """Wait without a nested loop: qtbot's own waits would keep other tasks from running."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not done():
        if loop.time() > end:
            raise AssertionError("it did not happen in time")
        await asyncio.sleep(0.01)


async def settle(seconds: float = 0.05) -> None:
    """Some turns of the loop, for layouts and queued signals."""
    await asyncio.sleep(seconds)


@pytest.fixture
def tiny_model(codette_home: Path) -> Path:
    """A real model of random weights in the data folder."""
    folder = codette_home / "models"
    folder.mkdir(parents=True)
    return write_model(folder / "tiny.gguf", name="Tiny Test")


@pytest_asyncio.fixture
async def application(codette_home: Path, tiny_model: Path, qapp: QApplication) -> AsyncIterator[Application]:
    """All services; new chats use the tiny model."""
    opened = Application.open(codette_home)
    name = next(model.name for model in opened.library.list() if model.path == tiny_model)
    await asyncio.wrap_future(opened.store.settings.set("model", name))
    yield opened
    await opened.aclose()


@pytest_asyncio.fixture
async def scripted(application: Application) -> ScriptedProvider:
    """The application answers with a script instead of a model."""
    provider = ScriptedProvider()
    await application.provider.aclose()
    application.provider = provider  # type: ignore[assignment]
    application.chat = ChatService(application.store, provider, application.planner, application.bus)
    return provider


@pytest_asyncio.fixture
async def window(application: Application) -> AsyncIterator[MainWindow]:
    """The window with the real engine."""
    async for made in _shown(application):
        yield made


@pytest_asyncio.fixture
async def scripted_window(application: Application, scripted: ScriptedProvider) -> AsyncIterator[MainWindow]:
    """The window with scripted answers."""
    async for made in _shown(application):
        yield made


async def _shown(application: Application) -> AsyncIterator[MainWindow]:
    made = build(application)
    made.resize(1280, 800)
    made.show()
    made.start()
    await settle()
    yield made
    await close_window(made)


async def close_window(window: MainWindow) -> None:
    """End a window as the application does, and free its widgets."""
    await window.aclose()
    window.toasts.dismiss_all()
    window.hide()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
