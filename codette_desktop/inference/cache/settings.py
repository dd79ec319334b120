"""What the person has chosen of the response cache."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, fields
from typing import Any

from codette_desktop.store import Settings
from codette_desktop.store.responses import ResponseLimits

PREFIX = "cache."
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """Each kept in the store under "cache." and its name.

    At most `entries` answers, `max_bytes` in all, each for `ttl_s` seconds (0: until it is the least recently used one
    of too many). `reuse_sampled` also gives answers again that chance had a part in.
    """

    enabled: bool = True
    entries: int = 1_000
    ttl_s: int = DAY_S
    max_bytes: int = 64 * 1024 * 1024
    reuse_sampled: bool = False

    @property
    def limits(self) -> ResponseLimits:
        """What the store is held to."""
        return ResponseLimits(max(0, self.entries), max(0, self.max_bytes), self.ttl_s if self.ttl_s > 0 else None)


def read(settings: Settings) -> CacheSettings:
    """As kept; what is absent or of another type than it should be has its default. Raises StoreError."""
    kept = {item.name: settings.get(PREFIX + item.name, item.default) for item in fields(CacheSettings)}
    return CacheSettings(**_sound(kept))


def write(settings: Settings, before: CacheSettings, after: CacheSettings) -> "list[Future[None]]":
    """Keep what differs."""
    names = [item.name for item in fields(CacheSettings)]
    changed = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    return [settings.set(PREFIX + name, value) for name, value in changed.items()]


def _sound(kept: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {item.name: item.default for item in fields(CacheSettings)}
    return {name: value if type(value) is type(defaults[name]) else defaults[name] for name, value in kept.items()}
