"""The page "Now" as a person sees and handles it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QColor, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from codette_desktop.domain.telemetry import Mark, MarkKind
from codette_desktop.gui.tabs.compare.column import series_colour
from codette_desktop.gui.tabs.watch.charts.chart_plot import ChartPlot
from codette_desktop.gui.tabs.watch.charts.chart_view import ChartView
from codette_desktop.gui.tabs.watch.now.now_page import FEW_MODELS, NowPage
from codette_desktop.gui.tabs.watch.now.now_state import Mode
from codette_desktop.gui.theme import theme
from tests.gui.conftest import settle
from tests.gui.watch.conftest import loaded, settled
from tests.support.watching import SimulatedRequest, SimulatedWatch, simulated_application


def legend(chart: ChartView) -> dict[str, str]:
    return {entry.label: entry.value for entry in chart.legend.entries}


def colours(widget: QWidget) -> set[str]:
    image = widget.grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


def mouse(plot: ChartPlot, kind: QEvent.Type, at: QPoint) -> None:
    """QTest's own mouse lets Qt run, which it must not within a coroutine."""
    view, left, none = plot.viewport(), Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    moved = kind is QEvent.Type.MouseMove
    event = QMouseEvent(
        kind, QPointF(at), QPointF(view.mapToGlobal(at)), none if moved else left, none if moved else left,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


async def test_before_anything_was_measured_it_says_what_will_be_here(show: Callable[..., None]) -> None:
    watch = SimulatedWatch()
    page = NowPage(simulated_application(watch), clock=watch.clock)
    show(page, 900, 600)
    assert page.stack.currentWidget() is page.empty
    watch.step()
    await loaded(page)
    assert page.stack.currentWidget() is page.scroller
    await page.aclose()


async def test_nine_charts_two_to_a_row_and_one_where_there_is_no_room(page: NowPage) -> None:
    assert len(page.charts.charts) == 9
    assert page.charts.grid.columns == 2
    first, second = page.charts.charts[:2]
    assert first.y() == second.y()
    assert abs(first.width() - second.width()) <= 1
    page.resize(720, 2000)
    await settle()
    assert page.charts.grid.columns == 1
    assert page.charts.charts[1].y() > page.charts.charts[0].y()


@pytest.mark.parametrize(("width", "zoom"), [(1920, 100), (1280, 100), (720, 100), (1280, 150)])
async def test_nothing_is_wider_than_the_page(page: NowPage, width: int, zoom: int) -> None:
    theme().set_zoom(zoom)
    page.resize(width, 2400)
    await settle()
    room, paper = page.scroller.viewport().width(), page.scroller.widget()
    assert paper is not None
    for widget in (*page.cards.items, *page.models.items, *page.charts.charts):
        left = widget.mapTo(paper, QPoint(0, 0)).x()
        assert left >= 0
        assert left + widget.width() <= room
    rows: dict[int, list[QWidget]] = {}
    for card in page.cards.items:
        rows.setdefault(card.y(), []).append(card)
    sizes = sorted(len(row) for row in rows.values())
    assert sizes[-1] - sizes[0] <= 1 or len(rows) == 1  # 4 and 3, not 5 and 2
    assert len({card.height() for card in page.cards.items}) == 1
    assert page.bar.live.geometry().right() <= page.bar.width()


async def test_all_charts_share_one_axis_of_time(page: NowPage) -> None:
    for chart in page.charts.charts:
        (low, high), _y = chart.plot.box.viewRange()
        assert (low, high) == pytest.approx((0, 300))
    page.presenter.set_range("1m")
    await settled(page)
    assert all(chart.plot.box.viewRange()[0] == pytest.approx([0, 60]) for chart in page.charts.charts)


async def test_the_legend_tells_the_newest_values_and_under_the_crosshair_those_of_its_moment(
    page: NowPage, watch: SimulatedWatch
) -> None:
    chart = page.charts.chart("busy")
    assert watch.latest is not None
    assert legend(chart)["Processor"] == f"{100 * (watch.latest.host.cpu or 0):.0f}"
    plot = chart.plot
    at = QPoint(round(plot.plot_rect.center().x()), round(plot.plot_rect.center().y()))
    mouse(plot, QEvent.Type.MouseMove, at)
    moment = page.charts.moment
    assert moment is not None
    assert moment == pytest.approx(watch.now_at - 150, abs=1)
    row = watch.history.samples.series([chart_name("cpu")], moment - 0.5, moment + 0.5)[chart_name("cpu")]
    assert legend(chart)["Processor"] == f"{100 * row.mean[0]:.0f}"
    for other in page.charts.charts:  # it runs through all of them
        assert other.plot._crosshair.isVisible()
        assert other.plot._crosshair.x() == round(other.plot.x_of(moment))
    assert page.bar.words.text().startswith("1")  # the clock
    plot.hovered.emit(None)
    assert not plot._crosshair.isVisible()
    assert legend(chart)["Processor"] == f"{100 * (watch.latest.host.cpu or 0):.0f}"


def chart_name(field: str):
    from codette_desktop.domain.series import HOST, SeriesName

    return SeriesName(HOST, field)


async def test_a_sample_is_drawn_only_where_it_is_in_view(page: NowPage, watch: SimulatedWatch) -> None:
    page.resize(1280, 500)
    await settle()
    last = page.charts.chart("traffic")
    assert last.visibleRegion().isEmpty()
    before = legend(last)
    watch.step()
    await loaded(page)
    assert legend(page.charts.chart("traffic")) == before
    bar = page.scroller.verticalScrollBar()
    bar.setValue(bar.maximum())
    await settle()
    assert legend(last) != before


async def test_hidden_it_asks_for_nothing(page: NowPage) -> None:
    assert page._timer.isActive()
    page.hide()
    assert not page._timer.isActive()


async def test_many_models_leave_room_for_the_charts(page: NowPage, watch: SimulatedWatch) -> None:
    now = watch.now_at
    watch.history.requests[:] = [SimulatedRequest(now - 9, f"Model {number}", 50.0, 9.0) for number in range(23)]
    page.presenter._totals_due = 0.0
    await loaded(page)
    assert len(page.models.items) == FEW_MODELS
    assert page.more_models.text() == "Show all 23"
    page.more_models.click()
    assert len(page.models.items) == 23
    assert page.more_models.text() == "Fewer"
    page.more_models.click()
    assert len(page.models.items) == FEW_MODELS
    shown = page.charts.chart("speed").state.curves
    assert len({curve.place for curve in shown}) == len(shown) == 8
    await settle()


# Keys and hands


async def test_the_keyboard_does_all_that_the_mouse_does(page: NowPage, watch: SimulatedWatch) -> None:
    chart = page.charts.charts[0]
    chart.setFocus()
    now = watch.now_at

    async def press(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(chart, key, modifier)
        await settled(page)

    await press(Qt.Key.Key_Left)
    assert page.presenter.period.end == pytest.approx(now - 30)
    await press(Qt.Key.Key_Plus)
    assert page.presenter.period.span == pytest.approx(200)
    await press(Qt.Key.Key_Minus)
    assert page.presenter.period.span == pytest.approx(300)
    await press(Qt.Key.Key_Home)
    assert page.presenter.period.start == watch.history.samples.start
    await press(Qt.Key.Key_End)
    assert page.presenter.period.mode is Mode.LIVE
    for key in (Qt.Key.Key_H, Qt.Key.Key_Space):
        await press(key)
        assert page.presenter.period.mode is Mode.HELD
        assert page.bar.hold.isChecked()
        await press(key)
        assert page.presenter.period.mode is Mode.LIVE
        assert not page.bar.hold.isChecked()
    await press(Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert page.charts.moment == pytest.approx(now)
    await press(Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert page.charts.moment == pytest.approx(now - 3)
    await press(Qt.Key.Key_Escape)
    assert page.charts.moment is None


async def test_keys_count_also_while_the_page_itself_has_the_keyboard(page: NowPage) -> None:
    page.setFocus()
    QTest.keyClick(page, Qt.Key.Key_H)
    assert page.presenter.period.mode is Mode.HELD
    page.resize(1280, 500)
    await settle()
    QTest.keyClick(page, Qt.Key.Key_PageDown)
    assert page.scroller.verticalScrollBar().value() > 0


async def test_buttons_hold_and_return(page: NowPage) -> None:
    assert not page.bar.live.isEnabled()
    page.bar.hold.click()
    assert page.presenter.period.mode is Mode.HELD
    assert page.bar.words.text().startswith("held: ")
    page.bar.live.click()
    assert page.presenter.period.mode is Mode.LIVE
    page.bar.ranges.button("1h").click()
    assert page.presenter.period.span == 3_600
    page.presenter.zoom(1.3)
    assert not any(page.bar.ranges.button(key).isChecked() for key in ("1h", "5m"))
    page.bar.ranges.button("5m").click()
    assert page.presenter.period.span == 300
    await settled(page)


async def test_dragging_moves_all_charts(page: NowPage, watch: SimulatedWatch) -> None:
    plot = page.charts.charts[0].plot
    start = QPoint(round(plot.plot_rect.left()) + 50, 60)
    mouse(plot, QEvent.Type.MouseButtonPress, start)
    mouse(plot, QEvent.Type.MouseMove, start + QPoint(round(plot.plot_rect.width() / 4), 0))
    mouse(plot, QEvent.Type.MouseButtonRelease, start)
    await settled(page)
    assert page.presenter.period.mode is Mode.PAST
    assert page.presenter.period.end == pytest.approx(watch.now_at - 75, abs=2)
    mouse(plot, QEvent.Type.MouseMove, start + QPoint(120, 0))  # let go: it moves no more
    assert page.presenter.period.end == pytest.approx(watch.now_at - 75, abs=2)


def turned(plot: QWidget, steps: int, modifiers: Qt.KeyboardModifier) -> QWheelEvent:
    at = QPointF(plot.width() / 2, plot.height() / 2)
    return QWheelEvent(
        at, QPointF(plot.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton,
        modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip


async def test_the_wheel_zooms_with_ctrl_or_in_the_chart_that_has_the_keyboard(page: NowPage) -> None:
    chart, none = page.charts.charts[0], Qt.KeyboardModifier.NoModifier
    view = chart.plot.viewport()
    QApplication.sendEvent(view, turned(view, 1, none))
    assert page.presenter.period.span == 300  # the page scrolls instead
    QApplication.sendEvent(view, turned(view, 1, Qt.KeyboardModifier.ControlModifier))
    assert page.presenter.period.span == pytest.approx(200)
    chart.setFocus()
    QApplication.sendEvent(view, turned(view, -1, none))
    assert page.presenter.period.span == pytest.approx(300)
    await settled(page)


# Marks


async def test_what_happened_is_told_by_shape_and_words(page: NowPage, watch: SimulatedWatch) -> None:
    plot = page.charts.charts[0].plot
    assert [mark.kind for _x, mark in plot._shown_marks()] == [
        MarkKind.LOADED,
        MarkKind.UNLOADED,
        MarkKind.FALLBACK,
        MarkKind.ALERT,
        MarkKind.JOB,
    ]
    x, _mark = plot._shown_marks()[3]
    assert [mark.text for mark in plot.marks_near(x)] == ["Memory is nearly full"]
    assert plot.marks_near(x + 40) == []


async def test_of_marks_that_would_hide_one_another_the_gravest_is_shown(page: NowPage, watch: SimulatedWatch) -> None:
    now = watch.now_at
    watch.history.kept_marks = [
        Mark(now - 60, MarkKind.LOADED, "a"),
        Mark(now - 59.5, MarkKind.ALERT, "b"),
        Mark(now - 59, MarkKind.JOB, "c"),
    ]
    page.presenter.pan(-0.01)
    page.presenter.live()
    await settled(page)
    plot = page.charts.charts[0].plot
    shown = plot._shown_marks()
    assert [mark.text for _x, mark in shown] == ["b"]
    assert [mark.text for mark in plot.marks_near(shown[0][0])] == ["a", "b", "c"]  # the tooltip has them all


# Looks


async def test_charts_have_the_colours_of_the_theme_and_change_with_it(page: NowPage) -> None:
    chart = page.charts.chart("power")
    for mode in ("light", "dark"):
        theme().set_mode(mode)
        await settle()
        found = colours(chart)
        assert theme().tokens.surface in found
        assert series_colour(2) in found  # the legend's key, and the curve
        assert theme().tokens.text in found


async def test_a_curve_lies_where_its_values_are(page: NowPage, watch: SimulatedWatch) -> None:
    """The colour of the curve of 100 % utilisation stands on the line of 100 %."""
    watch.memory_share = 1.0
    watch.run(70)
    page.presenter.set_range("1m")
    await loaded(page)
    chart = page.charts.chart("memory")
    plot = chart.plot
    scale, rect = plot.scale_shown, plot.plot_rect
    y = rect.bottom() - (32e9 - scale.low) / (scale.high - scale.low) * rect.height()
    image = plot.grab().toImage()
    wanted = QColor(series_colour(0))
    x = round(rect.center().x())
    near = [image.pixelColor(x, round(y) + step) for step in (-1, 0, 1)]
    assert min(distance(colour, wanted) for colour in near) < 90


def distance(first: QColor, second: QColor) -> int:
    return abs(first.red() - second.red()) + abs(first.green() - second.green()) + abs(first.blue() - second.blue())


async def test_a_chart_without_data_says_why(show: Callable[..., None]) -> None:
    watch = SimulatedWatch(temperatures=False)
    watch.run(30)
    watch.history.requests.clear()
    page = NowPage(simulated_application(watch), clock=watch.clock)
    show(page)
    await loaded(page)
    assert page.charts.missing.text() == "Not measured here: temperature, power"
    assert page.charts.missing.isVisible()
    chart = page.charts.chart("speed")
    assert QAccessible.queryAccessibleInterface(chart).text(QAccessible.Text.Description) == chart.state.empty
    with_words = chart.plot.grab().toImage()
    centre = chart.plot.plot_rect.center()
    strip = {
        with_words.pixelColor(x, round(centre.y()) + y).name()
        for x in range(round(centre.x()) - 60, round(centre.x()) + 60)
        for y in range(-4, 5)
    }
    assert len(strip) > 3  # letters
    margin = {
        with_words.pixelColor(x, y).name()
        for x in range(round(chart.plot.plot_rect.left()) - 1)
        for y in range(round(chart.plot.plot_rect.bottom()) - 8)
    }
    assert margin == {theme().tokens.surface}  # figures of an axis would seem measured
    await page.aclose()


async def test_everything_that_takes_the_keyboard_has_a_name(page: NowPage) -> None:
    nameless = [
        widget
        for widget in page.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and not QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
    ]
    assert nameless == []
    card = page.cards.items[1]
    interface = QAccessible.queryAccessibleInterface(card)
    assert interface.text(QAccessible.Text.Name) == "Speed"
    assert interface.text(QAccessible.Text.Description) == "196 tokens/s. 2 running, 1 waiting"
