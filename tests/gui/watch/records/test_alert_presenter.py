"""How the person is told of alerts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from codette_desktop.domain.alerts import Alert, AlertEvent, AlertState, Severity
from codette_desktop.domain.events import AlertChanged
from codette_desktop.gui.tabs.watch.alerts.alert_presenter import DESKTOP_SETTING, AlertPresenter, TrayNotifier
from codette_desktop.gui.widgets import ToastHost
from tests.support import watch_records as made

HOT = made.alert("gpu-temperature", Severity.CRITICAL, 94, (("device", "gpu:0"),), text="94 °C for 30 s.")
FULL = made.alert("memory", Severity.WARNING, 93)


@dataclass
class Desktop:
    """A desktop that notes what it is to show."""

    there: bool = True
    shown: list[tuple[str, str, bool]] = field(default_factory=list)
    closed: int = 0
    on_clicked: Callable[[], object] | None = None

    def is_available(self) -> bool:
        return self.there

    def notify(self, title: str, text: str, critical: bool) -> None:
        self.shown.append((title, text, critical))

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def desktop() -> Desktop:
    return Desktop()


@pytest.fixture
def presenter(
    kept: made.KeptApplication, toasts: ToastHost, host: QWidget, desktop: Desktop
) -> Iterator[AlertPresenter]:
    presenter = AlertPresenter(kept, toasts, host, desktop)  # type: ignore[arg-type]
    presenter.banner.setParent(host)
    yield presenter
    presenter.close()
    toasts.dismiss_all()


def changed(alert: Alert, *, told: bool = True) -> AlertChanged:
    return AlertChanged(AlertEvent(datetime.now(UTC), alert, told))


def away(host: QWidget, monkeypatch: pytest.MonkeyPatch, *, active: bool) -> None:
    monkeypatch.setattr(host, "isActiveWindow", lambda: active)


def test_a_warning_slides_in_and_leads_to_the_alerts(
    presenter: AlertPresenter, toasts: ToastHost, desktop: Desktop, host: QWidget, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    away(host, monkeypatch, active=True)
    presenter.alert_changed(changed(FULL))
    toast = toasts.toasts[-1]
    assert toast.text == "Warning: Memory nearly full"
    assert not presenter.banner.isVisible()
    assert desktop.shown == []  # the window is looked at
    with qtbot.waitSignal(presenter.wanted, timeout=1000):
        assert toast.action_button is not None
        toast.action_button.click()


def test_what_nobody_is_to_be_told_of_stays_silent(presenter: AlertPresenter, toasts: ToastHost) -> None:
    presenter.alert_changed(changed(HOT, told=False))
    assert toasts.toasts == ()
    assert not presenter.banner.isVisible()


def test_a_critical_one_stays_until_it_is_seen(presenter: AlertPresenter, toasts: ToastHost, desktop: Desktop) -> None:
    presenter.alert_changed(changed(HOT))
    assert presenter.banner.isVisible()
    assert presenter.banner.accessibleName() == "Critical: Graphics device hot · gpu:0"
    toasts.dismiss_all()
    assert presenter.banner.isVisible()
    other = made.alert("gpu-temperature", Severity.CRITICAL, 95, (("device", "gpu:1"),))
    presenter.alert_changed(changed(other))
    assert presenter.banner.text == "Graphics device hot · gpu:1, and 1 more"
    presenter.on_seen()
    assert not presenter.banner.isVisible()
    assert desktop.closed == 1


def test_one_that_is_over_needs_no_seeing(presenter: AlertPresenter) -> None:
    presenter.alert_changed(changed(HOT))
    over = made.alert("gpu-temperature", Severity.CRITICAL, 80, (("device", "gpu:0"),), state=AlertState.RESOLVED)
    presenter.alert_changed(changed(over, told=False))
    assert not presenter.banner.isVisible()


def test_the_desktop_tells_it_where_the_window_is_not_looked_at(
    presenter: AlertPresenter, desktop: Desktop, host: QWidget, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    away(host, monkeypatch, active=False)
    presenter.alert_changed(changed(HOT))
    assert desktop.shown == [("Critical: Graphics device hot · gpu:0", "94 °C for 30 s.", True)]
    host.hide()
    raised: list[bool] = []
    monkeypatch.setattr(host, "raise_", lambda: raised.append(True))  # there is nothing to raise offscreen
    with qtbot.waitSignal(presenter.wanted, timeout=1000):
        assert desktop.on_clicked is not None
        desktop.on_clicked()
    assert host.isVisible()
    assert raised


def test_the_desktop_is_left_alone_if_the_person_wants_that(
    presenter: AlertPresenter, kept: made.KeptApplication, desktop: Desktop, host: QWidget, toasts: ToastHost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    away(host, monkeypatch, active=False)
    kept.store.settings.set(DESKTOP_SETTING, False).result()
    presenter.alert_changed(changed(HOT))
    assert desktop.shown == []
    kept.store.settings.set(DESKTOP_SETTING, True).result()
    desktop.there = False
    presenter.alert_changed(changed(FULL))
    assert desktop.shown == []
    assert len(toasts.toasts) == 2


def test_names_are_no_markup_for_the_desktop(
    presenter: AlertPresenter, desktop: Desktop, host: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    away(host, monkeypatch, active=False)
    labels = (("model", "<img src='http://x/y.png'>" + "long " * 100),)
    presenter.alert_changed(changed(made.alert("speed-drop", Severity.WARNING, 30, labels, text="<b>x</b>" * 200)))
    title, text, _critical = desktop.shown[0]
    assert "<" not in title + text
    assert len(title) <= 80
    assert len(text) <= 240


def test_offscreen_there_is_no_tray(host: QWidget) -> None:
    notifier = TrayNotifier(host, host.windowIcon())
    assert not notifier.is_available()
    notifier.close()
