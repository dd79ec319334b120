"""What became of alerts: a list that reads on as one scrolls down."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QColor

from codette_desktop.domain.alerts import AlertEvent, Rule
from codette_desktop.domain.errors import CodetteError
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.row_drawing import Index
from codette_desktop.gui.tabs.watch.alerts import alerts_wording as words
from codette_desktop.gui.tabs.watch.background import off_thread
from codette_desktop.gui.tabs.watch.figure_words import span_text, when_text
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import icon, theme
from codette_desktop.gui.titled_model import TitledModel
from codette_desktop.gui.widgets import plain_tip

PAGE = 200
WHEN, WHAT, ALERT, VALUE, LASTED, TOLD = range(6)
_COLOURS = {"good": "good_word", "warning": "warning_word", "bad": "bad_word"}
_ICONS = {
    "good": ("circle-check", "good"),
    "warning": ("triangle-alert", "warning"),
    "bad": ("circle-x", "bad"),
}


class HistoryReader(Protocol):
    """Where changes of alerts are read. Blocks. Raises StoreError."""

    def history(self, limit: int = ..., before: datetime | None = ..., rule: str = ...) -> Sequence[AlertEvent]:
        """The newest first, those before a moment."""
        ...


class HistoryModel(TitledModel):
    """The newest first; another page is read when the end comes into view. `read` tells that there are other rows."""

    read = Signal()
    failed = Signal(object)

    def __init__(self, alerts: HistoryReader, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(
            (tr("When"), tr("What"), tr("Alert"), tr("Value"), tr("Lasted"), tr("Told")),
            {TOLD: tr("Whether you were told: not while it was snoozed, or soon after the last time")},
            (VALUE, LASTED),
            parent,
        )
        self._alerts = alerts
        self._tasks = tasks
        self._rule = ""
        self._reading = 0
        self._busy = self._ended = False
        self.events: list[AlertEvent] = []
        self.rules: Mapping[str, Rule] = {}

    def show_rule(self, rule: str) -> None:
        """Read anew; those of one rule, "" for all."""
        self._rule = rule
        self._reading += 1
        self._tasks.start(self._read(self._reading, anew=True), "read the history of alerts")

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and bool(self.events) and not self._ended and not self._busy

    def fetchMore(self, parent: Index) -> None:
        if self.canFetchMore(parent):
            self._tasks.start(self._read(self._reading, anew=False), "read older alerts")

    async def _read(self, reading: int, *, anew: bool) -> None:
        self._busy = True
        # Several alerts change at one moment: those of the last one are read again and left out below.
        before = None if anew else self.events[-1].at + timedelta(microseconds=1)
        rule = self._rule
        found: Sequence[AlertEvent] = ()
        error: CodetteError | None = None
        try:
            found = await off_thread(lambda: self._alerts.history(limit=PAGE, before=before, rule=rule))
        except CodetteError as caught:
            error = caught
        if reading != self._reading:
            return
        self._busy = False
        self._take(found, anew=anew)
        if error is not None:
            self._ended = True
            self.failed.emit(error)
        self.read.emit()

    def _take(self, found: Sequence[AlertEvent], *, anew: bool) -> None:
        if anew:
            self.beginResetModel()
            self.events = list(found)
            self.endResetModel()
        else:
            known = {_identity(event) for event in self.events[-PAGE:]}
            found = [event for event in found if _identity(event) not in known]
            if found:
                self.beginInsertRows(QModelIndex(), len(self.events), len(self.events) + len(found) - 1)
                self.events += found
                self.endInsertRows()
        self._ended = not found

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.events)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        event, column = self.events[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._cell(event, column)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(f"{words.title_of(event.alert, self.rules)}\n{event.alert.text}".strip())
            case Qt.ItemDataRole.DecorationRole if column == WHAT:
                return icon(*_icon(event))
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(column)
            case Qt.ItemDataRole.FontRole:
                return theme().font(12, mono=column in (WHEN, VALUE, LASTED))
            case Qt.ItemDataRole.ForegroundRole:
                name = _COLOURS[words.event_kind(event)] if column == WHAT else "secondary"
                return None if column == ALERT else QColor(theme().tokens.colour(name))
            case _:
                return None

    def _cell(self, event: AlertEvent, column: int) -> str:
        match column:
            case 0:
                return when_text(event.at.timestamp(), datetime.now().astimezone().date())
            case 1:
                return words.event_word(event)
            case 2:
                return words.title_of(event.alert, self.rules)
            case 3:
                return words.value_words(event.alert, self.rules)
            case 4:
                ended = event.alert.resolved_at
                return span_text((ended - event.alert.since).total_seconds()) if ended is not None else ""
            case _:
                return tr("yes") if event.told else tr("no")


def _icon(event: AlertEvent) -> tuple[str, int, str]:
    name, colour = _ICONS[words.event_kind(event)]
    return name, 16, colour


def _identity(event: AlertEvent) -> tuple[object, ...]:
    return event.at, event.alert.key, event.alert.state, event.alert.severity, event.told
