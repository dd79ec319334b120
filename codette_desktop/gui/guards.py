"""The nets below the window: nothing that goes wrong ends in silence, and the cyclic collector stays on this thread."""

import asyncio
import faulthandler
import gc
import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler

from codette_desktop.application import CRASH_LOG
from codette_desktop.gui.i18n import tr

log = logging.getLogger(__name__)

LOG_NAME = "codette.log"
_COLLECT_EVERY_MS = 1000
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class Guards:
    """Installed once for the life of the window; `remove` puts everything back. `on_defect` shows a sentence."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "logs"
        self.on_defect: Callable[[str], object] | None = None
        self._crash_file: TextIO | None = None
        self._handler: logging.Handler | None = None
        self._collector: Collector | None = None
        self._hooks = (sys.excepthook, threading.excepthook)
        self._write_log(data_dir)

    def _write_log(self, data_dir: Path) -> None:
        """Log file and crash file; a folder that cannot be written must not keep the window from opening."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._handler = logging.handlers.RotatingFileHandler(
                self._folder / LOG_NAME, maxBytes=1_000_000, backupCount=3, encoding="utf-8"
            )
            self._crash_file = (data_dir / CRASH_LOG).open("a", encoding="utf-8")
        except OSError as error:
            log.info("no log can be written: %s", error)
            return
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(self._handler)
        faulthandler.enable(self._crash_file)

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Catch what nobody caught, on every thread, in every task, and in Qt."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        loop.set_exception_handler(self._on_task_exception)
        qInstallMessageHandler(_on_qt_message)
        self._collector = Collector()

    def remove(self) -> None:
        """Put everything back as it was."""
        sys.excepthook, threading.excepthook = self._hooks
        qInstallMessageHandler(None)
        if self._collector is not None:
            self._collector.stop()
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
        if self._crash_file is not None:
            faulthandler.disable()
            self._crash_file.close()

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("unexpected error", exc_info=(kind, error, trace))
        self._tell()

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log.error("unexpected error on a thread", exc_info=args.exc_value)

    def _on_task_exception(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        log.error("unexpected error in a task: %s", context.get("message"), exc_info=context.get("exception"))
        self._tell()

    def _tell(self) -> None:
        if self.on_defect is not None:
            place = self._folder / LOG_NAME
            self.on_defect(
                tr("Something went wrong inside the application. Your chats are safe. Details: {path}", path=place)
            )


class Collector:
    """Runs Python's cyclic collector from a timer: on its own it may run on any thread and destroy Qt objects there."""

    def __init__(self) -> None:
        gc.disable()
        self._timer = QTimer(interval=_COLLECT_EVERY_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def stop(self) -> None:
        """Let Python collect by itself again."""
        self._timer.stop()
        gc.enable()

    def _collect(self) -> None:
        for generation, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)):
            if count <= threshold:
                break
            gc.collect(generation)


def _on_qt_message(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), "%s", message)
