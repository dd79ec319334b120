"""Nothing is cut in half: in the smallest window, at a large zoom, after a change of theme."""

import itertools
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from codette_desktop.domain.answers import AnswerFigures, ContextUse
from codette_desktop.gui.main_window import TAB_NAMES, MainWindow
from codette_desktop.gui.tabs.watch.now.now_state import RANGES_S
from codette_desktop.gui.theme import theme
from tests.gui.conftest import settle, until


@pytest.fixture(autouse=True)
def _theme_as_before(qapp: QApplication) -> Iterator[None]:
    theme().set_mode("light")
    theme().set_zoom(100)
    yield
    theme().set_mode("light")
    theme().set_zoom(100)


@pytest.mark.parametrize("zoom", [50, 100, 150, 200])
async def test_the_tab_bar_never_scrolls(scripted_window: MainWindow, zoom: int) -> None:
    window = scripted_window
    theme().set_zoom(zoom)
    for mode in ("dark", "light"):
        window._on_theme(mode)
        for name in TAB_NAMES:
            window.show_tab(name)
            await settle(0.02)
            assert not any(button.isVisible() for button in window.tabs.findChildren(QToolButton))
            last = window.tabs.tabRect(window.tabs.count() - 1)
            assert last.right() < window.tabs.width()
            assert last.width() >= window.tabs.tabSizeHint(window.tabs.count() - 1).width()


@pytest.mark.parametrize(("width", "zoom"), [(720, 100), (720, 150), (1280, 200)])
async def test_what_stands_in_a_row_is_whole_or_not_there(scripted_window: MainWindow, width: int, zoom: int) -> None:
    window = scripted_window
    window.status.show_figures(AnswerFigures(10, 20, 1234.0, 123.0, 2000.0))
    use = ContextUse(131_072, 0, 100_000, 20_000)
    window.ask.show_context(use)
    window.resize(width, 600)
    theme().set_zoom(zoom)
    await settle(0.2)
    composer, status = window.ask.composer, window.status
    for row in (
        (
            composer.preset_button,
            composer.system_button,
            composer.sampling_button,
            composer.gauge,
            composer.send_button,
        ),
        (status.model, status.device, status.speed, status.first, status.context, status.memory, status.health),
    ):
        shown: list[QWidget] = [widget for widget in row if widget.isVisible()]
        assert row[-1] in shown
        for widget in shown:
            assert widget.width() >= widget.minimumSizeHint().width(), widget.accessibleName()
        for left, right in itertools.pairwise(shown):
            assert not QRect(left.geometry()).intersects(right.geometry())


async def test_what_gave_way_comes_back_with_the_room(scripted_window: MainWindow) -> None:
    window = scripted_window
    window.ask.show_context(ContextUse(131_072, 0, 100_000, 20_000))
    window.resize(720, 600)
    await settle(0.1)
    assert not window.ask.composer.system_button.isVisible()
    window.resize(1280, 800)
    await settle(0.1)
    assert window.ask.composer.system_button.isVisible()
    assert window.ask.composer.gauge.isVisible()


@pytest.mark.parametrize("zoom", [100, 150])
async def test_watch_can_be_read_in_the_smallest_window(window: MainWindow, zoom: int) -> None:
    window.resize(720, 480)
    theme().set_zoom(zoom)
    window.show_tab("watch")
    bar = window.watch.now.bar
    await until(lambda: bar.isVisible() and bar.width() > 1)
    await settle(0.2)
    ranges = [bar.ranges.button(key) for key in RANGES_S]
    for widget in [*ranges, bar.list, bar.hold, bar.live]:
        assert not widget.isVisible() or widget.width() >= widget.minimumSizeHint().width(), widget.accessibleName()
    assert bar.list.isVisible() == (not bar.ranges.isVisible()) == (zoom == 150)
    bar.list.setCurrentIndex(bar.list.findData("1h"))
    bar.list.activated.emit(bar.list.currentIndex())
    assert window.watch.now.presenter.period.key == "1h"
    window.watch.show_page("requests")
    page = window.watch.requests
    page.stack.setCurrentIndex(0)
    await settle(0.2)
    top = page.bar.mapTo(page, QPoint(0, page.bar.height())).y()
    assert page.table.mapTo(page, QPoint(0, 0)).y() >= top  # no filter lies beneath it
    assert page.table.height() >= 3 * page.table.verticalHeader().defaultSectionSize()


async def test_whatever_a_model_is_called_the_tabs_stay(window: MainWindow) -> None:
    window.resize(1280, 800)
    window.picker.show_current("W" * 300)
    window.status.show_model(window.picker.text())
    await settle(0.1)
    last = window.tabs.tabRect(window.tabs.count() - 1)
    assert last.right() < window.tabs.width()
    assert last.width() > 30
    assert "W" * 300 in window.picker.toolTip()
    assert window.status.health.geometry().right() < window.status.width()
