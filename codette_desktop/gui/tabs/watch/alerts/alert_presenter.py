"""Tells the person of alerts: a message that slides in, one of the desktop's where the window is not looked at, and a
strip for critical ones until they have been seen."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QSystemTrayIcon, QWidget

from codette_desktop.domain.alerts import Alert, AlertState, Severity
from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.events import AlertChanged
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.watch.alerts import alerts_wording as words
from codette_desktop.gui.tabs.watch.requests.requests_wording import short
from codette_desktop.gui.widgets import Banner, ToastHost

if TYPE_CHECKING:
    from codette_desktop.application import Application

DESKTOP_SETTING = "alert_desktop_notifications"
TOAST_MS = {Severity.WARNING: 10_000, Severity.CRITICAL: 20_000}
LONGEST = 240  # characters of a desktop's message


class Notifier(Protocol):
    """Shows messages outside of the window. `on_clicked` is called when the person clicks one."""

    on_clicked: Callable[[], object] | None

    def is_available(self) -> bool:
        """Whether this desktop shows them."""
        ...

    def notify(self, title: str, text: str, critical: bool) -> None:
        """Show one."""
        ...

    def close(self) -> None:
        """Take away what is still to be seen."""
        ...


class TrayNotifier:
    """By an icon in the desktop's tray, which is there only while something is told."""

    def __init__(self, parent: QObject, icon: QIcon) -> None:
        self._parent, self._icon = parent, icon
        self._tray: QSystemTrayIcon | None = None
        self.on_clicked: Callable[[], object] | None = None

    def is_available(self) -> bool:
        """See `Notifier`."""
        return QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()

    def notify(self, title: str, text: str, critical: bool) -> None:
        """See `Notifier`."""
        tray = self._tray
        if tray is None:
            tray = self._tray = QSystemTrayIcon(self._icon, self._parent)
            tray.messageClicked.connect(self._clicked)
            tray.activated.connect(lambda _reason: self._clicked())
        kind = QSystemTrayIcon.MessageIcon.Critical if critical else QSystemTrayIcon.MessageIcon.Warning
        tray.setToolTip(f"{title}\n{text}")
        tray.show()  # without an icon on view some desktops show no message
        tray.showMessage(title, text, kind)

    def close(self) -> None:
        """See `Notifier`."""
        if self._tray is not None:
            self._tray.hide()

    def _clicked(self) -> None:
        if self.on_clicked is not None:
            self.on_clicked()


class AlertPresenter(QObject):
    """Hears of alerts (`alert_changed`, from the bridge) and tells of those the person is to be told of.

    `banner` is for the window to put where it is always seen. `wanted` asks for the page of alerts; its `seen` is to be
    connected to `on_seen`.
    """

    wanted = Signal()

    def __init__(
        self, application: "Application", toasts: ToastHost, window: QWidget, notifier: Notifier | None = None
    ) -> None:
        super().__init__(window)
        self._application = application
        self._toasts = toasts
        self._window = window
        self._notifier = notifier or TrayNotifier(self, window.windowIcon())
        self._notifier.on_clicked = self._come
        self._unseen: dict[str, Alert] = {}
        self.banner = Banner()
        self.banner.closed.connect(self.on_seen)

    def alert_changed(self, event: AlertChanged) -> None:
        """An alert was raised, is worse, is told of later, or is over."""
        alert = event.change.alert
        if alert.state is AlertState.RESOLVED:
            self._unseen.pop(alert.key, None)
            self._show_banner()
            return
        if not event.change.told:
            return
        self._show_toast(alert)
        if alert.severity is Severity.CRITICAL:
            self._unseen[alert.key] = alert
            self._show_banner()
        if not self._window.isActiveWindow() and self._wants_desktop and self._notifier.is_available():
            title = f"{words.severity_word(alert.severity)}: {self._title(alert)}"
            text = _without_markup(short(alert.text, LONGEST))
            self._notifier.notify(_without_markup(short(title, 80)), text, alert.severity is Severity.CRITICAL)

    def on_seen(self) -> None:
        """The person has the alerts on view, or has put the strip away."""
        self._unseen.clear()
        self._show_banner()
        self._notifier.close()

    @property
    def _wants_desktop(self) -> bool:
        try:
            return bool(self._application.store.settings.get(DESKTOP_SETTING, True))
        except StoreError:
            return True

    def _title(self, alert: Alert) -> str:
        return short(words.title_of(alert, {rule.name: rule for rule in self._application.watch.rules()}), 120)

    def _show_toast(self, alert: Alert) -> None:
        text = self._title(alert)
        if alert.text:  # which begins with the title, as a rule
            told = short(alert.text, LONGEST)
            text = told if told.startswith(text) else f"{text}\n{told}"
        self._toasts.show_toast(
            f"{words.severity_word(alert.severity)}: {text}",
            "bad" if alert.severity is Severity.CRITICAL else "warning",
            action_text=tr("Show"),
            on_action=self.wanted.emit,
            timeout_ms=TOAST_MS[alert.severity],
            slide=True,
        )

    def _show_banner(self) -> None:
        if not self._unseen:
            self.banner.clear()
            return
        alerts = list(self._unseen.values())
        text = self._title(alerts[-1])
        if len(alerts) > 1:
            text = tr("{alert}, and {n} more", alert=text, n=len(alerts) - 1)
        self.banner.show_message(
            "bad",
            text,
            word=words.severity_word(Severity.CRITICAL),
            action_text=tr("Show"),
            on_action=self.wanted.emit,
            closable=True,
        )

    def _come(self) -> None:
        """A message of the desktop was clicked."""
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        self.wanted.emit()

    def close(self) -> None:
        """The window closes."""
        self._notifier.close()


def _without_markup(text: str) -> str:
    """Some desktops read HTML in messages, and names of models come from outside."""
    return text.translate(str.maketrans("<>", "‹›"))
