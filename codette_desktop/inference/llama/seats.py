"""What answers stand on: weights in memory, and on them a context with the adapters that were asked for."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.holding import Holding
from codette_desktop.inference.llama.lora import Lora
from codette_desktop.inference.llama.vocabularies import FileState
from codette_desktop.inference.llama.workplaces import Workplace, Workplaces, of_weights
from codette_desktop.inference.planning import LoadPlan
from codette_desktop.inference.provider import LoadedModel

if TYPE_CHECKING:
    from codette_desktop.inference.llama.batching import Batch
    from codette_desktop.inference.llama.context import Context
    from codette_desktop.inference.llama.model import Model
    from codette_desktop.inference.llama.prompt import PromptWriter
    from codette_desktop.inference.llama.slots import Slots


@dataclass(eq=False, slots=True)
class Resident:
    """One set of weights in memory, and the contexts on it. `settings` are those it was asked for with.

    `holding` is its memory, and counts the answers that stand on it; `gone` is done when it is freed.
    """

    info: ModelInfo
    settings: EngineSettings
    state: FileState
    plan: LoadPlan
    model: "Model"
    lora: Lora
    workplaces: Workplaces
    writer: "PromptWriter"
    device: str
    holding: Holding
    load_ms: float = 0.0
    gone: "Future[None]" = field(default_factory=Future[None])

    def serves(self, settings: EngineSettings, state: FileState) -> bool:
        """Whether a load would give the same weights."""
        return (of_weights(self.settings), self.state) == (of_weights(settings), state)

    def close(self) -> None:
        """Free contexts, adapters, then weights (which wait for whoever still reads the vocabulary)."""
        self.workplaces.close()
        self.model.close()


@dataclass(frozen=True, slots=True)
class Seat:
    """What one answer stands on: a model as it was asked for, and the context it is written in."""

    info: ModelInfo
    resident: Resident
    place: Workplace

    @property
    def users(self) -> int:
        """The answers that stand on the same weights."""
        return self.resident.holding.users

    @property
    def model(self) -> "Model":
        """The weights."""
        return self.resident.model

    @property
    def writer(self) -> "PromptWriter":
        """Writes prompts for the model."""
        return self.resident.writer

    @property
    def device(self) -> str:
        """Where it is computed."""
        return self.resident.device

    @property
    def context(self) -> "Context":
        """The context."""
        return self.place.context

    @property
    def slots(self) -> "Slots":
        """The sequences of the context."""
        return self.place.slots

    @property
    def batch(self) -> "Batch":
        """The answers being written in the context."""
        return self.place.batch


def described_place(resident: Resident, place: Workplace, info: ModelInfo, *, beside: bool = False) -> LoadedModel:
    """A context as it was last used; one `beside` another does not count the weights again."""
    weights = resident.model.weights_bytes if beside else 0
    return LoadedModel(
        name=info.name,
        label=info.label,
        device=resident.device,
        threads=place.context.threads,
        context_used=place.slots.last_tokens,
        context_length=place.context.length,
        resident_bytes=place.context.resident_bytes - weights,
        busy=place.batch.busy,
    )


def described(seat: Seat) -> LoadedModel:
    """A model as it is held."""
    return described_place(seat.resident, seat.place, seat.info)
