"""The Models tab: whether a model works, and how its answers have been."""

from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.errors import EngineFailure
from codette_desktop.domain.events import HealthChanged, ProviderFailed
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.main_window import MainWindow
from tests.gui.ask.test_asking import ask
from tests.gui.conftest import settle, until
from tests.support.adapter_files import write_adapter


def show(window: MainWindow, name: str) -> None:
    """The Models tab with that model's row chosen."""
    window.show_tab("models")
    rows = window.models.model
    row = next(at for at in range(rows.rowCount()) if rows.index(at, 0).data().startswith(name))
    window.models.table.selectRow(row)


async def test_what_answers_have_taught_is_shown(window: MainWindow, qtbot: QtBot) -> None:
    show(window, "Tiny Test")
    assert window.models.record.text() == "No answers here yet."
    assert window.models.health.isHidden()
    window.show_tab("ask")
    window.ask.presenter.set_settings(sampling=Sampling(max_tokens=8))
    await ask(window, qtbot, "hello")
    show(window, "Tiny Test")
    text = window.models.record.text()
    assert text.startswith("1 answer · 100 % went well · ")
    assert "tok/s · typically" in text
    assert window.models.health.accessibleName() == "works"


async def test_a_model_that_fails_is_marked_and_its_recovery_told(window: MainWindow, application: Application) -> None:
    show(window, "Tiny Test")
    for _ in range(2):
        application.bus.publish(ProviderFailed("", "tiny", EngineFailure("It broke.")))
    await until(lambda: "It broke." in window.models.health.accessibleName())
    assert window.models.health.isVisible()
    heard: list[HealthChanged] = []
    application.bus.subscribe(HealthChanged, heard.append)
    await application.health.check(["tiny"])
    assert heard
    await until(lambda: window.models.health.accessibleName() == "not always well")
    await settle()
    assert any("tiny works again" in toast.text for toast in window.toasts.toasts)


async def test_a_model_is_loaded_and_unloaded_and_its_need_told(window: MainWindow, application: Application) -> None:
    show(window, "Tiny Test")
    await until(lambda: window.models.fit.text().startswith("Fits: needs "))
    assert "can be used" in window.models.fit.text()
    window.models.load_button.click()
    await until(lambda: window.models.load_button.text() == "Unload" and not window.choice.loading)
    assert "in memory" in window.models.model.index(window.models.table.currentIndex().row(), 0).data()
    assert "tiny" in {model.name for model in application.provider.loaded()}
    window.models.load_button.click()
    await until(lambda: window.models.load_button.text() == "Load")
    assert "tiny" not in {model.name for model in application.provider.loaded()}


async def test_an_adapter_that_fits_is_put_on_the_model(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    show(window, "Tiny Test")
    await until(lambda: window.models.fit.text())
    assert window.models.adapter.isHidden()
    write_adapter(application.data_dir / "models" / "tone.gguf", rank=4)
    window.choice.refresh()
    await until(window.models.adapter.isVisible)
    assert "rank 4" in window.models.adapter.about.text()
    window.models.adapter.scale.setValue(0.5)
    window.models.adapter.button.click()
    assert window.ask.presenter.conversation.model == "tiny+tone@0.5"
    assert window.picker.text().endswith("+ tone × 0.5")
    window.ask.presenter.set_settings(sampling=Sampling(max_tokens=6))
    await ask(window, qtbot, "hello")
    generation = window.ask.presenter.nodes[-1].generation
    assert generation is not None
    assert generation.model == "tiny+tone@0.5"
