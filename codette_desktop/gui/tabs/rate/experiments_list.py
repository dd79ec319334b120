"""The side list of the Rate tab: what was asked of votes before, and the leaderboard of all of them."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.domain.duels import Ending, Experiment
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.theme import set_icon, set_role, theme
from codette_desktop.gui.theme.icons import icon
from codette_desktop.gui.widgets import ChipButton, IconButton

_IdRole = Qt.ItemDataRole.UserRole + 1


class ExperimentsList(QWidget):
    """Signals what the person wants; changes nothing itself."""

    opened = Signal(str)
    new_wanted = Signal()
    leaderboard_wanted = Signal()
    delete_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, "panel")
        self._current = ""
        self._shown: Sequence[Experiment] = ()
        theme().changed.connect(self._retint)
        self.leaderboard_button = ChipButton(tr("Leaderboard"), "activity")
        self.leaderboard_button.setToolTip(tr("All contestants by all blind votes"))
        self.leaderboard_button.clicked.connect(self.leaderboard_wanted)
        self.new_button = IconButton("plus", tr("New experiment"))
        self.new_button.clicked.connect(self.new_wanted)
        self.list = self._make_list()
        self.hint = QLabel(tr("Your experiments will be listed here."))
        self.hint.setWordWrap(True)
        self.hint.setMargin(theme().px(24))
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        set_role(self.hint, "secondary")
        self.stack = QStackedWidget()
        self.stack.addWidget(self.list)
        self.stack.addWidget(self.hint)
        top = QHBoxLayout()
        spaced(top, (12, 12, 8, 6), 4)
        top.addWidget(self.leaderboard_button)
        top.addStretch(1)
        top.addWidget(self.new_button)
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addLayout(top)
        column.addWidget(self.stack, 1)

    def _make_list(self) -> QListWidget:
        view = QListWidget()
        set_role(view, "sidebar")
        view.setAccessibleName(tr("Experiments"))
        view.setUniformItemSizes(True)
        side = theme().px(16)
        view.setIconSize(QSize(side, side))
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)
        view.itemClicked.connect(lambda item: self.opened.emit(item.data(_IdRole)))
        # Not `itemActivated`, which a double click sends too: once is enough.
        keys = {"Return": self._open_current, "Enter": self._open_current, "Del": self._delete_current}
        for key, work in keys.items():
            shortcut = QShortcut(QKeySequence(key), view)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(work)
        return view

    def show_experiments(self, experiments: Sequence[Experiment]) -> None:
        """These, in this order."""
        self._shown = experiments
        self.list.clear()
        for item in experiments:
            row = QListWidgetItem(item.question)
            row.setData(_IdRole, item.id)
            row.setToolTip(_tip(item))
            row.setIcon(icon("check" if item.ending is Ending.SETTLED else "scale", 16, "secondary"))
            self.list.addItem(row)
        self.stack.setCurrentWidget(self.list if experiments else self.hint)
        self.set_current(self._current)

    def _retint(self) -> None:
        """The icons of a list do not follow the theme by themselves."""
        self.show_experiments(self._shown)

    def set_current(self, experiment_id: str) -> None:
        """Mark the experiment on view; "" for none."""
        self._current = experiment_id
        self.list.setCurrentRow(-1)
        for at in range(self.list.count()):
            if self.list.item(at).data(_IdRole) == experiment_id:
                self.list.setCurrentRow(at)

    def _open_current(self) -> None:
        if (item := self.list.currentItem()) is not None:
            self.opened.emit(item.data(_IdRole))

    def _delete_current(self) -> None:
        if (item := self.list.currentItem()) is not None:
            self.delete_wanted.emit(item.data(_IdRole))

    def _show_menu(self, place: QPoint) -> None:
        item = self.list.itemAt(place)
        if item is None:
            return
        menu = QMenu(self.list)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name, text, signal in (("scale", tr("Open"), self.opened), ("trash-2", tr("Delete"), self.delete_wanted)):
            action = menu.addAction(text)
            set_icon(action, name, colour="secondary")
            action.triggered.connect(lambda _=False, signal=signal: signal.emit(item.data(_IdRole)))
        menu.popup(self.list.viewport().mapToGlobal(place))


def _tip(item: Experiment) -> str:
    ended = {
        None: tr("Going on"),
        Ending.SETTLED: tr("Settled"),
        Ending.MOST_VOTES: tr("Ended after the most votes it was to take"),
        Ending.STOPPED: tr("Ended by you before its rule was met"),
    }[item.ending]
    names = "\n".join(contestant.label for contestant in item.contestants)
    return f"{item.question}\n\n{names}\n\n{ended}"
