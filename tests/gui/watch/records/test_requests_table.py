"""The table of requests: read by pages while the window goes on, sorted, filtered, and told of what is new."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.events import RequestEnded
from codette_desktop.domain.request_log import Purpose, RequestFilter, RequestOrder, RequestRecord
from codette_desktop.gui.tabs.watch.requests import requests_wording as words
from codette_desktop.gui.tabs.watch.requests.requests_model import PAGE, PAGES_KEPT, PLACEHOLDER, RequestsModel, View
from codette_desktop.gui.tabs.watch.requests.requests_page import RequestsPage
from codette_desktop.gui.tasks import Tasks
from tests.gui.conftest import settle, until
from tests.support import watch_records as made

pytestmark = pytest.mark.asyncio
Make = Callable[[], RequestsPage]


class Watched:
    """The store's own requests; notes what was read and where, and holds a page back while `gate` is closed."""

    def __init__(self, requests: Any) -> None:
        self._requests = requests
        self.pages: list[int] = []
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.error: StoreError | None = None

    def count(self, wanted: RequestFilter) -> int:
        return self._requests.count(wanted)

    def page(
        self, wanted: RequestFilter, order: RequestOrder, descending: bool, limit: int, offset: int
    ) -> Sequence[RequestRecord]:
        self.threads.add(threading.current_thread().name)
        found = self._requests.page(wanted, order, descending, limit, offset)
        if offset:
            assert self.gate.wait(20)
        if self.error is not None:
            raise self.error
        self.pages.append(offset)
        return found


def cell(model: RequestsModel, row: int, column: int = words.MODEL) -> str:
    return model.index(row, column).data()


async def ready(page: RequestsPage) -> None:
    await until(lambda: not len(page.tasks) and not page._look.isActive() and not page._soon.isActive())


async def test_a_request_is_one_row(kept: made.KeptApplication, requests: Make) -> None:
    at = time.time() - 60
    kept.store.requests.add(
        [
            made.record(
                0, at, purpose=Purpose.CHAT, prompt_tokens=1200, completion_tokens=84, time_to_first_token_ms=18.4,
                tokens_per_second=212.3, total_ms=1400.0, queue_ms=0.4, energy_j=36.0, reused_tokens=0,
            )
        ]
    ).result()  # fmt: skip
    page = requests()
    await ready(page)
    assert page.title.text() == "1 request"
    row = [cell(page.model, 0, column) for column in range(1, 12)]
    assert row == [
        "Guide M · Q8_0", "Chat", "answered", "1,200", "84", "18 ms", "212", "1.4 s", "0.4 ms", "36.0 J", "no",
    ]  # fmt: skip


async def test_only_pages_on_view_are_read_and_never_by_the_window(kept: made.KeptApplication) -> None:
    made.fill(kept.store, 12 * PAGE, time.time())
    reader, tasks = Watched(kept.store.requests), Tasks()
    model = RequestsModel(reader, tasks)
    model.show_view(View())
    await until(lambda: model.rowCount())
    assert reader.pages == [0]
    reader.gate.clear()
    last = model.rowCount() - 1
    assert cell(model, last) == PLACEHOLDER
    assert cell(model, last, words.TOTAL) == ""
    reader.gate.set()
    await tasks.finish()
    assert cell(model, last) == made.record(0, 0).model_label
    assert reader.pages == [0, 11 * PAGE]
    assert threading.main_thread().name not in reader.threads


async def test_who_scrolls_past_pages_does_not_wait_for_them(kept: made.KeptApplication) -> None:
    made.fill(kept.store, 40 * PAGE, time.time())
    reader, tasks = Watched(kept.store.requests), Tasks()
    model = RequestsModel(reader, tasks)
    model.show_view(View())
    await until(lambda: model.rowCount())
    reader.gate.clear()
    for number in range(1, 31):
        model.record_at(number * PAGE)
    reader.gate.set()
    await tasks.finish()
    # The page that was being read, and the last ones looked at, the latest first.
    assert reader.pages == [0, 30 * PAGE, 29 * PAGE, 28 * PAGE]
    for number in range(40):
        model.record_at(number * PAGE)
        await tasks.finish()
    assert len(model._pages) <= PAGES_KEPT


async def test_late_pages_of_another_filter_are_dropped(kept: made.KeptApplication) -> None:
    made.fill(kept.store, 4 * PAGE, time.time())
    reader, tasks = Watched(kept.store.requests), Tasks()
    model = RequestsModel(reader, tasks)
    model.show_view(View())
    await until(lambda: model.rowCount())
    reader.gate.clear()
    model.record_at(PAGE)  # of the newest first; it waits at the gate
    await until(lambda: model._reading is not None)
    model.show_view(View(descending=False))
    await until(lambda: not model.view.descending)
    reader.gate.set()
    await tasks.finish()
    assert 1 not in model._pages
    model.record_at(PAGE)
    await tasks.finish()
    found = model.record_at(PAGE)
    assert found is not None
    assert found.id == f"request-{PAGE}"


async def test_a_page_that_cannot_be_read_is_told_and_can_be_tried_again(
    kept: made.KeptApplication, requests: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.fill(kept.store, 30, time.time() - 5)
    reader = Watched(kept.store.requests)
    reader.error = StoreError("The disk is gone.", "Plug it in.")
    monkeypatch.setattr(kept.store.requests, "page", reader.page)
    monkeypatch.setattr(reader, "_requests", type(kept.store.requests)(kept.store.requests._access))
    page = requests()
    await ready(page)
    assert page.banner.isVisible()
    assert page.banner.text == "The disk is gone. Plug it in."
    reader.error = None
    page.banner.action_button.click()
    await ready(page)
    assert not page.banner.isVisible()
    assert page.model.rowCount() == 30


async def test_heads_sort_and_say_so(kept: made.KeptApplication, requests: Make) -> None:
    made.fill(kept.store, 60, time.time() - 5)
    page = requests()
    await ready(page)
    head = page.table.horizontalHeader()
    head.sectionClicked.emit(words.TOTAL)
    await ready(page)
    totals = [record.total_ms for row in range(60) if (record := page.model.record_at(row))]
    assert totals == sorted(totals, reverse=True)
    assert (head.sortIndicatorSection(), head.sortIndicatorOrder()) == (words.TOTAL, Qt.SortOrder.DescendingOrder)
    head.sectionClicked.emit(words.TOTAL)
    await ready(page)
    again = [record.total_ms for row in range(60) if (record := page.model.record_at(row))]
    assert again == sorted(totals)
    head.sectionClicked.emit(words.QUEUE)  # cannot be sorted by that
    await ready(page)
    assert head.sortIndicatorSection() == words.TOTAL
    sort = page.table.make_menu().findChild(QMenu)
    assert sort is not None
    next(action for action in sort.actions() if action.text() == "Model").trigger()
    await ready(page)
    assert cell(page.model, 0) == "Guide M · Q8_0"
    assert cell(page.model, 59) == "llama-3.1-8b-instruct"


async def test_what_is_wanted(kept: made.KeptApplication, requests: Make) -> None:
    made.fill(kept.store, 110, time.time() - 5, span_s=3 * 86_400)
    page = requests()
    await ready(page)
    bar = page.bar
    assert [bar.model.itemText(at) for at in range(bar.model.count())] == [
        "All models", "Guide M · Q8_0", "Guide S · Q4_K_M", "llama-3.1-8b-instruct",
    ]  # fmt: skip
    bar.outcome.setCurrentIndex(bar.outcome.findData("failed"))
    await ready(page)
    assert page.title.text() == "10 requests"
    assert {cell(page.model, row, words.OUTCOME) for row in range(10)} == {"failed"}
    bar.model.setCurrentIndex(1)
    await ready(page)
    assert {cell(page.model, row) for row in range(page.model.rowCount())} == {"Guide M · Q8_0"}
    bar.text.setText("did NOT answer")
    bar.text.returnPressed.emit()
    await ready(page)
    assert page.model.rowCount() > 0
    bar.text.setText("no such thing")
    bar.text.returnPressed.emit()
    await ready(page)
    assert page.stack.currentWidget() is page.empty
    assert page.empty.accessibleName() == "No request fits"
    page.empty.buttons[0].click()
    await ready(page)
    assert page.model.rowCount() == 110
    assert bar.wanted.is_all
    assert not bar.all_button.isVisible()
    bar.period.setCurrentIndex(bar.period.findData("day"))
    await ready(page)
    assert page.model.rowCount() == 36


async def test_nothing_asked_yet(requests: Make, qtbot: QtBot) -> None:
    page = requests()
    await ready(page)
    assert page.stack.currentWidget() is page.empty
    assert page.empty.accessibleName() == "Nothing has been asked yet"
    assert not page.export_button.isEnabled()
    with qtbot.waitSignal(page.ask_wanted, timeout=1000):
        page.empty.buttons[0].click()


def ended(kept: made.KeptApplication, page: RequestsPage, number: int, **changes: Any) -> RequestRecord:
    record = made.record(number, time.time() - 0.001, **changes)
    kept.store.requests.add([record]).result()
    page.request_ended(RequestEnded(record))
    return record


async def test_new_ones_come_on_top_and_what_is_chosen_stays_chosen(kept: made.KeptApplication, requests: Make) -> None:
    made.fill(kept.store, 300, time.time() - 5)
    page = requests()
    await ready(page)
    page.table.go_to(3)
    chosen = page.model.record_at(3)
    page.table.verticalScrollBar().setValue(0)
    ended(kept, page, 1000)
    record = ended(kept, page, 1001)
    await ready(page)
    assert page.title.text() == "302 requests"
    assert page.model.record_at(0) == record
    assert page.table.currentIndex().row() == 5
    assert page.model.record_at(5) == chosen
    assert page.table.at_top
    assert not page.new_button.isVisible()


async def test_rows_do_not_move_under_the_pointer(kept: made.KeptApplication, requests: Make) -> None:
    made.fill(kept.store, 300, time.time() - 5)
    page = requests()
    await ready(page)
    page.table.verticalScrollBar().setValue(40)
    top = page.model.record_at(40)
    for number in range(1000, 1003):
        ended(kept, page, number)
    ended(kept, page, 1003, model="other")
    await settle(0.5)
    assert page.model.rowCount() == 300
    assert page.model.record_at(40) == top
    assert page.new_button.isVisible()
    assert page.new_button.text() == "4 new"
    page.new_button.click()
    await ready(page)
    assert page.model.rowCount() == 304
    assert page.table.at_top
    assert not page.new_button.isVisible()


async def test_only_new_ones_that_are_wanted_are_told(kept: made.KeptApplication, requests: Make) -> None:
    made.fill(kept.store, 300, time.time() - 5)
    page = requests()
    await ready(page)
    page.bar.outcome.setCurrentIndex(page.bar.outcome.findData("failed"))
    page.table.sort_by(words.TOTAL)
    await ready(page)
    before = page.model.rowCount()
    ended(kept, page, 2000, reason=FinishReason.STOP, cached=False)
    assert not page.new_button.isVisible()
    ended(kept, page, 2001, reason=FinishReason.FAILED)
    assert page.new_button.text() == "1 new"
    assert page.new_button.isVisible()
    await settle(0.5)
    assert page.model.rowCount() == before


@pytest.mark.parametrize("wanted", [
    words.Wanted(), words.Wanted(text="OFFICE"), words.Wanted(text="q8"), words.Wanted(model="guide-s"),
    words.Wanted(purpose="rate"), words.Wanted(purpose=""), words.Wanted(outcome="answered"),
    words.Wanted(outcome="failed"), words.Wanted(outcome="stopped"), words.Wanted(outcome="cached"),
])  # fmt: skip
async def test_a_new_one_fits_as_the_store_finds_it(kept: made.KeptApplication, wanted: words.Wanted) -> None:
    now = time.time()
    made.fill(kept.store, 200, now - 5)
    known = kept.store.requests.page(RequestFilter(), RequestOrder.AT, True, 1000, 0)
    found = kept.store.requests.page(wanted.filter(now), RequestOrder.AT, True, 1000, 0)
    assert [record.id for record in known if wanted.fits(record)] == [record.id for record in found]
    assert found


@pytest.mark.parametrize("label", made.ODD_LABELS)
async def test_odd_names_stay_text(kept: made.KeptApplication, requests: Make, label: str) -> None:
    kept.store.requests.add(
        [made.record(5, time.time() - 9, model_label=label, error=f"{label}\n" * 40, reason=FinishReason.FAILED)]
    ).result()
    page = requests()
    await ready(page)
    assert cell(page.model, 0) == " ".join(label.split())
    tip = page.model.index(0, words.MODEL).data(Qt.ItemDataRole.ToolTipRole)
    assert "<img" not in tip
    assert "<b>" not in tip
    assert "\n" not in page.foot.line.text()
    assert page.foot.line.width() <= page.width()
    page.resize(720, 480)
    await settle()
    assert page.minimumSizeHint().width() <= 720
    assert page.foot.record_button.isVisible()


async def test_what_came_while_one_was_elsewhere(kept: made.KeptApplication, requests: Make) -> None:
    made.fill(kept.store, 300, time.time() - 5)
    page = requests()
    await ready(page)
    page.hide()
    ended(kept, page, 1000)
    await settle(0.5)
    assert page.model.rowCount() == 300  # nobody looks
    page.show()
    await ready(page)
    assert page.model.rowCount() == 301
    page.table.verticalScrollBar().setValue(40)
    page.hide()
    ended(kept, page, 1001)
    page.show()
    await ready(page)
    assert page.model.rowCount() == 301
    assert page.new_button.isVisible()


async def test_rows_end_at_the_moment_of_reading(kept: made.KeptApplication) -> None:
    now = time.time()
    made.fill(kept.store, 50, now)
    kept.store.requests.add([made.record(100 + number, now + number) for number in range(3)]).result()
    tasks = Tasks()
    model = RequestsModel(kept.store.requests, tasks)
    for wanted, count in ((words.Wanted(), 50), (words.Wanted(period="day"), 8), (words.Wanted(text="guide m"), 17)):
        model.show_view(View(wanted.filter(now)))
        await tasks.finish()
        assert model.rowCount() == count
        assert count == kept.store.requests.count(wanted.filter(now))
