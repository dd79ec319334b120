"""The part of the tour that rates: some blind duels voted on with the keyboard, the verdict, the leaderboard."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.rate.state import Phase

# Keys that are pressed whatever is on view: the tour shows how votes are cast, not whose answers are better.
KEYS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_0, Qt.Key.Key_1, Qt.Key.Key_9, Qt.Key.Key_2)

Picture = Callable[[str], Awaitable[None]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def rate(window: MainWindow, picture: Picture, until: Until) -> None:
    """Begin an experiment with what is suggested, vote, and look at what may be concluded: not much, so early."""
    window.show_tab("rate")
    tab = window.rate
    await picture("rate-setup-light")
    tab.setup_page.start_button.click()
    await until(lambda: tab.presenter.state is not None)
    for number, key in enumerate(KEYS):
        await until(lambda: _phase(window) in (Phase.READING, Phase.OVER))
        if _phase(window) is Phase.OVER:
            break
        if number == 0:
            await picture("rate-duel-light")
        QTest.keyClick(tab.duel_page, key)
        await until(lambda: tab.presenter.state is not None and tab.presenter.state.names_shown)
        if number == 0:
            await picture("rate-names-light")
        QTest.keyClick(tab.duel_page, Qt.Key.Key_Space)
    tab.duel_page.verdict_button.click()
    await until(lambda: tab.stack.currentWidget() is tab.verdict_page)
    await picture("rate-verdict-light")
    tab.show_leaderboard()
    await picture("rate-leaderboard-light")


def _phase(window: MainWindow) -> Phase | None:
    state = window.rate.presenter.state
    return state.phase if state is not None else None
