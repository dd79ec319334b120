"""Connects the keyboard ways of `shortcuts` with what the window does."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut

from codette_desktop.domain.votes import Preference
from codette_desktop.gui import shortcuts
from codette_desktop.gui.shortcuts import Shortcut
from codette_desktop.gui.theme import theme

if TYPE_CHECKING:
    from codette_desktop.gui.main_window import MainWindow
    from codette_desktop.gui.tabs.rate.tab import RateTab

TAB_NAMES = ("ask", "compare", "rate", "tune", "models", "watch")


def make_shortcuts(window: "MainWindow") -> None:
    """Those of the window count everywhere in it, those of a tab while the keyboard is in that tab."""
    ask = window.ask
    window_wide = {
        shortcuts.PICK_MODEL: window.picker.open,
        shortcuts.SETTINGS: window.open_settings,
        shortcuts.SIDE_LIST: window.toggle_side,
        shortcuts.ZOOM_IN: lambda: window.zoom(theme().zoom_in),
        shortcuts.ZOOM_OUT: lambda: window.zoom(theme().zoom_out),
        shortcuts.ZOOM_RESET: lambda: window.zoom(theme().zoom_reset),
        shortcuts.HELP: lambda: window.help.toggle(),
        shortcuts.QUIT: window.close,
        shortcuts.NEW_CHAT: window.new_chat,
        shortcuts.SEARCH: window.search,
    }
    for number, shortcut in enumerate(shortcuts.TABS):
        window_wide[shortcut] = lambda number=number: window.show_tab(TAB_NAMES[number])
    in_ask = {
        shortcuts.FIND: ask.open_find,
        shortcuts.STOP: ask.stop,
        shortcuts.REGENERATE: lambda: ask.presenter.regenerate(),
        shortcuts.EDIT_LAST: ask.edit_last,
        shortcuts.PREVIOUS_BRANCH: lambda: ask.presenter.walk_last(-1),
        shortcuts.NEXT_BRANCH: lambda: ask.presenter.walk_last(1),
        shortcuts.COPY_ANSWER: ask.copy_last,
        shortcuts.CHAT_SETTINGS: ask.toggle_panel,
        shortcuts.RENAME: ask.side.rename_current,
        shortcuts.EXPORT: lambda: ask.commands.export(),
    }
    in_compare = {shortcuts.STOP: window.compare.stop}
    in_rate = {shortcuts.STOP: window.rate.stop, shortcuts.RATE_UNDO: window.rate.presenter.undo}
    tables = (
        (window, window_wide),
        (ask, in_ask),
        (window.compare, in_compare),
        (window.rate, in_rate),
        (window.rate.duel_page, _in_duel(window.rate)),
    )
    for owner, table in tables:
        for shortcut, work in table.items():
            for keys in shortcut.keys:
                made = QShortcut(QKeySequence(keys), owner)
                made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                made.setAutoRepeat(False)
                made.activated.connect(lambda work=work: work())


def _in_duel(rate: "RateTab") -> dict[Shortcut, Callable[[], object]]:
    """Plain keys: they count while nobody types, for a text field takes them first."""
    presenter = rate.presenter
    table: dict[Shortcut, Callable[[], object]] = {
        shortcuts.RATE_NEXT: presenter.skip_names,
        shortcuts.RATE_CORRECT: rate.duel_page.votes.correct,
        shortcuts.RATE_DOWN: lambda: rate.duel_page.scroll_answers(1),
        shortcuts.RATE_UP: lambda: rate.duel_page.scroll_answers(-1),
    }
    for name, shortcut in shortcuts.RATE_VOTES.items():
        table[shortcut] = lambda name=name: presenter.vote(Preference(name))
    for reason, shortcut in shortcuts.RATE_REASONS.items():
        table[shortcut] = lambda reason=reason: presenter.toggle_tag(reason)
    return table
