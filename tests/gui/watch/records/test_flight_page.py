"""The flight record on view: one, two beside each other, none, and the way to another."""

import json
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QBoxLayout
from pytestqt.qtbot import QtBot

from codette_desktop.domain.answers import FinishReason
from codette_desktop.gui.tabs.watch.charts import small_chart
from codette_desktop.gui.tabs.watch.charts.small_chart import ChartData, Curve, SmallChart
from codette_desktop.gui.tabs.watch.flights.flight_dialog import FlightDialog
from codette_desktop.gui.tabs.watch.flights.flight_page import FlightPage
from tests.gui.conftest import settle, until
from tests.support import watch_records as made

pytestmark = pytest.mark.asyncio
Open = Callable[..., FlightDialog]


@pytest_asyncio.fixture
async def open_record(kept: made.KeptApplication, show: Callable[..., None]) -> AsyncIterator[Open]:
    """Opens the dialog on some ids."""
    dialogs: list[FlightDialog] = []

    def make(*ids: str) -> FlightDialog:
        dialog = FlightDialog(kept, ids)  # type: ignore[arg-type]
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # the fixture frees it
        dialogs.append(dialog)
        show(dialog, 1040, 720)
        return dialog

    yield make
    for dialog in dialogs:
        await dialog.page.aclose()


async def ready(page: FlightPage) -> None:
    await until(lambda: not len(page.tasks))
    await settle()


async def test_one_record(kept: made.KeptApplication, open_record: Open) -> None:
    page = open_record(made.answer(kept.store, time.time() - 5)).page
    await ready(page)
    column = page.columns[0]
    assert column.name.text() == "Guide M · Q8_0"
    assert column.about.text().endswith("answered")
    assert "Writing" in column.waterfall.bar.accessibleName()
    assert column.token_chart.isVisible()
    assert column.token_card.about.text().endswith("1 stall")
    assert len(column.traces.charts) == 4
    assert not page.columns[1].isVisible()
    assert not page.alone_button.isVisible()
    assert "312 of 1,024" in page.facts.toPlainText()
    assert page.answer_button.isEnabled()


async def test_it_is_copied_as_text_and_as_json(kept: made.KeptApplication, open_record: Open) -> None:
    dialog = open_record(made.answer(kept.store, time.time() - 5))
    await ready(dialog.page)
    dialog.page.text_button.click()
    assert "  Context: 312 of 1,024" in QGuiApplication.clipboard().text()
    dialog.page.json_button.click()
    assert json.loads(QGuiApplication.clipboard().text())["flight"]["queue_ms"] == 14.0
    assert dialog.toasts.toasts[-1].text == "Copied as JSON"
    dialog.toasts.dismiss_all()


async def test_times_that_were_not_recorded_are_said_not_to_be(kept: made.KeptApplication, open_record: Open) -> None:
    page = open_record(made.answer(kept.store, time.time() - 5, kept=False)).page
    await ready(page)
    column = page.columns[0]
    assert not column.token_chart.isVisible()
    assert column.untimed.text() == "The timing of its tokens was not recorded."
    assert column.waterfall.isVisible()


async def test_a_failed_request_says_what_happened(kept: made.KeptApplication, open_record: Open) -> None:
    error = "<b>502</b> " + "very long " * 400
    kept.store.requests.add([made.record(5, time.time() - 5, reason=FinishReason.FAILED, error=error)]).result()
    page = open_record("request-5").page
    await ready(page)
    column = page.columns[0]
    assert column.note.isVisible()
    assert column.note.text().startswith("<b>502</b> very long")
    assert column.note.textFormat() is Qt.TextFormat.PlainText
    assert not page.answer_button.isEnabled()
    assert "not kept" in page.answer_button.toolTip()
    assert "<b>502</b>" in page.facts.toPlainText()


async def test_an_error_without_a_space_widens_nothing(kept: made.KeptApplication, open_record: Open) -> None:
    kept.store.requests.add([made.record(5, time.time() - 5, reason=FinishReason.FAILED, error="x" * 1500)]).result()
    page = open_record("request-5").page
    await ready(page)
    column = page.columns[0]
    assert column.mapTo(page, column.rect().topRight()).x() < page.width()


async def test_nothing_is_known(open_record: Open) -> None:
    page = open_record("nobody").page
    await ready(page)
    assert page.stack.currentWidget() is page.empty
    assert not page.text_button.isEnabled()
    assert not page.compare_button.isEnabled()


async def test_two_beside_each_other_share_their_scales(kept: made.KeptApplication, open_record: Open) -> None:
    first, second = made.answer(kept.store, time.time() - 9), made.answer(kept.store, time.time() - 5, tokens=300)
    page = open_record(first, second).page
    await ready(page)
    assert page.columns[1].isVisible()
    assert page.columns[0].geometry().top() == page.columns[1].geometry().top()
    charts = [column.token_chart._data for column in page.columns]
    assert charts[0] is not None
    assert charts[1] is not None
    assert charts[0].top == charts[1].top
    assert charts[0].x_range == charts[1].x_range
    assert page.columns[0].waterfall.bar._longest == page.columns[1].waterfall.bar._longest
    assert "+180 (+150 %)" in page.facts.toPlainText()
    page.window().resize(700, 480)
    await settle()
    assert page.pair.direction() is QBoxLayout.Direction.TopToBottom
    page.alone_button.click()
    await ready(page)
    assert not page.columns[1].isVisible()
    assert [record.id for record in page.records] == [first]


async def test_another_is_chosen_to_stand_beside_it(
    kept: made.KeptApplication, open_record: Open, qtbot: QtBot
) -> None:
    made.fill(kept.store, 30, time.time() - 60)
    first = made.answer(kept.store, time.time() - 5)
    dialog = open_record(first)
    await ready(dialog.page)
    dialog.page.compare_button.click()
    picker = dialog.picker
    assert picker is not None
    await until(lambda: picker.model.rowCount() == 31)
    assert picker.table.currentIndex().row() == 1  # the newest is itself
    picker.table.go_to(0)
    assert not picker.choose_button.isEnabled()
    picker.edit.setText("Guide S")
    await until(lambda: 0 < picker.model.rowCount() < 31)
    wanted = picker.model.record_at(0)
    assert wanted is not None
    assert picker.choose_button.isEnabled()
    qtbot.keyClick(picker.edit, Qt.Key.Key_Return)
    await ready(dialog.page)
    assert [record.id for record in dialog.page.records] == [first, wanted.id]


async def test_the_answer_is_opened_and_the_dialog_closed(
    kept: made.KeptApplication, open_record: Open, qtbot: QtBot
) -> None:
    dialog = open_record(made.answer(kept.store, time.time() - 5))
    await ready(dialog.page)
    with qtbot.waitSignal(dialog.answer_wanted, timeout=1000) as told:
        dialog.page.answer_button.click()
    assert told.args is not None
    assert told.args[0].kind == "chat"
    assert not dialog.isVisible()


async def test_a_chart_is_read_by_pointer_and_keys(
    show: Callable[..., None], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(small_chart.QToolTip, "showText", lambda _where, text, _widget: told.append(text))
    chart = SmallChart("Speed")
    curve = Curve("a", (1, 2, 3), (10.0, float("nan"), 30.0), marked=(2,))
    chart.show_data(ChartData((curve,), lambda x: f"at {x:g}", lambda y: f"{y:g} ms", mark_word="stall"))
    show(chart, 400, 132)
    assert chart.reading(1.2) == "at 1\na: 10 ms"
    assert chart.reading(2.1) == "at 2\na: –"
    assert chart.reading(9) == "at 3\na: 30 ms · stall"
    qtbot.mouseMove(chart, QPoint(200, 60))
    chart.setFocus()
    for _ in range(5):
        qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart._at == 3
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart._at == 2
    assert told[-1] == "at 2\na: –"
    assert not chart.grab().isNull()
