"""Who may answer in whose place: what the configuration file says, else what was chosen in the window."""

from collections.abc import Callable, Mapping

from codette_desktop.configuration.lookups import Lookups
from codette_desktop.domain.models import AnyModel
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.dispatch import DEFAULT_CHAIN, Policy
from codette_desktop.inference.routing.preferences import Preferences


def policy_of(file: Lookups, models: Mapping[str, AnyModel], *, fallback: bool, remote: bool) -> Policy:
    """`models` are all, by the names they are asked by. `fallback` and `remote` count where the file does not say."""
    settings, asked = file.settings, _spelling(models)
    stand_in = {name: may for name, model in models.items() if (may := file.may_stand_in(model)) is not None}
    chains = {name if name == DEFAULT_CHAIN else asked(name): chain for name, chain in file.chains().items()}
    avoided = {task: frozenset(map(asked, file.avoided(task))) for task in TaskType}
    return Policy(
        fallback=fallback if settings.fallback is None else settings.fallback,
        remote=_may_leave(file, remote),
        chains={name: tuple(map(asked, chain)) for name, chain in chains.items()},
        may_stand_in=stand_in,
        priority={name: found for name, model in models.items() if (found := file.priority(model))},
        preferences=Preferences(
            favourites={task: tuple(map(asked, names)) for task, names in file.favourites().items()},
            avoided_for={task: names for task, names in avoided.items() if names},
            local_only=bool(settings.local_only),
        ),
    )


def _may_leave(file: Lookups, chosen: bool) -> bool:
    """Whether "auto" may ask models elsewhere; that nothing may leave this computer goes above all."""
    settings = file.settings
    if settings.local_only:
        return False
    return chosen if settings.remote is None else settings.remote


def _spelling(models: Mapping[str, AnyModel]) -> Callable[[str], str]:
    """From a name in any case, or a label, to the name the model is asked by, which is what the router compares."""
    known = {model.label.casefold(): name for name, model in models.items()}
    known |= {name.casefold(): name for name in models}
    return lambda name: known.get(name.casefold(), name)
