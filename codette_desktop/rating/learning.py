"""What votes teach of models: marks from 0 to 10 in their profiles, which choose who answers a question."""

from collections.abc import Callable
from concurrent.futures import Future

from codette_desktop.domain.ensembles import Method
from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.domain.votes import GivenAnswer, Preference, Source, Vote
from codette_desktop.inference.routing.learning import ProfileStore
from codette_desktop.inference.routing.profile import after_vote, before_vote

BEST, EVEN, WORST = 10.0, 5.0, 0.0
_MARKS: dict[Preference, tuple[float, float]] = {  # of the left answer, of the right one
    Preference.LEFT: (BEST, WORST),
    Preference.RIGHT: (WORST, BEST),
    Preference.TIE: (EVEN, EVEN),
    Preference.BOTH_BAD: (WORST, WORST),
    Preference.UP: (BEST, WORST),
    Preference.DOWN: (WORST, WORST),
}


def learn(profiles: ProfileStore, vote: Vote) -> "list[Future[None]]":
    """Give each side its mark; nobody needs to wait for the futures.

    Ensembles have no profile, and imported votes are about names, not about models that are known here.
    """
    return _apply(profiles, vote, after_vote)


def unlearn(profiles: ProfileStore, vote: Vote) -> "list[Future[None]]":
    """Take the marks of a vote back."""
    return _apply(profiles, vote, before_vote)


def _apply(
    profiles: ProfileStore, vote: Vote, change: Callable[[ModelProfile, float], ModelProfile]
) -> "list[Future[None]]":
    if vote.source is Source.IMPORTED:
        return []
    sides = zip((vote.left, vote.right), _MARKS[vote.preference], strict=True)
    return [
        profiles.update(key, ("", vote.task), lambda known, mark=mark: change(known, mark))
        for given, mark in sides
        if given is not None and (key := _key(given))
    ]


def _key(given: GivenAnswer) -> str:
    """By what the model's profile is found: its hash, or on a server its name. "" for an ensemble."""
    contestant = given.contestant
    if contestant.method is not Method.NONE:
        return ""
    return contestant.files[0] if contestant.files else contestant.spec.partition("?")[0].partition("#")[0]
