"""Models: what is known of a model before it is loaded, whether its file lies here or on a server."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from codette_desktop.domain.servers import Server

LONGEST_LABEL = 80
AUTO = "auto"  # in place of a model's name: whoever suits the question best


def readable(name: str) -> str:
    """A model's name in one line that is not too long: servers and files may tell any. Begin and end stay."""
    line = " ".join(name.split())
    half = LONGEST_LABEL // 2
    return line if len(line) <= LONGEST_LABEL else f"{line[: half - 1]}…{line[-half:]}"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter (a GGUF file of its own) on a model; `scale` 1 is as it was trained, 0 is without it.

    `file_hash` identifies the adapter's weights; "" while it has not been computed.
    """

    name: str
    path: Path
    scale: float = 1.0
    file_hash: str = ""

    @property
    def label(self) -> str:
        """As shown after the model's name: "tone", or "tone × 0.5"."""
        return self.name if self.scale == 1.0 else f"{self.name} × {self.scale:g}"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model the application can answer with. Read from the GGUF header alone; nothing here needs the weights.

    `name` is unique in the library and is what a person types or picks; `display_name` is what they read.
    `file_hash` identifies the weights (see `codette_desktop.models.identity`); "" while it has not been computed.
    A model that does not write only embeds texts (see `inference.provider.Embeddings`).
    `adapters` are put on the weights in that order; a model with adapters is found as "NAME+ADAPTER@SCALE".
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
    adapters: tuple[Adapter, ...] = ()
    writes: bool = True

    @property
    def label(self) -> str:
        """Name and quantisation, as shown in the picker: "Guide M · Q8_0", "Guide M · Q8_0 + tone"."""
        name = f"{readable(self.display_name)} · {self.quantisation}"
        return " + ".join((name, *(item.label for item in self.adapters)))

    @property
    def file_hashes(self) -> tuple[str, ...]:
        """Those of all files it is made of: the weights', then its adapters'; "" where one is not known."""
        return (self.file_hash, *(adapter.file_hash for adapter in self.adapters))


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
        return " · ".join(part for part in (readable(self.display_name), self.quantisation, self.server) if part)

    @property
    def starter(self) -> bool:
        """Never: starter models ship with the application."""
        return False

    @classmethod
    def unseen(cls, server: Server, model: str) -> "ServerModel":
        """A model of `server` of which nothing but the name is known yet."""
        return cls(f"{server.name}/{model}", model, server.name, server.remote or is_cloud(model))


def is_cloud(name: str) -> bool:
    """Whether the name is one that Ollama passes on to its makers' computers: "gpt-oss:120b-cloud", "glm-4.6:cloud"."""
    return name.casefold().endswith(("-cloud", ":cloud"))


AnyModel = ModelInfo | ServerModel


class KvType(StrEnum):
    """How keys and values of attention are kept: fewer bits take less memory and may cost some quality."""

    F16 = "f16"
    Q8_0 = "q8_0"
    Q4_0 = "q4_0"


class FlashAttention(StrEnum):
    """Whether attention is computed in blocks, which takes less memory. A quantised cache needs it."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Numa(StrEnum):
    """How threads are spread over the processors of a computer with several. Counts once for the whole process."""

    OFF = "off"
    DISTRIBUTE = "distribute"
    ISOLATE = "isolate"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a model is loaded. 0 or None means "let the application choose".

    `context_length` in tokens (0: the model's own, at most 8,192); `threads` counts CPU threads for generation;
    `gpu_layers` is the number of layers put on the GPU (-1: all that fit). `parallel` is for how many answers of full
    length that are written together there is room (0: as many as memory is plentiful for, at most 4). `use_mmap` maps
    the file instead of reading it, `lock_memory` keeps the system from swapping it out. `keep_alive_minutes` is how
    long an unused model stays in memory (0: until its memory is needed).
    """

    context_length: int = 0
    threads: int = 0
    batch_tokens: int = 2048
    gpu_layers: int = -1
    use_mmap: bool = True
    parallel: int = 0
    kv_type: KvType = KvType.F16
    flash_attention: FlashAttention = FlashAttention.AUTO
    lock_memory: bool = False
    numa: Numa = Numa.OFF
    keep_alive_minutes: int = 0
