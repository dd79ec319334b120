"""What happened, told to whoever listens. Events are facts in the past tense; nobody answers one."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from codette_desktop.domain.alerts import AlertEvent
from codette_desktop.domain.answers import AnswerEnd
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.request_log import RequestRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """The root of all events."""


@dataclass(frozen=True, slots=True)
class ModelLoading(Event):
    """A model is being loaded; `progress` runs from 0 to 1, which also tells that the load failed or was given up."""

    model: str
    progress: float


@dataclass(frozen=True, slots=True)
class ModelLoaded(Event):
    """A model is in memory and answers; `context_length` in tokens."""

    model: str
    label: str
    load_ms: float
    context_length: int
    device: str
    threads: int


@dataclass(frozen=True, slots=True)
class ModelUnloaded(Event):
    """A model left the memory."""

    model: str


@dataclass(frozen=True, slots=True)
class AnswerStarted(Event):
    """A request was accepted; `generation_id` is its row in the store, or "" for one that is not kept."""

    generation_id: str
    model: str


@dataclass(frozen=True, slots=True)
class AnswerFinished(Event):
    """A provider ended an answer by itself; a stopped or failed one sends no such event."""

    generation_id: str
    end: AnswerEnd


@dataclass(frozen=True, slots=True)
class RequestEnded(Event):
    """A request to a model has ended, however, and whoever made it."""

    request: RequestRecord


@dataclass(frozen=True, slots=True)
class AlertChanged(Event):
    """An alert was raised, became critical, or is over; `change.told`: the person is to be told of it."""

    change: AlertEvent


@dataclass(frozen=True, slots=True)
class ProviderFailed(Event):
    """A provider could not answer."""

    generation_id: str
    model: str
    error: CodetteError


@dataclass(frozen=True, slots=True)
class ServerChecked(Event):
    """A server was asked whether it is there; `problem` is "" where it is, else what is wrong, in words."""

    server: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HealthChanged(Event):
    """A model's health is no longer what it was: "healthy", "degraded" or "unhealthy"; `why` in words."""

    model: str
    state: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class ServersChanged(Event):
    """A server was added or removed, or its list of models is no longer what it was."""


@dataclass(frozen=True, slots=True)
class ConfigurationChanged(Event):
    """The configuration file was read anew; `problems` in words, () where it says nothing wrong and is in force."""

    path: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreFailed(Event):
    """Something could not be saved; shown as a banner until `StoreRecovered`."""

    error: CodetteError


@dataclass(frozen=True, slots=True)
class StoreRecovered(Event):
    """Saving works again."""


@dataclass(frozen=True, slots=True)
class ConversationsChanged(Event):
    """The list of conversations (titles, order, deletion) is no longer what it was."""


@dataclass(frozen=True, slots=True)
class ComparisonsChanged(Event):
    """The list of comparisons or of batches is no longer what it was."""


@dataclass(frozen=True, slots=True)
class VotesChanged(Event):
    """A vote was cast or taken back, or an experiment or its duels are no longer what they were."""


E = TypeVar("E", bound=Event)


class EventBus:
    """One typed bus. Handlers run on the publisher's thread, in the order they subscribed; they must be quick.

    A handler that raises is logged and does not keep the others from hearing.
    """

    def __init__(self) -> None:
        self._handlers: list[tuple[type[Event], Callable[[Any], None]]] = []
        self._lock = threading.Lock()

    def subscribe(self, kind: type[E], handler: Callable[[E], None]) -> Callable[[], None]:
        """Call `handler` for every event of `kind` (subclasses too). Returns the function that ends it."""
        entry: tuple[type[Event], Callable[[Any], None]] = (kind, handler)
        with self._lock:
            self._handlers.append(entry)

        def unsubscribe() -> None:
            with self._lock:
                if entry in self._handlers:
                    self._handlers.remove(entry)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell everyone who subscribed to this kind of event."""
        with self._lock:
            handlers = [handler for kind, handler in self._handlers if isinstance(event, kind)]
        for handler in handlers:
            try:
                handler(event)
            except Exception:
                log.exception("a handler of %s failed", type(event).__name__)
