"""What the window tells by itself: what happened before the start, mistakes of the file, models that work again."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from codette_desktop.domain.events import HealthChanged
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.widgets import Banner, ToastHost
from codette_desktop.inference.routing.health import HealthState

if TYPE_CHECKING:
    from codette_desktop.application import Application


class WindowNotices:
    """`open_configuration` shows the settings' page of the configuration file."""

    def __init__(
        self,
        application: "Application",
        toasts: ToastHost,
        banner: Banner,
        open_configuration: Callable[[], object],
    ) -> None:
        self._application = application
        self._toasts = toasts
        self._banner = banner
        self._open_configuration = open_configuration
        self._ill: set[str] = set()

    def tell_start(self) -> None:
        """What an earlier run has left to say, and that another window is open on the same folder."""
        for note in self._application.notes:
            self._toasts.show_toast(note, "info", timeout_ms=10_000)
        self._application.notes.clear()
        self.tell_configuration()
        if not self._application.store.is_primary:
            self._banner.show_message(
                "info",
                tr("Codette Desktop is already open on this data folder. Both windows work; a change made in one shows "
                   "in the other only after a restart."),
                word=tr("Second window"),
                closable=True,
            )  # fmt: skip

    def tell_configuration(self) -> None:
        """A file with mistakes is not in force as it stands, which nobody would notice."""
        problems = self._application.configuration.problems
        if not problems:
            return
        text = tr("The configuration file has a mistake: {first}", first=str(problems[0]))
        if len(problems) > 1:
            text = tr("The configuration file has {n} mistakes. {first}", n=len(problems), first=str(problems[0]))
        self._toasts.show_toast(
            text, "warning", action_text=tr("Show"), on_action=self._open_configuration, timeout_ms=15_000
        )

    def tell_health(self, event: HealthChanged) -> None:
        """That a model fails is told where it was asked; that it works again nobody would see."""
        if event.state == HealthState.UNHEALTHY:
            self._ill.add(event.model)
        elif event.model in self._ill:
            self._ill.discard(event.model)
            self._toasts.show_toast(tr("{model} works again.", model=event.model), "good")
