"""The score of every candidate: 40 % capability match, 40 % measured performance, 20 % health, plus preferences.

Before that come the hard rules: who breaks one is rejected, however good the rest.
"""

import random
from collections.abc import Mapping, Sequence

from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.domain.tasks import Task
from codette_desktop.inference.routing import capabilities, performance
from codette_desktop.inference.routing.candidates import Candidate, RoutableModel, ScoreParts
from codette_desktop.inference.routing.health import Health, HealthState
from codette_desktop.inference.routing.preferences import Preferences

# A task's own profile speaks for itself from this many requests on; below, the model's profile over all tasks does.
_ENOUGH_REQUESTS = 5
_NOTHING = ScoreParts(0.0, 0.0, 0.0)

Profiles = Mapping[tuple[str, str], ModelProfile]


def candidates(
    task: Task,
    models: Sequence[RoutableModel],
    profiles: Profiles,
    health: Mapping[str, Health],
    preferences: Preferences,
    chance: random.Random | None = None,
) -> list[Candidate]:
    """All models, best first, then the rejected; equal scores stay in the order of `models`.

    `profiles` by (profile key, task type or ""); `health` by name of the model.
    """
    rejected: list[Candidate] = []
    able: list[RoutableModel] = []
    for model in models:
        if broken := broken_rules(model, task, health.get(model.name, Health()), preferences):
            rejected.append(Candidate(model, _NOTHING, tuple(broken), rejected=True))
        else:
            able.append(model)
    known = [profile_of(model, task, profiles) for model in able]
    field = performance.Field.of(known)
    scored: list[Candidate] = []
    for model, profile in zip(able, known, strict=True):
        state = health.get(model.name, Health())
        parts = ScoreParts(
            capability=capabilities.match(model, task, profile),
            performance=performance.performance(profile, field, task.needs, chance),
            health=state.value,
            preference=preferences.bonus(model.name, task.type),
        )
        wishes = _wishes(model, task, preferences)
        words = (*wishes, *performance.reasons(profile, field), *_reasons(model, task, parts, state))
        scored.append(Candidate(model, parts, words))
    # Rounded: a difference in the last bit is none, and must not change the order.
    return [*sorted(scored, key=lambda candidate: -round(candidate.score, 9)), *rejected]


def broken_rules(model: RoutableModel, task: Task, health: Health, preferences: Preferences) -> list[str]:
    """Why the model must not be asked, in words; [] if it may."""
    found: list[str] = []
    if preferences.local_only and not model.local:
        found.append("it would send the prompt to another computer, and prompts are to stay on this one")
    if health.state is HealthState.UNHEALTHY:
        found.append(f"it does not work at present{f': {health.why}' if health.why else ''}")
    if model.problem:
        found.append(f"it cannot be loaded: {model.problem}")
    if model.context_length:
        length, prompt = f"{model.context_length:,} tokens", f"{task.prompt_tokens:,}"
        # Half the usual answer must fit: a prompt that leaves no room for one is no better than one that is too long.
        if task.prompt_tokens > model.context_length:
            found.append(f"its context of {length} is too short for this prompt of about {prompt}")
        elif task.prompt_tokens + task.answer_tokens // 2 > model.context_length:
            found.append(f"its context of {length} leaves no room for an answer to this prompt of about {prompt}")
    return found


def profile_of(model: RoutableModel, task: Task, profiles: Profiles) -> ModelProfile | None:
    """What is known of the model at this kind of task, or else over all tasks."""
    own = profiles.get((model.key, task.type.value))
    if own is not None and own.requests >= _ENOUGH_REQUESTS:
        return own
    return profiles.get((model.key, "")) or own


def _wishes(model: RoutableModel, task: Task, preferences: Preferences) -> list[str]:
    found: list[str] = []
    if model.name in preferences.favourites.get(task.type, ()):
        found.append(f"you prefer it for {task.type}")
    if preferences.avoids(model.name, task.type):
        found.append("you asked to avoid it")
    return found


def _reasons(model: RoutableModel, task: Task, parts: ScoreParts, health: Health) -> list[str]:
    found: list[str] = []
    size = f" with its {_billions(model.parameters)} parameters" if model.parameters else ""
    if model.starter:
        found.append("it knows this application and nothing else")
    elif parts.capability >= 0.95:
        found.append(f"should be able to do this{size}")
    else:
        found.append(f"is estimated to match {parts.capability:.0%} of what {task.type} of this kind needs{size}")
    if health.state is HealthState.DEGRADED:
        found.append(f"is not in good health ({health.value:.0%}){f': {health.why}' if health.why else ''}")
    return found


def _billions(parameters: int) -> str:
    if parameters >= 950_000_000:
        return f"{parameters / 1e9:.1f} billion".replace(".0 ", " ")
    return f"{parameters / 1e6:,.0f} million"
