"""Who may answer in whose place: what the configuration file says, else what was chosen in the window."""

from collections.abc import Sequence

from codette_desktop.configuration.lookups import Lookups
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.dispatch import Policy
from codette_desktop.inference.routing.preferences import Preferences


def policy_of(file: Lookups, names: Sequence[str], *, fallback: bool, remote: bool) -> Policy:
    """`names` are all models, as they are asked. `fallback` and `remote` count where the file does not say."""
    settings = file.settings
    stand_in = {name: may for name in names if (may := file.may_stand_in(name)) is not None}
    return Policy(
        fallback=fallback if settings.fallback is None else settings.fallback,
        remote=remote if settings.local_only is None else not settings.local_only,
        chains=file.chains(),
        may_stand_in=stand_in,
        priority={name: found for name in names if (found := file.priority(name))},
        preferences=Preferences(
            favourites=file.favourites(),
            avoided_for={task: avoided for task in TaskType if (avoided := file.avoided(task))},
            local_only=bool(settings.local_only),
        ),
    )
