"""What can be done with requests: open, compare, copy, export."""

import csv
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from codette_desktop.domain.request_log import RequestOrder, RequestRecord
from codette_desktop.gui.tabs.watch.requests import requests_export, requests_wording
from codette_desktop.gui.tabs.watch.requests.requests_export import COLUMNS, Export
from codette_desktop.gui.tabs.watch.requests.requests_model import View
from codette_desktop.gui.tabs.watch.requests.requests_page import RequestsPage
from codette_desktop.gui.widgets import file_dialogs
from tests.gui.conftest import until
from tests.support import watch_records as made

pytestmark = pytest.mark.asyncio
Make = Callable[[], RequestsPage]


async def ready(page: RequestsPage) -> None:
    await until(lambda: not len(page.tasks) and not page._look.isActive() and not page._soon.isActive())


def choose(page: RequestsPage, *rows: int) -> None:
    page.table.setCurrentIndex(page.model.index(rows[0], 0))
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in rows[1:]:
        page.table.selectionModel().select(page.model.index(row, 0), flags)


async def test_enter_opens_the_record(kept: made.KeptApplication, requests: Make, qtbot: QtBot) -> None:
    made.fill(kept.store, 20, time.time() - 5)
    page = requests()
    await ready(page)
    page.setFocus()
    assert page.table.hasFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    with qtbot.waitSignal(page.record_wanted, timeout=1000) as told:
        qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert told.args == [("request-18",)]


async def test_two_rows_are_compared_and_one_asks_for_another(
    kept: made.KeptApplication, requests: Make, qtbot: QtBot
) -> None:
    made.fill(kept.store, 20, time.time() - 5)
    page = requests()
    await ready(page)
    assert page.foot.compare_button.text() == "Compare with …"
    with qtbot.waitSignal(page.compare_wanted, timeout=1000) as one:
        page.foot.compare_button.click()
    assert one.args == ["request-19"]
    choose(page, 2, 5)
    assert page.foot.compare_button.text() == "Compare both"
    with qtbot.waitSignal(page.record_wanted, timeout=1000) as two:
        page.foot.compare_button.click()
    assert two.args == [("request-17", "request-14")]
    choose(page, 2, 5, 7)
    assert not page.foot.compare_button.isEnabled()
    assert page.foot.line.text() == "3 requests are chosen"


async def test_an_answer_that_is_kept_is_opened_and_another_says_why_not(
    kept: made.KeptApplication, requests: Make, qtbot: QtBot
) -> None:
    made.fill(kept.store, 3, time.time() - 50)
    generation = made.answer(kept.store, time.time() - 5)
    page = requests()
    await ready(page)
    assert page.foot.answer_button.isEnabled()
    with qtbot.waitSignal(page.answer_wanted, timeout=1000) as told:
        page.foot.answer_button.click()
    assert told.args is not None
    place = told.args[0]
    assert (place.generation_id, place.kind) == (generation, "chat")
    assert place.conversation_id
    assert place.node_id
    choose(page, 1)
    await ready(page)
    assert not page.foot.answer_button.isEnabled()
    assert "not kept" in page.foot.answer_button.toolTip()


async def test_rows_are_copied_for_a_spreadsheet(kept: made.KeptApplication, requests: Make, qtbot: QtBot) -> None:
    made.fill(kept.store, 20, time.time() - 5)
    page = requests()
    await ready(page)
    choose(page, 0, 1)
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert len(lines) == 3
    assert lines[0].split("\t") == list(requests_wording.titles())
    assert all(len(line.split("\t")) == 12 for line in lines)
    assert page._toasts.toasts[-1].text == "2 rows copied"
    page._toasts.dismiss_all()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*requests*")]


async def picked(path: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pick(*_args: Any, **_kwargs: Any) -> Path | None:
        return path

    monkeypatch.setattr(file_dialogs, "pick_save_file", pick)


async def test_the_filtered_table_becomes_a_file(
    kept: made.KeptApplication, requests: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_export, "AT_ONCE", 7)
    made.fill(kept.store, 110, time.time() - 5)
    kept.store.requests.add([made.record(5, time.time() - 1, id="odd", model_label="=cmd|' /C calc'!A0")]).result()
    page = requests()
    await ready(page)
    page.bar.outcome.setCurrentIndex(page.bar.outcome.findData("failed"))
    await ready(page)
    file = tmp_path / "requests.csv"
    await picked(file, monkeypatch)
    page.export_button.click()
    await ready(page)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 11
    assert {row["reason"] for row in rows} == {"failed"}
    assert rows[0]["id"] == "odd"
    assert rows[0]["model_label"].startswith("'=cmd")
    assert rows[0]["tokens_per_second"] == ""
    assert page._toasts.toasts[-1].text == "11 requests written to requests.csv"
    assert not page.strip.isVisible()
    page._toasts.dismiss_all()


async def test_a_stopped_export_leaves_the_old_file(
    kept: made.KeptApplication, requests: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests_export, "AT_ONCE", 10)
    made.fill(kept.store, 100, time.time() - 5)
    page = requests()
    await ready(page)
    file = tmp_path / "requests.csv"
    file.write_text("before", encoding="utf-8")
    await picked(file, monkeypatch)
    reading, go_on = threading.Event(), threading.Event()
    read, parts = kept.store.requests.with_keys, iter(range(100))

    def held(keys: Sequence[int]) -> list[RequestRecord]:
        if next(parts) == 3:
            reading.set()
            assert go_on.wait(20)
        return read(keys)

    monkeypatch.setattr(kept.store.requests, "with_keys", held)
    page.export_button.click()
    await until(reading.is_set)
    await until(lambda: page.strip.words.text() == "Exporting: 30 of 100")
    assert page.strip.isVisible()
    assert not page.export_button.isEnabled()
    page.strip.cancel_button.click()
    go_on.set()
    await ready(page)
    assert file.read_text(encoding="utf-8") == "before"
    assert names_in(tmp_path) == ["requests.csv"]
    assert "stopped" in page._toasts.toasts[-1].text
    assert page.export_button.isEnabled()
    page._toasts.dismiss_all()


async def test_a_folder_that_cannot_be_written_is_told(
    kept: made.KeptApplication, requests: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.fill(kept.store, 10, time.time() - 5)
    page = requests()
    await ready(page)
    await picked(tmp_path / "missing" / "requests.csv", monkeypatch)
    page.export_button.click()
    await ready(page)
    assert page.banner.isVisible()
    assert "cannot be written" in page.banner.text


async def test_all_rows_are_in_the_file_once(kept: made.KeptApplication, tmp_path: Path) -> None:
    made.fill(kept.store, 4_100, time.time() - 5)
    told: list[int] = []
    rows = await Export(kept.store.requests, View(), tmp_path / "all.csv", told.append).run()
    assert rows == 4_100
    assert told == [2_000, 4_000, 4_100]
    with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as opened:
        ids = [row["id"] for row in csv.DictReader(opened)]
    assert len(set(ids)) == len(ids) == 4_100


@pytest.mark.parametrize("order", [RequestOrder.AT, RequestOrder.TOTAL])
@pytest.mark.parametrize("descending", [True, False])
async def test_requests_that_end_while_the_file_is_written_double_no_row(
    kept: made.KeptApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: RequestOrder, descending: bool
) -> None:
    monkeypatch.setattr(requests_export, "AT_ONCE", 10)
    made.fill(kept.store, 100, time.time() - 5)
    view = View(order=order, descending=descending)
    expected = [item.id for item in kept.store.requests.page(view.wanted, order, descending, 100)]

    def ends(rows: int) -> None:
        late = [made.record(1_000 + rows + n, time.time(), total_ms=500.0 + 400 * n) for n in range(5)]
        kept.store.requests.add(late).result()

    assert await Export(kept.store.requests, view, tmp_path / "all.csv", ends).run() == 100
    with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as opened:
        assert [row["id"] for row in csv.DictReader(opened)] == expected
