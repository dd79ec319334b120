"""Who answers together, and who in turn because memory does not hold all models at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codette_desktop.domain.ensembles import Member
from codette_desktop.domain.errors import ModelError
from codette_desktop.domain.models import AnyModel, EngineSettings, ModelInfo
from codette_desktop.inference.holding import Amount
from codette_desktop.inference.provider import LoadedModel
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.fit import size_text


@dataclass(frozen=True, slots=True)
class Turns:
    """`groups` are places that answer together, one group after the other; `why` says it for each who waits."""

    groups: tuple[tuple[int, ...], ...]
    why: dict[int, str]


@dataclass(frozen=True, slots=True)
class TurnPlanner:
    """Reads headers and measures memory. Any thread.

    `find` finds a model by the name it is asked by, `apart` says whether it runs in a process of its own.
    """

    find: Callable[[str], AnyModel]
    scheduler: Scheduler
    settings: Callable[[ModelInfo], EngineSettings]
    apart: Callable[[ModelInfo], bool]
    loaded: Callable[[], Sequence[LoadedModel]]

    def plan(self, members: Sequence[Member]) -> Turns:
        """Models in memory go first, then in the members' order as many as fit beside each other.

        Members on a server, and those whose model cannot be found (they fail at once), wait for nobody.
        """
        budget = self.scheduler.budget
        room = budget.room() + budget.ours()
        local = self._local(members)
        in_memory = {model.name for model in self.loaded()}
        order = sorted(local, key=lambda path: (local[path][1].name not in in_memory, local[path][0][0]))
        first = [place for place in range(len(members)) if all(place not in found[0] for found in local.values())]
        groups: list[list[int]] = [first]
        left, together, why = room, list[str](), dict[int, str]()
        for path in order:
            places, info = local[path]
            need = self._need(info)
            if (len(groups) > 1 and not need.fits(left)) or (together and not need.fits(left)):
                reason = _words(info, need, left, together)
                why |= dict.fromkeys(places, reason)
                groups.append([])
                left, together = room, []
            groups[-1] += places
            left, together = left - need, [*together, info.label]
        return Turns(tuple(tuple(sorted(group)) for group in groups if group), why)

    def _local(self, members: Sequence[Member]) -> dict[str, tuple[list[int], ModelInfo]]:
        found: dict[str, tuple[list[int], ModelInfo]] = {}
        for place, member in enumerate(members):
            try:
                model = self.find(member.model)
            except ModelError:
                continue
            if isinstance(model, ModelInfo):
                found.setdefault(str(model.path), ([], model))[0].append(place)
        return found

    def _need(self, info: ModelInfo) -> Amount:
        try:
            return self.scheduler.planner.plan(info, self.settings(info), apart=self.apart(info)).need
        except ModelError:
            return Amount()  # it cannot be loaded, and says so itself


def _words(info: ModelInfo, need: Amount, left: Amount, together: Sequence[str]) -> str:
    what = "memory" if need.cpu > left.cpu else "GPU memory"
    needed, free = (need.cpu, left.cpu) if need.cpu > left.cpu else (need.gpu, left.gpu)
    beside = f" beside {' and '.join(together)}" if together else ""
    return (
        f"{info.label} needs {size_text(needed)} of {what}, and {size_text(max(0, free))} can be had{beside}: "
        "it answers when that is done."
    )
