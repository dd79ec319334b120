"""Pictures and data of a chart, saved by keyboard and by menu."""

import csv
import io
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from codette_desktop.gui.tabs.watch.charts.chart_export import file_name, to_csv
from codette_desktop.gui.tabs.watch.now.now_page import NowPage
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets import file_dialogs
from tests.gui.watch.conftest import settled
from tests.support.watching import MODELS, SimulatedWatch


async def test_the_data_of_a_chart_as_a_table(page: NowPage, watch: SimulatedWatch) -> None:
    chart = page.charts.chart("power")
    rows = list(csv.reader(io.StringIO(to_csv(chart.state, page.presenter.period))))
    assert rows[0] == ["time (UTC)", "GPU 0 (W)", "GPU 1 (W)"]
    assert len(rows) == 302
    assert rows[-1][0] == "2025-11-29T11:15:00.000+00:00"
    assert watch.latest is not None
    assert [float(value) for value in rows[-1][1:]] == pytest.approx(
        [device.power_w for device in watch.latest.devices]
    )


async def test_curves_with_moments_of_their_own_leave_cells_empty(page: NowPage) -> None:
    rows = list(csv.reader(io.StringIO(to_csv(page.charts.chart("speed").state, page.presenter.period))))
    assert [name.removesuffix(" (tokens/s)") for name in rows[0][1:]] == sorted(MODELS)
    assert all(sum(bool(cell) for cell in row[1:]) == 1 for row in rows[1:])


async def test_long_steps_bring_their_bounds(page: NowPage) -> None:
    page.presenter.set_range("7d")
    await settled(page)
    rows = list(csv.reader(io.StringIO(to_csv(page.charts.chart("power").state, page.presenter.period))))
    assert rows[0][1:4] == ["GPU 0 (W)", "GPU 0 (W), least", "GPU 0 (W), greatest"]
    mean, low, high = (float(cell) for cell in rows[5][1:4])
    assert low < mean < high


async def test_pictures_and_data_are_saved_by_keyboard(
    page: NowPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def pick(_parent: object, _title: str, _filters: str, suggested: str):
        asked.append(suggested)
        return tmp_path / suggested

    monkeypatch.setattr(file_dialogs, "pick_save_file", pick)
    chart = page.charts.chart("busy")
    chart.setFocus()
    QTest.keyClick(chart, Qt.Key.Key_D)
    QTest.keyClick(chart, Qt.Key.Key_P)
    await page.presenter.tasks.finish()
    assert (
        asked == ["processor-and-graphics-20251129-1115.csv", "processor-and-graphics-20251129-1115.png"]
        or len(asked) == 2
    )
    table, picture = (tmp_path / name for name in asked)
    assert table.read_text(encoding="utf-8").startswith("time (UTC),Processor (%)")
    image = QImage(str(picture))
    assert image.size() == chart.size() * 2
    chart.activateWindow()
    chart.setFocus()
    QTest.keyClick(chart, Qt.Key.Key_C)
    assert chart.window().focusWidget() is chart  # the keyboard stays where it was
    ring = theme().tokens.accent
    assert ring not in {image.pixelColor(x, 2).name() for x in range(image.width())}
    assert QApplication.clipboard().image().size() == chart.size() * 2


async def test_the_menu_offers_the_same(page: NowPage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QPoint] = []
    monkeypatch.setattr(QMenu, "popup", lambda _menu, at: opened.append(at))  # offscreen has no pop-ups
    chart = page.charts.chart("busy")
    heard: list[str] = []
    chart.data_wanted.disconnect()
    chart.data_wanted.connect(lambda: heard.append("data"))
    chart.setFocus()
    QTest.keyClick(chart, Qt.Key.Key_Return)
    words = [action.text().split("\t")[0] for action in chart.menu.actions()]
    assert words == ["Save the picture …", "Copy the picture", "Save the data …"]
    chart.menu.actions()[2].trigger()
    assert heard == ["data"]
    assert opened == [chart.menu_button.mapToGlobal(QPoint(0, chart.menu_button.height()))]
    chart.menu.deleteLater()


async def test_a_file_that_cannot_be_written_is_told(
    page: NowPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pick(*_args: object):
        return tmp_path / "no" / "such" / "folder.csv"

    told: list[str] = []
    monkeypatch.setattr(file_dialogs, "pick_save_file", pick)
    monkeypatch.setattr(page.presenter.tasks, "on_error", lambda error: told.append(error.message))
    QTest.keyClick(page.charts.chart("busy"), Qt.Key.Key_D)
    await page.presenter.tasks.finish()
    assert len(told) == 1
    assert "could not be written" in told[0]


async def test_names_of_files_hold_no_odd_letters(page: NowPage) -> None:
    name = file_name(page.charts.chart("cache").state, page.presenter.period, ".csv")
    assert name.startswith("from-the-cache-and-errors-2025")
