"""Which model answers where none is named."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codette_desktop.application import MODEL_SETTING, Application
from codette_desktop.domain.models import AnyModel, ModelInfo
from codette_desktop.paths import resource

STARTER = "guide-s-q8_0"  # the one that was measured best
OTHER = "guide-m-q8_0"


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A model in no folder that is searched."""
    return Path(shutil.copy(resource("starter") / "guide-s-q8_0.gguf", tmp_path / "outside.gguf"))


def file_of(model: AnyModel) -> ModelInfo:
    assert isinstance(model, ModelInfo)
    return model


async def choose(application: Application, name: object) -> None:
    await asyncio.wrap_future(application.store.settings.set(MODEL_SETTING, name))


async def test_it_is_the_file_outside_the_folders_that_was_chosen(application: Application, outside: Path) -> None:
    await choose(application, str(outside))
    assert file_of(application.catalogue.default_model()).path == outside
    assert application.catalogue.default_name() == str(outside)
    assert file_of(application.catalogue.find_model("")).path == outside


async def test_a_listed_model_is_kept_by_its_name(application: Application) -> None:
    await choose(application, OTHER)
    assert application.catalogue.default_name() == OTHER


@pytest.mark.parametrize("chosen", ["", "gone", "/nowhere/gone.gguf", 7, None])
async def test_what_cannot_be_found_gives_way_to_the_starter_model(application: Application, chosen: object) -> None:
    await choose(application, chosen)
    assert application.catalogue.default_name() == STARTER


async def test_a_file_that_took_the_process_down_is_chosen_no_longer(codette_home: Path, outside: Path) -> None:
    first = Application.open(codette_home)
    await choose(first, str(outside))
    model = first.library.with_hash(file_of(first.catalogue.default_model()))
    await asyncio.wrap_future(first.store.models.mark_loading(model.file_hash))
    await first.aclose()

    again = Application.open(codette_home)
    assert any("went down while it was loading" in note for note in again.notes)
    assert again.catalogue.default_name() == STARTER
    await again.aclose()
