"""What the readers of AMD and Intel share: finding cards in Linux's files, and noticing when they go and return."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample, SensorStatus
from codette_desktop.hardware.sensors import sysfs
from codette_desktop.hardware.sensors.drm_clients import Client, DrmClients
from codette_desktop.hardware.sensors.family import Family
from codette_desktop.hardware.sensors.sysfs import Card

_LOOK_EVERY_S = 10.0


class CardReader(ABC):
    """A `GpuReader` for the cards of one vendor. A card that sleeps is left asleep: nothing is known of it then."""

    vendor: str
    vendor_id: int

    def __init__(self, family: Family, *, root: Path = Path("/"), clock: Callable[[], float] = time.monotonic) -> None:
        """`root` is where the files begin: that of the system, or of a recorded tree."""
        self.root = root
        self.clock = clock
        self.clients = DrmClients(family, root, clock)
        self._cards: dict[str, tuple[Card, DeviceInfo]] = {}
        self._looked_at: float | None = None

    @abstractmethod
    def describe(self, card: Card) -> DeviceInfo:
        """What stays the same."""

    @abstractmethod
    def measure(self, card: Card, clients: list[Client]) -> DeviceSample:
        """What it does now. `clients` are those of this card."""

    def info(self) -> tuple[DeviceInfo, ...]:
        """Every card seen so far."""
        now = self.clock()
        if self._looked_at is None or now - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = now
            for card in sysfs.cards(self.root, self.vendor_id):
                known = self._cards.get(card.slot)
                if known is None or known[0] != card or known[1].memory_total_bytes is None:  # it may have slept
                    self._cards[card.slot] = card, self.describe(card)
        return tuple(info for _, info in self._cards.values())

    def sample(self) -> tuple[DeviceSample, ...]:
        """Every card now."""
        self.info()
        awake = [card for card, _ in self._cards.values() if card.present and not card.asleep]
        clients = self.clients.read() if awake else []
        return tuple(self._sample(card, awake, clients) for card, _ in self._cards.values())

    def close(self) -> None:  # noqa: B027 - there is nothing to override either
        """Nothing is held."""

    def _sample(self, card: Card, awake: list[Card], clients: list[Client]) -> DeviceSample:
        if not card.present:
            return DeviceSample(card.slot, SensorStatus.MISSING)
        if card not in awake:
            return DeviceSample(card.slot)
        mine = [client for client in clients if client.slot == card.slot]
        return self.measure(card, mine)

    def with_processes(self, sample: DeviceSample, clients: list[Client], regions: tuple[str, ...]) -> DeviceSample:
        """The sample with the programs that use the card, and our share of its memory."""
        processes = self.clients.processes(clients, regions)
        amounts = [(process.ours, process.memory_bytes) for process in processes if process.memory_bytes is not None]
        ours = sum(amount for is_ours, amount in amounts if is_ours)
        return replace(sample, processes=processes, our_memory_bytes=ours if amounts else None)
