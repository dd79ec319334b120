"""Models: what is known of a model file before it is loaded."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model the application can answer with. Read from the GGUF header alone; nothing here needs the weights.

    `name` is unique in the library and is what a person types or picks; `display_name` is what they read.
    `file_hash` identifies the weights (see `codette_desktop.models.identity`); "" while it has not been computed.
    """

    name: str
    display_name: str
    path: Path
    architecture: str
    quantisation: str
    parameters: int
    size_bytes: int
    context_length: int
    vocabulary_size: int
    chat_template: str | None = None
    file_hash: str = ""
    description: str = ""
    starter: bool = False

    @property
    def label(self) -> str:
        """Name and quantisation, as shown in the picker: "Guide M · Q8_0"."""
        return f"{self.display_name} · {self.quantisation}"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a model is loaded. 0 or None means "let the application choose".

    `context_length` in tokens (0: the model's own, at most 8,192); `threads` counts CPU threads for generation;
    `gpu_layers` is the number of layers put on the GPU (-1: all that fit). `parallel` is for how many answers of full
    length that are written together there is room (0: as many as memory is plentiful for, at most 4).
    """

    context_length: int = 0
    threads: int = 0
    batch_tokens: int = 2048
    gpu_layers: int = -1
    use_mmap: bool = True
    parallel: int = 0
