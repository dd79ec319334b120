"""Votes: which of two answers a person found better, or whether one was good; by whom they were given, and how.

A vote never changes once it is cast. One that was taken back stays, marked, and counts for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from codette_desktop.domain.ensembles import Member, Method


class Preference(StrEnum):
    """What the person said. Two answers have a left and a right one; UP and DOWN are said of one answer alone."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both_bad"
    UP = "up"
    DOWN = "down"


class Source(StrEnum):
    """Where a vote was cast."""

    DUEL = "duel"  # two answers without names: the only one from which a verdict is drawn
    COMPARE = "compare"  # two columns of the Compare tab, names in sight
    THUMB = "thumb"  # one answer of a chat
    IMPORTED = "imported"  # read from a file: whether they were blind is that file's word
    IDENTICAL = "identical"  # a duel of two answers equal word for word: a tie that nobody needs to be asked for


class Exclusion(StrEnum):
    """Why a vote counts for no blind verdict though it is kept."""

    NONE = ""
    NOT_BLIND = "not blind"  # the names were in sight
    NAMED = "named itself"  # an answer said who wrote it
    SEEN = "names seen"  # cast anew after the names had been shown


@dataclass(frozen=True, slots=True)
class Contestant:
    """Whoever answers in a duel: a model with adapters, role and parameters, or several with a method.

    `key` is the SHA-256 of what it is (files, adapters, system prompt, parameters without the seed, method), so that
    the same one keeps its votes whatever it is called. `label` is what is read, `spec` what a person types for it.
    `files` are the SHA-256 of all model files, () on a server. An imported one has a label and nothing else.
    """

    key: str
    label: str
    spec: str = ""
    members: tuple[Member, ...] = ()
    method: Method = Method.NONE
    files: tuple[str, ...] = ()
    quantisation: str = ""


@dataclass(frozen=True, slots=True)
class Style:
    """What an answer looks like, apart from what it says. Code blocks count for `characters` and `tokens` alone."""

    characters: int = 0
    tokens: int = 0
    headers: int = 0
    list_items: int = 0
    bold: int = 0


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """One side of a vote: whose answer, which text, and what it takes to produce it again.

    `message_hash` is that of the answer's `Message`; `node_id` where its text is kept ("" where it is not, or not any
    more). `seed`, `engine_build` and `device` are None and "" where they are not known.
    """

    contestant: Contestant
    message_hash: str = ""
    node_id: str = ""
    seed: int | None = None
    engine_build: str = ""
    device: str = ""
    style: Style = Style()


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote. `right` is None for a thumb, whose answer is `left`.

    `seed` drew the sides and `swapped` is what it drew: whether the pair's second contestant stands on the left.
    `seconds` is the time from showing both answers to the vote. `leaks` are the words by which an answer named itself.
    `correction` is what the person would have liked to read instead ("").
    """

    id: str
    cast_at: datetime
    source: Source
    preference: Preference
    left: GivenAnswer
    right: GivenAnswer | None = None
    exclusion: Exclusion = Exclusion.NONE
    experiment_id: str = ""
    duel_id: str = ""
    prompt_hash: str = ""
    task: str = "general"
    tags: tuple[str, ...] = ()
    correction: str = ""
    leaks: tuple[str, ...] = ()
    seconds: float | None = None
    seed: int | None = None
    swapped: bool = False
    taken_back_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether blind verdicts are drawn from it."""
        return self.exclusion is Exclusion.NONE and self.taken_back_at is None and self.right is not None


@dataclass(frozen=True, slots=True)
class VoteFilter:
    """Which votes are meant. `contestants` are keys: votes between any two of them, () for all; `pair` only between
    these two; `contestant` all in which this one stands, whoever the other is; `since` and `until` bound the moment;
    `blind` leaves out all that do not count (see `Vote.counts`)."""

    experiment_id: str = ""
    task: str = ""
    since: datetime | None = None
    until: datetime | None = None
    contestants: tuple[str, ...] = ()
    pair: tuple[str, str] | None = None
    contestant: str = ""
    sources: tuple[Source, ...] = ()
    blind: bool = False


STYLE_FEATURES = ("length", "headers", "lists", "bold")


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes that count, as columns: one entry a vote in each, oldest first.

    `left` and `right` are places in `contestants`. `outcome` is 1 where left was better, 0 where right was, 0.5 for a
    tie, -1 for both bad. `prompt` is equal for votes on the same prompt and unequal (but for a chance of 2^-60) else.
    `style` has a column for each of STYLE_FEATURES: (left - right) / (left + right) of tokens, headers, list items and
    bold passages, 0 where neither has any; () where it was not asked for. `excluded` counts those that were left out,
    by reason; `taken_back` those taken back.
    """

    contestants: tuple[Contestant, ...]
    left: Sequence[int]
    right: Sequence[int]
    outcome: Sequence[float]
    prompt: Sequence[int]
    style: tuple[Sequence[float], ...] = ()
    excluded: tuple[tuple[Exclusion, int], ...] = ()
    taken_back: int = 0
