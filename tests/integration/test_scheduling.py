"""Memory and settings of loads in the whole application: one budget for all, settings by model, loads at start."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from codette_desktop.application import Application
from codette_desktop.cli import main
from codette_desktop.domain.errors import ModelLoadFailed
from codette_desktop.domain.events import ModelLoaded, ModelUnloaded
from codette_desktop.domain.models import EngineSettings, KvType, ModelInfo
from tests.integration.provider_contract import answer, ask, text_of

SMALL, MEDIUM = "guide-s-q8_0", "guide-m-q8_0"


@pytest.fixture
async def application(codette_home: Path) -> AsyncIterator[Application]:
    opened = Application.open(codette_home)
    yield opened
    await opened.aclose()


def enlarge(application: Application) -> None:
    """Contexts so long that the small models need some memory: more than the smallest limit that can be set."""
    for name in (SMALL, MEDIUM):
        application.load_settings.change(
            {"context_length": 16_384, "parallel": 1}, application.catalogue.find_file(name)
        ).result()


def limit_to_largest(application: Application) -> None:
    """Allow what the model that needs most needs, and a tenth more."""
    models = [application.catalogue.find_file(name) for name in (SMALL, MEDIUM)]
    plan = application.scheduler.planner.plan
    needs = [plan(model, application.engine_settings(model), apart=application.runs_apart(model)) for model in models]
    application.load_settings.set_memory_limit(1.1 * max(item.need.cpu for item in needs) / 1e9).result()


@pytest.mark.skipif(sys.platform == "win32", reason="two processes are slow to start there")
async def test_models_inside_and_apart_share_one_budget(application: Application) -> None:
    application.keep_apart(application.catalogue.find_file(SMALL), True).result()
    loaded: list[str] = []
    application.bus.subscribe(ModelLoaded, lambda event: loaded.append(event.model))
    application.bus.subscribe(ModelUnloaded, lambda event: loaded.remove(event.model))
    enlarge(application)
    limit_to_largest(application)
    for name in (SMALL, MEDIUM) * 2:
        assert text_of(await answer(application.engine, ask(name)))
        assert loaded == [name]
    texts = await asyncio.gather(*(answer(application.engine, ask(name)) for name in (SMALL, MEDIUM) * 5))
    assert all(text_of(parts) for parts in texts)


async def test_each_model_is_loaded_with_its_own_settings(application: Application) -> None:
    small, medium = application.catalogue.find_file(SMALL), application.catalogue.find_file(MEDIUM)
    application.load_settings.change({"context_length": 768, "kv_type": "q8_0"}).result()
    application.load_settings.change({"context_length": 512}, small).result()
    assert (await application.engine.load(SMALL)).context_length == 512
    assert (await application.engine.load(MEDIUM)).context_length == 768
    full = application.scheduler.planner.plan(medium, EngineSettings(context_length=768, parallel=1))
    eighth = application.scheduler.planner.plan(medium, application.engine_settings(medium))
    assert eighth.shape.kv_type is KvType.Q8_0
    assert eighth.shape.cells % 768 == 0
    assert full.computed.cpu.kv_bytes
    assert text_of(await answer(application.engine, ask(MEDIUM)))
    application.load_settings.reset(model=small).result()
    assert (await application.engine.load(SMALL)).context_length == 768


async def test_the_servers_are_told_the_context_for_all_models(application: Application) -> None:
    application.load_settings.change({"context_length": 2048}).result()
    assert application.servers._context_length() == 2048


async def test_fit_says_what_is_needed_and_what_there_is(application: Application) -> None:
    model = application.catalogue.find_file(MEDIUM)
    fit = application.fit(model)
    assert fit.verdict == "fits"
    assert fit.free_bytes > fit.need.total
    application.load_settings.set_memory_limit(0.1).result()
    application.load_settings.change({"context_length": 32_768}, model).result()
    refused = application.fit(model)
    assert refused.verdict == "too large"
    assert refused.free_bytes <= 100_000_000
    with pytest.raises(ModelLoadFailed, match=r"needs .* of memory; 100 MB can be had\. Use a context of"):
        await application.engine.load(MEDIUM)


async def test_a_model_in_memory_fits_and_another_fits_once_it_has_left(application: Application) -> None:
    enlarge(application)
    limit_to_largest(application)
    small, medium = application.catalogue.find_file(SMALL), application.catalogue.find_file(MEDIUM)
    await application.engine.load(MEDIUM)
    assert application.fit(medium).verdict == "fits"
    assert application.fit(small).sentence.endswith("can be used: models in memory leave for it")
    await application.engine.unload(MEDIUM)
    assert application.fit(small).verdict == "fits"


async def test_wanted_models_are_loaded_at_start_beside_each_other(application: Application) -> None:
    small, medium = application.catalogue.find_file(SMALL), application.catalogue.find_file(MEDIUM)
    application.preloader.want(medium, True).result()
    application.preloader.want(small, True).result()
    assert application.preloader.is_wanted(small)
    enlarge(application)
    limit_to_largest(application)
    await application.preloader.run()
    assert [item.name for item in application.engine.loaded()] == [MEDIUM]
    assert application.preloader.told == [
        "Guide S · Q8_0 was not loaded at start: there is no room for it beside the others."
    ]
    application.load_settings.set_memory_limit(0).result()
    application.start()
    async with asyncio.timeout(30):
        while len(application.engine.loaded()) < 2:
            await asyncio.sleep(0.01)
    assert application.preloader.told == []
    assert {item.name for item in application.engine.loaded()} == {SMALL, MEDIUM}
    application.preloader.want(medium, False).result()
    assert not application.preloader.is_wanted(medium)


async def test_loads_at_start_can_be_cancelled(application: Application) -> None:
    for name in (MEDIUM, SMALL):
        application.preloader.want(application.catalogue.find_file(name), True).result()
    task = asyncio.create_task(application.preloader.run())
    loop = asyncio.get_running_loop()

    def stop(_event: ModelLoaded) -> None:
        loop.call_soon_threadsafe(task.cancel)

    application.bus.subscribe(ModelLoaded, stop)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [item.name for item in application.engine.loaded()] == [MEDIUM]


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_show_says_all_there_is_to_know() -> None:
    status, printed, _ = run("models", "show", SMALL, "--json")
    assert status == 0
    fields = json.loads(printed)
    need = fields["fit"]["need"]["cpu"]
    assert need["total_bytes"] == need["weights_bytes"] + need["kv_bytes"] + need["compute_bytes"]
    assert fields["fit"]["verdict"] == "fits"
    assert 0 < fields["saved_bytes"] < fields["f16_bytes"]
    assert fields["settings"]["kv_type"] == {"value": "f16", "source": "default"}
    assert (fields["preset"], fields["apart"], fields["crashes"]) == ("automatic", False, 0)
    status, printed, _ = run("models", "show", SMALL)
    assert "saves" in printed
    assert "needs" in printed


def test_set_keeps_presets_and_takes_back() -> None:
    status, printed, _ = run("models", "set", SMALL, "context_length=512", "kv_type=q8_0", "--load-at-start", "--json")
    fields = json.loads(printed)
    assert status == 0
    assert fields["settings"]["context_length"] == {"value": 512, "source": "this model"}
    assert fields["load_at_start"] is True
    run("models", "set", "all", "--preset", "low-memory", "memory_limit_gb=2")
    fields = json.loads(run("models", "show", SMALL, "--json")[1])
    assert fields["settings"]["context_length"]["value"] == 512
    assert fields["settings"]["parallel"] == {"value": 1, "source": "all models"}
    assert fields["memory_limit_bytes"] == 2_000_000_000
    run("models", "set", SMALL, "context_length", "--reset")
    fields = json.loads(run("models", "show", SMALL, "--json")[1])
    assert fields["settings"]["context_length"] == {"value": 1024, "source": "all models"}  # trained for no more
    assert fields["settings"]["kv_type"]["source"] == "this model"
    run("models", "set", SMALL, "--reset")
    assert json.loads(run("models", "set", "all", "--json")[1])["preset"] == "low-memory"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("set", SMALL, "context_length"), "is no setting"),
        (("set", SMALL, "context_length=many"), "is a number"),
        (("set", SMALL, "--preset", "turbo"), "There are: automatic"),
        (("set", SMALL, "numa=distribute"), "whole computer"),
        (("set", "all", "--load-at-start"), "Only single models"),
        (("show", "no-such"), "no model"),
    ],
)
def test_what_cannot_be_set_is_told_in_words(arguments: tuple[str, ...], says: str) -> None:
    status, _, error = run("models", *arguments)
    assert status == 1
    assert says in error


def test_the_list_says_of_each_model_whether_it_fits() -> None:
    _, printed, _ = run("models", "list", "--json")
    for model in json.loads(printed)["models"]:
        assert model["fit"]["verdict"] == "fits"
        assert model["fit"]["need_bytes"] > model["bytes"]


def test_a_model_is_identified_by_its_file_not_by_its_name(codette_home: Path) -> None:
    run("models", "set", SMALL, "parallel=3")
    application = Application.open(codette_home)
    try:
        model: ModelInfo = application.catalogue.find_file(SMALL)
        assert application.load_settings.changes(model) == {"parallel": 3}
        assert model.file_hash in application.store.settings.get("engine_models")
    finally:
        asyncio.run(application.aclose())
