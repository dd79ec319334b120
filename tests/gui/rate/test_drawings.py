"""The interval chart, the pair matrix and the standings: what they show, keyboard, mouse, sizes."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from codette_desktop.gui.tabs.rate.chart_axis import points_axis, share_axis, thinned
from codette_desktop.gui.tabs.rate.interval_chart import ChartRow, IntervalChart
from codette_desktop.gui.tabs.rate.pair_matrix import CellRole, PairMatrix, cell_colour
from codette_desktop.gui.tabs.rate.result_parts import standing_rows
from codette_desktop.gui.tabs.rate.standings_table import INTERVAL, NAME, RATING, StandingsTable
from codette_desktop.gui.theme import theme
from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.leaderboard import Leaderboard
from tests.support import rated_votes as made

Show = Callable[..., None]
ROWS = [
    ChartRow("First", Interval(0.64, 0.55, 0.72), "64 % (55 to 72)", "exactly 64", 0),
    ChartRow("Second", Interval(0.36, 0.28, 0.45), "36 % (28 to 45)", "exactly 36", 1, faded=True),
    ChartRow(made.ODD_LABELS[0], Interval(0.5, 0.0, 1.0), "50 % (0 to 100)", "", 2),
]


def board(count: int, rounds: int = 8) -> Leaderboard:
    return made.found(made.tally(made.contestants(count, made.ODD_LABELS), made.many_votes(count, rounds)))[1]


def chart(show: Show, width: int = 900) -> IntervalChart:
    widget = IntervalChart("Shares")
    widget.show_rows(ROWS, share_axis(0.1))
    show(widget, width, widget.height())
    return widget


def test_a_chart_is_walked_and_opened_by_keyboard(show: Show, qtbot: QtBot) -> None:
    widget = chart(show)
    opened: list[int] = []
    widget.activated.connect(opened.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down):
        qtbot.keyClick(widget, key)
    assert widget.current == 2
    qtbot.keyClick(widget, Qt.Key.Key_Return)
    qtbot.keyClick(widget, Qt.Key.Key_Home)
    qtbot.keyClick(widget, Qt.Key.Key_Space)
    qtbot.keyClick(widget, Qt.Key.Key_End)
    assert opened == [2, 0]
    assert widget.current == 2


def test_a_chart_is_opened_by_a_double_click(show: Show) -> None:
    widget = chart(show)
    opened: list[int] = []
    widget.activated.connect(opened.append)
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=widget.row_rect(1).center())
    assert widget.current == 1
    assert not opened
    QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, pos=widget.row_rect(1).center())
    assert opened == [1]
    QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(10, widget.height() - 3))  # the axis
    assert opened == [1]


def test_a_chart_is_spoken(show: Show) -> None:
    widget = chart(show)
    assert widget.accessibleName() == "Shares"
    assert "First: 64 % (55 to 72)" in widget.accessibleDescription()


@pytest.mark.parametrize(("width", "zoom", "mode"), [(900, 100, "light"), (900, 150, "dark"), (300, 100, "dark")])
def test_intervals_are_drawn_where_the_axis_says(show: Show, width: int, zoom: int, mode: str) -> None:
    theme().set_zoom(zoom)
    theme().set_mode("dark" if mode == "dark" else "light")
    widget = chart(show, width)
    image = widget.grab().toImage()
    low, high = widget._x(0.55), widget._x(0.72)
    assert low < widget._x(0.64) < high
    box = widget.row_rect(0)
    colour = theme().tokens.series[0]
    at = (low + widget._x(0.64)) / 2
    column = {image.pixelColor(round(at), y).name() for y in range(box.top(), box.bottom())}
    assert colour in column
    outside = {image.pixelColor(round(high + 12), y).name() for y in range(box.top(), box.bottom())}
    assert colour not in outside


def test_a_narrow_chart_puts_words_above_their_line(show: Show) -> None:
    wide, narrow = chart(show), chart(show, 360)
    assert narrow.height() > wide.height()
    narrow.resize(900, narrow.height())
    QApplication.processEvents()
    assert narrow.height() == wide.height()


def test_an_empty_chart_harms_nobody(show: Show, qtbot: QtBot) -> None:
    widget = IntervalChart("Nothing")
    widget.show_rows([], share_axis())
    show(widget, 500, 60)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_End):
        qtbot.keyClick(widget, key)
    widget.grab()


def test_axes_end_on_round_numbers_and_hold_all() -> None:
    axis = points_axis([Interval(1043, 953, 1131), Interval(957, 871, 1044)])
    assert axis.low <= 871
    assert axis.high >= 1131
    assert [tick.text for tick in axis.ticks] == ["800", "900", "1,000", "1,100", "1,200"]
    assert axis.share(axis.low) == 0.0
    assert axis.share(1e9) == 1.0
    assert points_axis([]).low < 1000 < points_axis([]).high
    assert len(thinned(axis.ticks, 3)) <= 3
    assert share_axis(0.1).band == pytest.approx((0.4, 0.6))


@pytest.mark.parametrize("count", [2, 5, 12])
@pytest.mark.parametrize(("width", "zoom"), [(940, 100), (940, 150), (440, 100)])
def test_a_matrix_shows_every_pair_in_any_size(show: Show, count: int, width: int, zoom: int) -> None:
    theme().set_zoom(zoom)
    found = board(count)
    matrix = PairMatrix()
    labels = {item.place: item.contestant.label for item in found.standings}
    matrix.show_pairs(found.pairs, labels, [item.place for item in found.standings])
    show(matrix, width, 800)
    matrix.grab()
    model = matrix.view.matrix
    assert model.rowCount() == model.columnCount() == count
    for row in range(count):
        for column in range(count):
            index = model.index(row, column)
            if row == column:
                assert index.data() == ""
                continue
            chance, other = index.data(CellRole).chance, model.index(column, row).data(CellRole).chance
            assert chance + other == pytest.approx(1)
            assert index.data(Qt.ItemDataRole.ToolTipRole).startswith(model.labels[model.order[row]])
    assert model.index(0, count - 1).data(CellRole).chance > 0.5  # the best beats the last
    last = matrix.view.visualRect(model.index(count - 1, 0))
    assert last.bottom() <= matrix.view.viewport().height()  # no row is cut


def test_a_matrix_is_walked_by_keyboard_over_its_diagonal(show: Show, qtbot: QtBot) -> None:
    found = board(3)
    matrix = PairMatrix()
    order = [item.place for item in found.standings]
    matrix.show_pairs(found.pairs, {item.place: item.contestant.label for item in found.standings}, order)
    show(matrix, 700, 300)
    opened: list[tuple[int, int]] = []
    matrix.activated.connect(lambda row, column: opened.append((row, column)))
    matrix.view.setFocus()
    matrix.view.setCurrentIndex(matrix.view.matrix.index(1, 0))
    qtbot.keyClick(matrix.view, Qt.Key.Key_Right)
    assert matrix.view.currentIndex().column() == 2
    qtbot.keyClick(matrix.view, Qt.Key.Key_Return)
    assert opened == [(order[1], order[2])]
    spoken = matrix.view.currentIndex().data(Qt.ItemDataRole.AccessibleTextRole)
    assert "beats" in spoken
    assert "too early" in spoken


def test_columns_are_numbered_where_names_do_not_fit(show: Show) -> None:
    found = made.found(made.tally(made.contestants(3, ("A", "B", "C")), made.many_votes(3, 4)))[1]
    matrix = PairMatrix()
    matrix.show_pairs(found.pairs, {0: "A", 1: "B", 2: "C"})
    show(matrix, 700, 300)
    across = Qt.Orientation.Horizontal
    assert matrix.view.matrix.headerData(1, across) == "B"
    matrix.show_pairs(found.pairs, {0: "A", 1: "B" * 60, 2: "C"})
    assert matrix.view.matrix.headerData(1, across) == "2"
    assert matrix.view.matrix.headerData(1, across, Qt.ItemDataRole.ToolTipRole) == "B" * 60
    assert matrix.view.matrix.headerData(1, Qt.Orientation.Vertical).startswith("2  B")


def test_colour_is_paler_near_one_half() -> None:
    assert cell_colour(0.5).alphaF() < cell_colour(0.7).alphaF() < cell_colour(1.0).alphaF()
    assert cell_colour(0.9).rgb() != cell_colour(0.1).rgb()


def test_standings_are_sorted_by_a_click_and_opened(show: Show, qtbot: QtBot) -> None:
    found = board(5, 12)
    table = StandingsTable()
    table.show_standings(found.standings)
    show(table, 900, 300)
    names = lambda: [table.model().index(row, NAME).data() for row in range(5)]  # noqa: E731
    assert names()[0].startswith(found.standings[0].contestant.label)
    assert table.model().headerData(0, Qt.Orientation.Horizontal) == "Rank ↑"
    head = table.horizontalHeader()
    before = names()
    place = QPoint(head.sectionViewportPosition(RATING) + 20, head.height() // 2)
    QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert table.model().headerData(RATING, Qt.Orientation.Horizontal) in ("Rating ↑", "Rating ↓")
    QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert before in (names(), names()[::-1])
    opened: list[object] = []
    table.opened.connect(opened.append)
    table.setFocus()
    table.setCurrentIndex(table.model().index(0, NAME))
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened == [next(item for item in found.standings if names()[0].startswith(item.contestant.label))]


def test_standings_leave_columns_out_where_there_is_no_room(show: Show) -> None:
    table = StandingsTable()
    table.show_standings(board(4).standings)
    show(table, 900, 300)
    assert not table.isColumnHidden(INTERVAL)
    table.resize(420, 300)
    QApplication.processEvents()
    assert table.isColumnHidden(INTERVAL)
    assert table.columnWidth(NAME) > 60


def test_who_always_won_is_marked_as_saying_little() -> None:
    found = made.found(made.tally(made.contestants(2), made.pair_votes(5, 0)))[1]
    rows = standing_rows(found.standings)
    assert all(row.faded for row in rows)
    assert "always won" in rows[0].tip
