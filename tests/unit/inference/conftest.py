"""Small real models, their vocabularies and contexts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.context import Context
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.vocabulary import Vocabulary
from tests.support.gguf_files import write_model


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny.gguf", context_length=2048)


@pytest.fixture(scope="session")
def llama_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny-llama.gguf", tokenizer="llama")


@pytest.fixture(scope="session")
def tiny(tiny_path: Path) -> Iterator[Model]:
    model = Model.load(tiny_path, EngineSettings())
    yield model
    model.close()


@pytest.fixture(scope="session")
def vocabulary(tiny: Model) -> Vocabulary:
    return tiny.vocabulary


@pytest.fixture(scope="session")
def llama_vocabulary(llama_path: Path) -> Iterator[Vocabulary]:
    model = Model.load(llama_path, EngineSettings(), vocabulary_only=True)
    yield model.vocabulary
    model.close()


@pytest.fixture
def context(tiny: Model) -> Iterator[Context]:
    opened = Context(tiny, EngineSettings(threads=1), 1024)
    yield opened
    opened.close()
