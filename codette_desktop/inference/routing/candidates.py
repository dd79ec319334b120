"""What the router knows of a model, and what it says of it."""

from dataclasses import dataclass

from codette_desktop.domain.models import ModelInfo, ServerModel


@dataclass(frozen=True, slots=True)
class RoutableModel:
    """A model that could be asked, wherever it runs.

    `parameters` counts weights, 0 where unknown. `context_length` in tokens, 0 where unknown. `local` is False where
    the prompt would leave this computer. `problem` says in words why it cannot be loaded at present ("" if it can).
    `profile_key` names its profile; "" means `name`.
    """

    name: str
    label: str
    parameters: int = 0
    quantisation: str = ""
    architecture: str = ""
    context_length: int = 0
    has_chat_template: bool = True
    starter: bool = False
    local: bool = True
    problem: str = ""
    profile_key: str = ""

    @property
    def key(self) -> str:
        """The name of its profile."""
        return self.profile_key or self.name

    @classmethod
    def from_info(cls, info: ModelInfo, context_length: int = 0, problem: str = "") -> "RoutableModel":
        """A model of the library, loaded with `context_length` tokens (0: its own)."""
        return cls(
            name=info.name,
            label=info.label,
            parameters=info.parameters,
            quantisation=info.quantisation,
            architecture=info.architecture,
            context_length=context_length or info.context_length,
            has_chat_template=info.chat_template is not None,
            starter=info.starter,
            problem=problem,
            profile_key=info.file_hash,
        )

    @classmethod
    def from_server(cls, model: ServerModel) -> "RoutableModel":
        """A model of a server, as far as the server has described it."""
        return cls(
            name=model.name,
            label=model.label,
            parameters=model.parameters,
            quantisation=model.quantisation,
            context_length=model.context_length,
            local=not model.remote,
        )


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """The three parts, each from 0 to 1, and the bonus of the preferences."""

    capability: float
    performance: float
    health: float
    preference: float = 0.0

    @property
    def total(self) -> float:
        """40 % capability, 40 % performance, 20 % health, plus the bonus: from -0.2 to 1.1."""
        return 0.4 * self.capability + 0.4 * self.performance + 0.2 * self.health + self.preference


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with its score and the reasons in words, most telling first. A `rejected` one must not be asked."""

    model: RoutableModel
    parts: ScoreParts
    reasons: tuple[str, ...]
    rejected: bool = False

    @property
    def score(self) -> float:
        """The total of the parts; 0 for a rejected one."""
        return 0.0 if self.rejected else self.parts.total
