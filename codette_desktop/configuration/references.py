"""What the parts of a file say of each other, and of the models outside it."""

import difflib
from collections.abc import Callable, Iterator, Mapping

from codette_desktop.configuration.checking import Checker
from codette_desktop.configuration.problems import Path, path_text
from codette_desktop.configuration.settings import DEFAULT_CHAIN, Settings
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.models import AUTO


def check_references(
    settings: Settings,
    checker: Checker,
    shipped_roles: Mapping[str, object],
    known: Callable[[str], CodetteError | None] | None,
) -> None:
    """Complain of roles without a prompt, of circles of fallbacks, of what contradicts itself, of unknown models.

    `known` says what is wrong with a model's name outside the file. That is no grave mistake: the model may lie on a
    drive that is not connected.
    """
    _check_roles(settings, checker, shipped_roles)
    _check_engines(settings, checker)
    _check_circles(settings, checker)
    if settings.local_only and settings.remote:
        message = "Nothing may leave this computer, and yet models elsewhere may be asked."
        checker.complain(("routing", "remote"), message, "Set local_only or remote to false.")
    if known is not None:
        _check_names(settings, checker, known)


def _check_roles(settings: Settings, checker: Checker, shipped_roles: Mapping[str, object]) -> None:
    shipped = {name.casefold() for name in shipped_roles}
    for name, role in settings.roles.items():
        path = ("roles", name)
        told = {(*path, "prompt"), (*path, "prompt_file")} & checker.places.keys()
        if not role.prompt.strip() and not told and name.casefold() not in shipped:
            checker.complain(path, f"The role {name} has no prompt.", "Give it prompt or prompt_file.")


def _check_engines(settings: Settings, checker: Checker) -> None:
    """A model is in memory once, so that only one entry can say how it is loaded."""
    first: dict[str, str] = {}
    for name, entry in settings.models.items():
        if not entry.engine and entry.gpu is None:
            continue
        other = first.setdefault(entry.model.casefold(), name)
        if other != name:
            message = f"{other} and {name} both say how {entry.model} is loaded."
            checker.complain(("models", name), message, "Leave engine and gpu to one of the two.")


def _check_circles(settings: Settings, checker: Checker) -> None:
    follows = {name.casefold(): [item.casefold() for item in chain] for name, chain in settings.fallbacks.items()}
    follows.pop(DEFAULT_CHAIN, None)
    written = {name.casefold(): name for name in settings.fallbacks}
    told: set[frozenset[str]] = set()
    for name in follows:
        circle = _circle(name, follows)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            shown = " → ".join(written[item] for item in (*circle, circle[0]))
            message = f"These fallbacks go round in a circle: {shown}."
            checker.complain(("fallbacks", written[name]), message, "Remove one of them.")


def _circle(start: str, follows: Mapping[str, list[str]]) -> list[str]:
    """The shortest way from `start` back to itself; [] where there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        for following in follows.get(name, ()):
            if following == start:
                way = [name]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if following not in came_from and following in follows:
                came_from[following] = name
                waiting.append(following)
    return []


def _check_names(settings: Settings, checker: Checker, known: Callable[[str], CodetteError | None]) -> None:
    own = {name.casefold(): name for name in settings.models}
    answers: dict[str, CodetteError | None] = {}
    told = {problem.path for problem in checker.problems}
    for path, name, may_be_own in _names(settings):
        if (may_be_own and name.casefold() in own) or path_text(path) in told:
            continue
        if name not in answers:
            answers[name] = known(name)
        if (wrong := answers[name]) is not None:
            close = difflib.get_close_matches(name.casefold(), own, n=1, cutoff=0.7) if may_be_own else []
            hint = f"Did you mean {own[close[0]]}?" if close else wrong.hint
            checker.complain(path, wrong.message, hint, grave=False)


def _names(settings: Settings) -> Iterator[tuple[Path, str, bool]]:
    """Every mention of a model: where, its name, and whether it may be one of the file's own names."""
    for name, entry in settings.models.items():
        yield ("models", name, "model"), entry.model, False
    for name, role in settings.roles.items():
        if role.model and role.model.casefold() != AUTO:
            yield ("roles", name, "model"), role.model, True
    for task, entry in settings.tasks.items():
        for key, names in (("models", entry.models), ("avoid", entry.avoid)):
            for place, name in enumerate(names):
                yield ("tasks", task.value, key, str(place)), name, True
    for name, chain in settings.fallbacks.items():
        if name != DEFAULT_CHAIN:
            yield ("fallbacks", name), name, True
        for place, item in enumerate(chain):
            yield ("fallbacks", name, str(place)), item, True
