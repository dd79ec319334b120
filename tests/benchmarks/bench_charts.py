"""A full redraw of a chart of 8 curves of 3,600 points, painting included, against pyqtgraph's own plot.

Goal: at most 12 ms. Yardstick: a plain `pyqtgraph.PlotWidget` of the same size with the same data, in the same run.
Also: a whole page of nine charts, and one step of the crosshair. `python tests/benchmarks/bench_charts.py`, or pytest.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from codette_desktop.gui.app import make_qt_application

CURVES, POINTS, WIDTH, GOAL_MS = 8, 3_600, 600, 12.0
ROUNDS = 60


@dataclass(frozen=True)
class Times:
    """Milliseconds of each round, and what the processor took for them: the rest other work on the machine added."""

    name: str
    values: list[float]
    cpu: list[float]

    @property
    def median(self) -> float:
        return sorted(self.values)[len(self.values) // 2]

    @property
    def cpu_median(self) -> float:
        return sorted(self.cpu)[len(self.cpu) // 2]

    def line(self, yardstick: "Times | None" = None) -> str:
        ordered = sorted(self.values)
        ratio = f"  {self.cpu_median / yardstick.cpu_median:.2f} of the yardstick" if yardstick else ""
        p99 = ordered[int(0.99 * len(ordered))]
        return f"{self.name:<34} p50 {self.median:6.2f}  p99 {p99:6.2f} ms  cpu p50 {self.cpu_median:6.2f} ms{ratio}"


def measured(name: str, work: Callable[[int], object], rounds: int = ROUNDS) -> Times:
    """How long `work` takes, called with the number of the round; three rounds to warm up."""
    for number in range(3):
        work(number)
    values: list[float] = []
    cpu: list[float] = []
    for number in range(rounds):
        start, worked = time.perf_counter(), time.thread_time()
        work(number)
        values.append(1_000 * (time.perf_counter() - start))
        cpu.append(1_000 * (time.thread_time() - worked))
    return Times(name, values, cpu)


def painted(widget: QWidget, pixmap: QPixmap) -> None:
    """All of it, as the screen would have it."""
    QWidget.render(widget, pixmap)  # pyqtgraph's views have a `render` of their own, of the scene alone


def curves() -> tuple[Any, list[Any]]:
    """The same data for both: times and 8 noisy rows."""
    import numpy as np

    rng = np.random.default_rng(1)
    x = np.arange(POINTS, dtype=np.float64) + 1_764_414_000.0
    return x, [50 + 20 * np.sin(x / 200 + number) + rng.normal(0, 3, POINTS) for number in range(CURVES)]


def plain() -> Times:
    """The yardstick."""
    import pyqtgraph as pg

    x, rows = curves()
    plot = pg.PlotWidget()
    plot.resize(WIDTH, 168)
    lines = [plot.plot(x, row, pen=pg.mkPen(pg.intColor(number), width=1)) for number, row in enumerate(rows)]
    plot.show()
    pixmap = QPixmap(plot.size())

    def redraw(number: int) -> None:
        for line, row in zip(lines, rows, strict=True):
            line.setData(x, row + number % 2)
        painted(plot, pixmap)

    times = measured("pyqtgraph.PlotWidget (yardstick)", redraw)
    plot.close()
    return times


def ours() -> tuple[Times, Times]:
    """(a full redraw of the chart with title and legend, one step of the crosshair)."""
    from codette_desktop.gui.tabs.watch.charts.chart_view import ChartView
    from codette_desktop.gui.tabs.watch.charts.curves import Curve
    from codette_desktop.gui.tabs.watch.now.now_state import ChartState, Period
    from codette_desktop.gui.tabs.watch.units import Kind

    x, rows = curves()
    view = ChartView()
    view.resize(WIDTH, view.sizeHint().height())
    view.show()
    QApplication.processEvents()
    period = Period(float(x[0]), float(x[-1]))

    def state(number: int) -> ChartState:
        made = tuple(Curve(f"Model {at}", at, x, row + number % 2) for at, row in enumerate(rows))
        return ChartState("speed", "Writing speed", Kind.SPEED, made)

    view.show_state(state(0), period, ())
    QApplication.processEvents()
    pixmap = QPixmap(view.size())

    def redraw(number: int) -> None:
        view.show_state(state(number), period, ())
        painted(view, pixmap)

    def step(number: int) -> None:
        view.show_moment(period.start + 20 * (number + 1))
        QApplication.processEvents()

    times = measured("our chart", redraw), measured("crosshair, one step", step)
    view.close()
    return times


def page() -> Times:
    """A new sample on the page "Now" with all nine charts in view (1280 x 2000)."""
    from codette_desktop.gui.tabs.watch.now.now_page import NowPage
    from tests.support.watching import busy_watch, simulated_application

    watch = busy_watch(3_600)
    shown = NowPage(simulated_application(watch))
    shown.presenter._clock = watch.clock
    shown.presenter._want = lambda _wanted: None  # type: ignore[method-assign]  # no loop runs here to read the store
    shown.resize(1280, 2000)
    shown.show()
    QApplication.processEvents()
    shown.presenter.poll()
    shown.presenter.set_range("1h")
    QApplication.processEvents()
    pixmap = QPixmap(shown.size())

    def sample(_number: int) -> None:
        watch.step()
        shown.charts._frame.stop()  # every round is to be drawn
        shown.presenter.poll()
        painted(shown, pixmap)

    times = measured("whole page, 9 charts over an hour", sample, 30)
    shown.close()
    return times


def report(yardstick: Times, chart: Times, step: Times, whole: Times) -> str:
    """What was found."""
    found = (
        (name, "met" if value <= GOAL_MS else "MISSED")
        for name, value in (("processor time", chart.cpu_median), ("by the clock", chart.median))
    )
    goal = ", ".join(f"{name} {met}" for name, met in found)
    return "\n".join(
        [yardstick.line(), chart.line(yardstick), step.line(), whole.line(), f"goal: p50 <= {GOAL_MS:g} ms: {goal}"]
    )


def test_a_chart_is_redrawn_fast_enough(qapp: QApplication) -> None:
    yardstick, (chart, step), whole = plain(), ours(), page()
    print("\n" + report(yardstick, chart, step, whole))
    assert len(chart.values) == ROUNDS


if __name__ == "__main__":
    make_qt_application()
    print(report(plain(), *ours(), page()))
