"""Whom to ask: a model's name, or "auto", and the question become an ordered list of candidates with reasons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from codette_desktop.domain.errors import ModelError, ModelNotFound
from codette_desktop.domain.messages import Message
from codette_desktop.domain.models import AUTO, AnyModel, ModelInfo
from codette_desktop.domain.tasks import Task
from codette_desktop.inference.routing.candidates import RoutableModel
from codette_desktop.inference.routing.health import Health
from codette_desktop.inference.routing.preferences import Preferences

if TYPE_CHECKING:
    from codette_desktop.inference.routing.router import Ranking, Router
    from codette_desktop.inference.routing.score import Profiles

MOST_ALTERNATIVES = 4
DEFAULT_CHAIN = "default"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the person has said about who may answer in whose place.

    `chains` are names of models by the model they stand in for, under "default" those for all others. `may_stand_in`
    says of single models whether they may. `priority` orders those who stand in, the higher first. Models outside this
    computer neither stand in nor are chosen by "auto" unless `remote` or the person's own list says so. `fallback`
    False: nobody stands in for anybody.
    """

    fallback: bool = True
    remote: bool = False
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    may_stand_in: Mapping[str, bool] = field(default_factory=dict[str, bool])
    priority: Mapping[str, int] = field(default_factory=dict[str, int])
    preferences: Preferences = field(default_factory=Preferences)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is asked, in order, and why. There is always a first; `ranking` is how the router sees all models.

    `names` are what the models are asked by: the library's name, the path of a file outside its folders, or
    "SERVER/model".
    """

    models: tuple[AnyModel, ...]
    names: tuple[str, ...]
    ranking: "Ranking"
    auto: bool = False

    @property
    def model(self) -> AnyModel:
        """Who is asked first."""
        return self.models[0]

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Who is asked should that fail."""
        return self.names[1:]

    @property
    def task(self) -> Task:
        """What was understood of the question."""
        return self.ranking.task

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why this model, in words; () where the person chose it."""
        best = self.ranking.best
        return best.reasons if self.auto and best is not None else ()

    def model_of(self, name: str) -> AnyModel | None:
        """The candidate that is asked by this name."""
        return dict(zip(self.names, self.models, strict=True)).get(name)


class Planner:
    """Makes plans from what is known at the moment. Blocking: it reads folders and the store. Any thread.

    `find` finds a model by name (raises ModelError), `models` gives all by the name one asks them by. `health` is by
    `AnyModel.name`. `problem` says in words why a model cannot be loaded at present ("" if it can).
    """

    def __init__(
        self,
        find: Callable[[str], AnyModel],
        models: Callable[[], Mapping[str, AnyModel]],
        *,
        profiles: "Callable[[], Profiles]" = dict,
        health: Callable[[str], Health] = lambda _name: Health(),
        policy: Callable[[], Policy] = Policy,
        problem: Callable[[ModelInfo], str] = lambda _model: "",
        router: "Router | None" = None,
    ) -> None:
        self._find = find
        self._models = models
        self._profiles = profiles
        self._health = health
        self._policy = policy
        self._problem = problem
        self._router = router

    def plan(self, name: str, messages: Sequence[Message]) -> Plan:
        """Who answers `messages`, the last of which is the question. Raises ModelError.

        A model named is asked first, whatever is known of it; "auto" is whoever suits the question best.
        """
        policy, everyone = self._policy(), dict(self._models())
        if name != AUTO:
            chosen = self._find(name)
            name = next((asked for asked, model in everyone.items() if _same(model, chosen)), chosen.name)
            everyone[name] = chosen
        ranking = self._rank(messages, everyone, self._preferences(policy, auto=name == AUTO))
        first = _best(ranking) if name == AUTO else name
        names = (first, *self._stand_ins(first, ranking, everyone, policy))
        return Plan(tuple(everyone[item] for item in names), names, ranking, name == AUTO)

    def _rank(
        self, messages: Sequence[Message], everyone: Mapping[str, AnyModel], preferences: Preferences
    ) -> "Ranking":
        health = {name: self._health(model.name) for name, model in everyone.items()}
        routable = [self._routable(name, model) for name, model in everyone.items()]
        text = messages[-1].content if messages else ""
        return self._made_router().rank(text, messages[:-1], routable, self._profiles(), health, preferences)

    def task(self, text: str) -> Task:
        """What a prompt that stands alone asks for."""
        return self._made_router().read(text)

    def _made_router(self) -> "Router":
        if self._router is None:  # made with the first plan: the window need not wait for it at start
            from codette_desktop.inference.routing.router import Router

            self._router = Router()
        return self._router

    def _routable(self, name: str, model: AnyModel) -> RoutableModel:
        if isinstance(model, ModelInfo):
            return replace(RoutableModel.from_info(model, problem=self._problem(model)), name=name)
        return RoutableModel.from_server(model)

    def _preferences(self, policy: Policy, *, auto: bool) -> Preferences:
        """For "auto" nothing leaves this computer unless the person has allowed it."""
        wishes = policy.preferences
        return replace(wishes, local_only=wishes.local_only or (auto and not policy.remote))

    def _stand_ins(self, first: str, ranking: "Ranking", everyone: dict[str, AnyModel], policy: Policy) -> list[str]:
        """Who answers should `first` fail; those of the person's own list are added to `everyone`."""
        if not policy.fallback:
            return []
        chain = policy.chains.get(first, policy.chains.get(DEFAULT_CHAIN))
        if chain is None:
            names = [candidate.model.name for candidate in ranking.candidates]
            names = [
                name for name in names if policy.may_stand_in.get(name, policy.remote or not _remote(everyone[name]))
            ]
            names.sort(key=lambda name: -policy.priority.get(name, 0))
        else:  # in the person's order, and only those
            names = [name for name in chain if self._is_known(name, everyone)]
        if policy.preferences.local_only:
            names = [name for name in names if not _remote(everyone[name])]
        return [name for name in dict.fromkeys(names) if not _same(everyone[name], everyone[first])][:MOST_ALTERNATIVES]

    def _is_known(self, name: str, everyone: dict[str, AnyModel]) -> bool:
        try:
            everyone.setdefault(name, self._find(name))
        except ModelError:  # gone since it was written down; the check of the configuration file says so
            return False
        return True


def _best(ranking: "Ranking") -> str:
    if ranking.best is not None:
        return ranking.best.model.name
    if not ranking.rejected:
        raise ModelNotFound("There is no model yet.", "Add a folder that holds .gguf files.")
    why = " ".join(f"{item.model.label}: {item.reasons[0]}." for item in ranking.rejected[:3])
    raise ModelNotFound(f"No model can answer this at present. {why}", "Choose a model yourself, or add another.")


def _same(one: AnyModel, other: AnyModel) -> bool:
    return one.name == other.name and getattr(one, "path", None) == getattr(other, "path", None)


def _remote(model: AnyModel) -> bool:
    return not isinstance(model, ModelInfo) and model.remote
