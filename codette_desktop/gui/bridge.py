"""From the bus to Qt: events published on any thread arrive as signals on the GUI thread, in their order."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from codette_desktop.domain.events import (
    AlertChanged,
    AnswerFinished,
    AnswerStarted,
    ComparisonsChanged,
    ConfigurationChanged,
    ConversationsChanged,
    Event,
    EventBus,
    HealthChanged,
    ModelLoaded,
    ModelLoading,
    ModelUnloaded,
    ProviderFailed,
    RequestEnded,
    StoreFailed,
    StoreRecovered,
    VotesChanged,
)


class Bridge(QObject):
    """Lives on the GUI thread; `close` ends the subscription."""

    model_loading = Signal(object)
    model_loaded = Signal(object)
    model_unloaded = Signal(object)
    answer_started = Signal(object)
    answer_finished = Signal(object)
    provider_failed = Signal(object)
    health_changed = Signal(object)
    store_failed = Signal(object)
    store_recovered = Signal(object)
    conversations_changed = Signal(object)
    configuration_changed = Signal(object)
    comparisons_changed = Signal(object)
    votes_changed = Signal(object)
    request_ended = Signal(object)
    alert_changed = Signal(object)
    _heard = Signal(object)

    def __init__(self, bus: EventBus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._signals = {
            ModelLoading: self.model_loading,
            ModelLoaded: self.model_loaded,
            ModelUnloaded: self.model_unloaded,
            AnswerStarted: self.answer_started,
            AnswerFinished: self.answer_finished,
            ProviderFailed: self.provider_failed,
            HealthChanged: self.health_changed,
            StoreFailed: self.store_failed,
            StoreRecovered: self.store_recovered,
            ConversationsChanged: self.conversations_changed,
            ConfigurationChanged: self.configuration_changed,
            ComparisonsChanged: self.comparisons_changed,
            VotesChanged: self.votes_changed,
            RequestEnded: self.request_ended,
            AlertChanged: self.alert_changed,
        }
        # Queued even on the GUI thread: a handler must not run inside the statement that published.
        self._heard.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._unsubscribe: Callable[[], None] | None = bus.subscribe(Event, self._heard.emit)

    @Slot(object)
    def _deliver(self, event: Event) -> None:
        if self._unsubscribe is None:
            return
        signal = self._signals.get(type(event))
        if signal is not None:
            signal.emit(event)

    def close(self) -> None:
        """Hear nothing any more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
