"""Votes for whoever asks: cast, taken back, listed, rated, written to files and read from them."""

import asyncio
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.events import EventBus, VotesChanged
from codette_desktop.domain.votes import Vote, VoteFilter
from codette_desktop.rating import exporting, importing
from codette_desktop.rating.columns import told_apart
from codette_desktop.rating.exporting import Exported, Format, Usable
from codette_desktop.rating.leaderboard import Control, Leaderboard, leaderboard
from codette_desktop.rating.learning import learn, unlearn
from codette_desktop.store import Store

T = TypeVar("T")
_ALL = VoteFilter()


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read from a file: `votes` that are new, and `known` ones, which count once."""

    votes: int
    file_hash: str
    known: int = 0


class VoteService:
    """Thin: the store keeps and the statistics conclude. Coroutines end after COMMIT and tell `VotesChanged`."""

    def __init__(self, store: Store, bus: EventBus) -> None:
        self._store = store
        self._bus = bus

    async def cast(self, vote: Vote) -> Vote:
        """See `store.votes.Votes.cast`. The models' profiles learn from it. Raises InvalidRequest, StoreError."""
        replaced = self._store.votes.replaced_by(vote)
        cast = await self._told(self._store.votes.cast(vote))
        for former in replaced:
            unlearn(self._store.profiles, former)
        learn(self._store.profiles, cast)
        return cast

    async def take_back(self, vote_id: str, *, names_seen: bool = True) -> Vote:
        """Have a vote count for nothing; its duel may be voted on again, and is blind no more if `names_seen`.

        Raises StoreError where there is none, or it was taken back before.
        """
        vote = await self._told(self._store.votes.take_back(vote_id, names_seen=names_seen))
        unlearn(self._store.profiles, vote)
        return vote

    def list(self, wanted: VoteFilter = _ALL, limit: int = 200, offset: int = 0) -> "list[Vote]":
        """The newest first."""
        return self._store.votes.list(wanted, limit, offset)

    def count(self, wanted: VoteFilter = _ALL) -> int:
        """How many there are."""
        return self._store.votes.count(wanted)

    def get(self, vote_id: str) -> Vote:
        """One of them. Raises StoreError where there is none."""
        found = self._store.votes.get(vote_id)
        if found is None:
            raise StoreError("There is no such vote.")
        return found

    def leaderboard(
        self, wanted: VoteFilter = _ALL, *, margin: float | None = None, controls: Collection[Control] = ()
    ) -> Leaderboard:
        """Ratings and verdicts from the votes that count. Some 0.3 s for 100,000: not for the thread of a window."""
        tally = self._store.votes.tally(wanted, style=Control.STYLE in controls)
        tally = replace(tally, contestants=told_apart(tally.contestants))
        return leaderboard(tally, margin=margin, controls=controls)

    def export(self, path: Path, kind: Format, wanted: VoteFilter = _ALL, *, everything: bool = False) -> Exported:
        """See `exporting.export`."""
        return exporting.export(self._store, path, kind, wanted, everything=everything)

    def usable(self, wanted: VoteFilter = _ALL) -> Usable:
        """See `exporting.usable`."""
        return exporting.usable(self._store, wanted)

    async def import_file(self, path: Path) -> Imported:
        """Keep the votes of a table, all or none; one that is kept already is not kept twice. Raises InvalidRequest for
        a mistake in it or one read before."""
        digest = await asyncio.to_thread(importing.file_hash, path)
        now = datetime.now(UTC)
        read = 0

        def votes() -> Iterator[Vote]:
            nonlocal read
            read = 0
            for vote in importing.read(path, now):
                read += 1
                yield vote

        count = await self._told(self._store.votes.import_(votes, digest))
        return Imported(count, digest, read - count)

    async def _told(self, write: "Future[T]") -> T:
        result = await asyncio.wrap_future(write)
        self._bus.publish(VotesChanged())
        return result
