"""The part of the tour that watches: what the jobs before have left in the table, a record, the rules, a report."""

import asyncio
from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QWidget

from codette_desktop.domain.request_log import Purpose, RequestFilter, RequestOrder
from codette_desktop.gui.main_window import MainWindow

SAMPLES = 4  # of the sensors: fewer make no curve

Picture = Callable[[str], Awaitable[None]]
Save = Callable[[QWidget, str], object]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def watch(window: MainWindow, picture: Picture, save: Save, until: Until) -> None:
    """Look at each page, and make a report."""
    tab, application = window.watch, window.application
    window.show_tab("watch")
    samples = application.watch.history.samples
    await until(lambda: samples.version >= SAMPLES)
    tab.show_page("requests")
    await picture("watch-requests-light")
    chats = RequestFilter(purpose=Purpose.CHAT)
    page = application.store.requests.page(chats, RequestOrder.AT, descending=False, limit=2, offset=0)
    dialog = tab.show_record([record.id for record in page[:1]])
    await asyncio.sleep(1.0)  # its curves are read off the loop
    save(dialog, "watch-record-light")
    dialog.close()
    tab.show_page("alerts")
    await picture("watch-alerts-light")
    tab.alerts.show_part("rules")
    await picture("watch-rules-light")
    tab.show_page("reports")
    tab.reports.make()
    await until(lambda: tab.reports.report is not None)
    await picture("watch-report-light")
    tab.show_page("now")
    tab.now.presenter.set_range("1m")  # the tour is not much older
