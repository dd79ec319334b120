"""Models: what is known of a model before it is loaded, whether its file lies here or on a server."""

from dataclasses import dataclass
from pathlib import Path

from codette_desktop.domain.servers import Server


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
class ServerModel:
    """A model that a server answers with. What the server does not tell is "" or 0.

    `name` is "SERVER/model", what a person types or picks; `remote` says that the server is not on this computer, so
    that what is written leaves it. A server gives no hash of the weights, so `file_hash` is "".
    """

    name: str
    display_name: str
    server: str
    remote: bool = False
    quantisation: str = ""
    parameters: int = 0
    size_bytes: int = 0
    context_length: int = 0
    file_hash: str = ""

    @property
    def label(self) -> str:
        """Name, quantisation and server, as shown in the picker: "qwen3:8b · Q4_K_M · Workshop"."""
        return " · ".join(part for part in (self.display_name, self.quantisation, self.server) if part)

    @property
    def starter(self) -> bool:
        """Never: starter models ship with the application."""
        return False

    @classmethod
    def unseen(cls, server: Server, model: str) -> "ServerModel":
        """A model of `server` of which nothing but the name is known yet."""
        return cls(f"{server.name}/{model}", model, server.name, server.remote)


AnyModel = ModelInfo | ServerModel


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
