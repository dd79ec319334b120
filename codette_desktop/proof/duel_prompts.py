"""Prompts for duels: the person's own first questions, and those of suites."""

from codette_desktop.domain.duels import PromptSource
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.evaluation.suites import find_suite, load_suite
from codette_desktop.store import Store

MOST_OWN = 500
FEWEST_OWN = 20  # from which on nothing is added to the person's own
ADDED_SUITE = "guide"  # questions in words: sums are answered alike by most, and teach nothing


def duel_prompts(store: Store, source: PromptSource, typed: tuple[str, ...] = (), suite: str = "") -> tuple[str, ...]:
    """The prompts of a source. `suite` is a file or the name of one that comes with the application. Blocking.

    Raises InvalidRequest where there are none, StoreError.
    """
    if source is PromptSource.TYPED:
        found = [prompt.strip() for prompt in typed if prompt.strip()]
        hint = "Write one prompt a line, or open a file."
    elif source is PromptSource.HISTORY:
        found = store.conversations.first_questions(MOST_OWN)
        hint = "Ask something in the Ask tab first, or choose other prompts."
    elif source is PromptSource.SUITE:
        found = [question.prompt for question in load_suite(find_suite(suite)).questions]
        hint = "Choose another suite."
    else:
        found = _mixed(store)
        hint = ""
    if not found:
        raise InvalidRequest("There is no prompt.", hint)
    return tuple(dict.fromkeys(found))


def _mixed(store: Store) -> list[str]:
    """The person's own; where these are few, those of a suite that comes with the application too."""
    found = store.conversations.first_questions(MOST_OWN)
    if len(found) < FEWEST_OWN:
        found += [question.prompt for question in load_suite(find_suite(ADDED_SUITE)).questions]
    return found
