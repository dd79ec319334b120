"""From events to the status line and the banner."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from codette_desktop.domain.alerts import is_critical
from codette_desktop.domain.events import (
    AnswerFinished,
    ModelLoaded,
    ModelLoading,
    ProviderFailed,
    StoreFailed,
)
from codette_desktop.gui.bridge import Bridge
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.status_line import StatusLine
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.widgets import Banner

if TYPE_CHECKING:
    from codette_desktop.application import Application


class StatusPresenter(QObject):
    """Hears the bridge; keeps what the health word must say."""

    def __init__(self, application: "Application", bridge: Bridge, line: StatusLine, banner: Banner) -> None:
        super().__init__(line)
        self._application = application
        self._line, self._banner = line, banner
        self._model = ""
        self._not_saving = False
        self._failure = ""
        bridge.model_loading.connect(self._on_loading)
        bridge.model_loaded.connect(self._on_loaded)
        bridge.model_unloaded.connect(lambda _event: self._after_load())
        bridge.answer_finished.connect(self._on_finished)
        bridge.provider_failed.connect(self._on_failed)
        bridge.store_failed.connect(self._on_store_failed)
        bridge.store_recovered.connect(self._on_store_recovered)
        bridge.alert_changed.connect(lambda _event: self._show_health())

    def show_loaded(self, model: str) -> None:
        """Say on what the model of the conversation on view is loaded; "" where Auto has yet to choose one."""
        if model != self._model:
            self._line.show_figures(None)  # those of another
        self._model = model
        found = next((item for item in self._application.provider.loaded() if item.name == model), None)
        self._line.want_device(bool(model))
        self._line.show_device(found.device if found else "", found.threads if found else 0)

    def _after_load(self) -> None:
        self._line.show_loading("", None)
        self.show_loaded(self._model)

    def _on_loading(self, event: ModelLoading) -> None:
        if event.progress >= 1:
            self._after_load()
        else:
            self._line.show_loading(event.model, event.progress)

    def _on_loaded(self, _event: ModelLoaded) -> None:
        self._after_load()

    def _on_finished(self, event: AnswerFinished) -> None:
        self._failure = ""
        if self._model in ("", event.end.model):  # else it stands beside a name that is not its own
            self._line.show_figures(event.end.figures)
        self._after_load()
        self._show_health()

    def _on_failed(self, event: ProviderFailed) -> None:
        self._failure = error_text(event.error)
        self._after_load()
        self._show_health()

    def _on_store_failed(self, event: StoreFailed) -> None:
        self._not_saving = True
        self._banner.show_message("bad", error_text(event.error), word=tr("Not saved"))
        self._show_health()

    def _on_store_recovered(self, _event: object) -> None:
        self._not_saving = False
        self._banner.show_message(
            "good", tr("Saving works again. Everything is saved."), word=tr("Saved"), closable=True
        )
        self._show_health()

    def _show_health(self) -> None:
        if self._not_saving:
            self._line.show_health("bad", tr("not saving"), tr("What you write now is kept in memory only."))
        elif critical := [alert.text for alert in self._application.watch.alerts() if is_critical(alert)]:
            self._line.show_health("bad", tr("alert"), "\n".join(critical))
        elif self._failure:
            self._line.show_health("warning", tr("last answer failed"), self._failure)
        else:
            self._line.show_health("good", tr("ok"), tr("Everything works."))
