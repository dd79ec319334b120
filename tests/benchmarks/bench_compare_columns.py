"""Frame gaps while four answers stream into the Compare tab with differences marked, against an idle window.

Four columns at 60 tokens/s each, 1,000 tokens of Markdown, every eighth word another in each column; the words in which
the first two differ are marked while they are written. Goal: p99 of the gaps at most 20 ms.
`python tests/benchmarks/bench_compare_columns.py`, or pytest.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from codette_desktop.application import Application
from codette_desktop.domain.ensembles import Member
from codette_desktop.gui.app import build, make_qt_application
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.compare.state import ColumnState, CompareState
from tests.benchmarks.bench_streaming import Gaps, record, tokens_of

COLUMNS, TOKENS, PER_SECOND = 4, 1_000, 60
P99_GOAL_MS = 20.0


def tokens_for(place: int) -> list[str]:
    """The same text for all but every eighth word."""
    words = "".join(tokens_of(TOKENS)).split(" ")
    text = " ".join(f"{word}{place}" if at % 8 == place and word.isalpha() else word for at, word in enumerate(words))
    return [text[at : at + 4] for at in range(0, TOKENS * 4, 4)]


def compare_window(application: Application) -> MainWindow:
    """The whole window with four answers about to come, and the first two compared."""
    window = build(application)
    window.resize(1600, 900)
    window.show()
    window.show_tab("compare")
    tab = window.compare
    members = [Member(f"m{place}", f"Member {place}", f"m{place}") for place in range(COLUMNS)]
    tab.presenter.state = CompareState(
        "Explain how to measure.", columns=[ColumnState(member, running=True) for member in members], running=True
    )
    tab.show_state(tab.presenter.state)
    tab.tools.differences_button.click()
    return window


def stream(window: MainWindow) -> tuple[Gaps, int]:
    """Feeds all columns at their rate; the gaps meanwhile, and how many ranges were marked at the end."""
    streams = [tokens_for(place) for place in range(COLUMNS)]
    start, sent = time.perf_counter(), 0

    def feed() -> None:
        nonlocal sent
        due = min(TOKENS, int((time.perf_counter() - start) * PER_SECOND))
        for at in range(sent, due):
            for place, tokens in enumerate(streams):
                window.compare.column_grew(place, tokens[at])
        sent = due

    feeder = QTimer()
    feeder.setTimerType(Qt.TimerType.PreciseTimer)
    feeder.timeout.connect(feed)
    feeder.start(1_000 // PER_SECOND)
    gaps = record(TOKENS / PER_SECOND + 0.5)
    feeder.stop()
    return gaps, len(window.compare.marker.found.first)


def measure(folder: Path) -> tuple[Gaps, Gaps, int]:
    """(idle, streaming, ranges marked)."""
    application = Application.open(folder)
    window = compare_window(application)
    record(0.5)
    idle = record(3.0)
    streaming, marked = stream(window)
    window.compare.marker.clear()
    window.compare.columns.discard()
    window.hide()
    asyncio.run(application.aclose())
    return idle, streaming, marked


def report(idle: Gaps, streaming: Gaps, marked: int) -> str:
    p99 = streaming.percentile(0.99)
    verdict = "met" if p99 <= P99_GOAL_MS else "MISSED"
    return "\n".join(
        [
            idle.line("idle"),
            streaming.line("streaming"),
            f"{marked} ranges marked; p99 ratio to idle {p99 / idle.percentile(0.99):.2f}; "
            f"goal: p99 <= {P99_GOAL_MS:g} ms {verdict}",
        ]
    )


def test_four_columns_keep_the_frames(qapp: QApplication, tmp_path: Path) -> None:
    idle, streaming, marked = measure(tmp_path)
    print("\n" + report(idle, streaming, marked))
    assert marked > 10


if __name__ == "__main__":
    make_qt_application()
    with tempfile.TemporaryDirectory() as home:
        print(report(*measure(Path(home))))
