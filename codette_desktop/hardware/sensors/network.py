"""What goes over the network, of this computer as a whole."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

from codette_desktop.hardware.sensors.rates import Rates

log = logging.getLogger(__name__)

_LOOPBACK = ("lo", "lo0")
_NETWORK_CARDS = Path("/sys/class/net")


class NetworkUse(NamedTuple):
    """In bytes per second."""

    rx_bytes_s: float | None = None
    tx_bytes_s: float | None = None


class Network:
    """All network cards together, without what stays inside the computer."""

    def __init__(self, cards: Path = _NETWORK_CARDS) -> None:
        """`cards` is where Linux lists them."""
        self._cards = cards
        self._names: frozenset[str] = frozenset()
        self._counted: frozenset[str] = frozenset()
        self._rx, self._tx = Rates(), Rates()

    def use(self, at: float) -> NetworkUse:
        """Since the last call; `at` in seconds."""
        try:
            counters = psutil.net_io_counters(pernic=True, nowrap=False)
        except Exception as error:  # noqa: BLE001 - containers lack the files it reads, and its errors differ by system
            log.debug("the network does not tell: %s", error)
            counters = None
        if not counters:
            return NetworkUse(self._rx.per_second(None, at), self._tx.per_second(None, at))
        if (names := frozenset(counters)) != self._names:
            self._names, self._counted = names, worth_counting(names, self._cards)
        counted = {name: counters[name] for name in self._counted}
        return NetworkUse(
            self._rx.per_second({name: count.bytes_recv for name, count in counted.items()}, at),
            self._tx.per_second({name: count.bytes_sent for name, count in counted.items()}, at),
        )


def worth_counting(names: Iterable[str], cards: Path) -> frozenset[str]:
    """Real cards alone where Linux can tell them: bridges and tunnels would count the same bytes again."""
    outward = {name for name in names if name not in _LOOPBACK and not name.startswith("Loopback")}
    real = {name for name in outward if (cards / name / "device").exists()}
    return frozenset(real or outward)
