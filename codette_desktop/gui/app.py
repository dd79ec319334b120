"""Starts the window: QApplication, event loop, the nets that catch what goes wrong, and an orderly end."""

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLocale, Qt, QTranslator
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from codette_desktop import __version__
from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui import i18n
from codette_desktop.gui.guards import Guards
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.settings.appearance import THEME_SETTING, ZOOM_SETTING
from codette_desktop.gui.theme import ThemeManager
from codette_desktop.paths import resource

if TYPE_CHECKING:
    from codette_desktop.application import Application

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
_MODES = ("system", "light", "dark")


def make_qt_application() -> QApplication:
    """The one QApplication, with names, icon and translation."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("codette-desktop")
    app.setApplicationDisplayName("Codette Desktop")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("codette-desktop")
    app.setQuitOnLastWindowClosed(False)  # the loop must live until everything is saved
    mark = resource("icons", "app", "codette.svg")
    if mark.is_file():
        app.setWindowIcon(QIcon(str(mark)))
    translator = QTranslator(app)
    if translator.load(QLocale(), "codette", "_", str(resource("i18n"))):
        app.installTranslator(translator)
    i18n.install(lambda text: QCoreApplication.translate("", text))
    return app


def build(application: "Application") -> MainWindow:
    """The window on an application's services, themed as the person chose; `start` fills it once the loop runs."""
    app = make_qt_application()
    mode = application.store.settings.get(THEME_SETTING, "system")
    zoom = application.store.settings.get(ZOOM_SETTING, 100)
    ThemeManager(app, mode=mode if mode in _MODES else "system", zoom=zoom if isinstance(zoom, int) else 100)
    return MainWindow(application)


def run(data_dir: Path) -> int:
    """Open the window on `data_dir` and return when it has been closed. 0, or 1 when it could not be opened."""
    from codette_desktop.application import Application

    app = make_qt_application()
    import qasync  # picks the Qt binding that is imported already

    guards = Guards(data_dir)
    try:
        application = Application.open(data_dir)
    except CodetteError as error:
        ThemeManager(app)
        _tell_failure(error)
        return 1
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    guards.install(loop)
    try:
        with loop:
            loop.run_until_complete(_main(application, guards))
    finally:
        guards.remove()
    return 0


async def _main(application: "Application", guards: Guards) -> None:
    window = build(application)
    guards.on_defect = lambda text: window.toasts.show_toast(text, "bad", timeout_ms=15_000)
    closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    window.closed.connect(lambda: closed.done() or closed.set_result(None))
    make_qt_application().commitDataRequest.connect(lambda _manager: window.close())
    window.show()
    window.start()
    application.start()
    await closed
    guards.on_defect = None
    await _close(application, window)


async def _close(application: "Application", window: MainWindow) -> None:
    """Stop and save, but never keep a person waiting for ever."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await window.aclose()
            await application.aclose()
    except TimeoutError:
        log.warning("closing took longer than %s s and was cut short", CLOSE_TIMEOUT_S)
    except CodetteError as error:
        log.warning("closing: %s", error)
    window.deleteLater()


def _tell_failure(error: CodetteError) -> None:
    """The data folder cannot be opened: there is no loop and no window yet, so a plain message box is right here."""
    box = QMessageBox(QMessageBox.Icon.Critical, tr("Codette Desktop cannot start"), error.message)
    box.setInformativeText(error.hint)
    with suppress(RuntimeError):
        box.exec()
    print(f"{error.message} {error.hint}".strip(), file=sys.stderr)  # noqa: T201 - for a start from a terminal
