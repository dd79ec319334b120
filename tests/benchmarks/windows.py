"""Child processes that open a window, say when it is usable and how much memory it takes, and end.

    python -m tests.benchmarks.windows bare
    python -m tests.benchmarks.windows codette DATA_DIR
    python -m tests.benchmarks.windows codette-loaded DATA_DIR

Prints one JSON line: `usable_at` (seconds since the epoch) and `resident_bytes`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def report() -> None:
    import psutil

    usable_at = time.time()
    print(json.dumps({"usable_at": usable_at, "resident_bytes": psutil.Process().memory_info().rss}), flush=True)


def bare() -> None:
    """The yardstick: PySide6 and pyqtgraph, an empty chart in a main window, its first events handled."""
    import pyqtgraph
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow

    app = QApplication(sys.argv[:1])
    window = QMainWindow()
    window.setCentralWidget(pyqtgraph.PlotWidget())
    window.resize(1280, 800)
    window.show()
    QTimer.singleShot(0, lambda: (report(), app.quit()))
    app.exec()


def codette(folder: Path, *, loaded: bool) -> None:
    """The application as `gui.app.run` starts it. Usable: shown, filled, and typing would reach the composer.

    `loaded` waits until the small starter model has answered, then reports.
    """
    import qasync

    from codette_desktop.application import Application
    from codette_desktop.gui.app import build, make_qt_application

    app = make_qt_application()
    application = Application.open(folder)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)

    async def main() -> None:
        window = build(application)
        window.show()
        window.start()
        await _settled()
        if loaded:
            window.use_model("guide-s-q8_0")
            window.ask.presenter.send("How do I compare two models?")
            presenter = window.ask.presenter
            while len(presenter.nodes) < 2 or presenter.is_answering:
                await asyncio.sleep(0.02)
            await application.provider.unload("guide-m-q8_0")
        report()
        await window.aclose()
        await application.aclose()

    with loop:
        loop.run_until_complete(main())


async def _settled() -> None:
    """Two turns of the event loop: what `show` and `start` have queued is done."""
    for _ in range(2):
        await asyncio.sleep(0)


CHILDREN: dict[str, Callable[[], None]] = {
    "bare": bare,
    "codette": lambda: codette(Path(sys.argv[2]), loaded=False),
    "codette-loaded": lambda: codette(Path(sys.argv[2]), loaded=True),
}

if __name__ == "__main__":
    CHILDREN[sys.argv[1]]()
