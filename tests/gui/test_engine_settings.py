"""The settings' page on the engine: for all models and for one, presets, and what it says of each setting."""

import asyncio

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from codette_desktop.application import Application
from codette_desktop.domain.models import EngineSettings, KvType
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.settings.engine import EnginePage
from codette_desktop.inference.engine_fields import engine_setting_fields
from tests.gui.conftest import until

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, once a dialog is open
TINY = "tiny"


async def page(window: MainWindow) -> EnginePage:
    """The page, once it knows the computer."""
    window.open_settings()
    window.settings_dialog.show_page("engine")
    found = window.settings_dialog.engine
    await until(lambda: found.preset_box.count() >= 5)
    return found


def choose(engine: EnginePage, name: str, value: object) -> None:
    """As a person chooses in a list."""
    box = engine.fields[name].editor
    box.setCurrentIndex(box.findData(value))  # type: ignore[attr-defined]
    box.activated.emit(box.currentIndex())  # type: ignore[attr-defined]


async def test_every_setting_is_explained_with_its_cost(window: MainWindow) -> None:
    engine = await page(window)
    for field in engine_setting_fields():
        text = engine.fields[field.name].note.text()
        assert field.explanation in text
        assert field.cost in text
        assert engine.fields[field.name].isVisibleTo(engine)
    window.settings_dialog.accept()


async def test_a_setting_of_one_model_is_remembered_for_it_alone(window: MainWindow, application: Application) -> None:
    engine = await page(window)
    tiny = application.catalogue.find_file(TINY)
    engine.fields["threads"].editor.setValue(2)  # type: ignore[attr-defined]
    assert application.engine_settings().threads == 2
    engine.choose(TINY)
    await until(lambda: engine.fit_note.isVisible() and "can be used" in engine.fit_note.text())
    assert "As for all models" in engine.fields["threads"].note.text()
    choose(engine, "kv_type", "q8_0")
    assert application.engine_settings(tiny).kv_type is KvType.Q8_0
    assert application.engine_settings().kv_type is KvType.F16
    assert "Set for this model" in engine.fields["kv_type"].note.text()
    assert not engine.fields["numa"].isVisibleTo(engine)
    engine.fields["kv_type"].reset_button.click()
    assert application.engine_settings(tiny).kv_type is KvType.F16
    assert engine.fields["kv_type"].reset_button.isHidden()
    window.settings_dialog.accept()


async def test_a_preset_sets_everything_and_a_change_makes_it_ones_own(
    window: MainWindow, application: Application
) -> None:
    engine = await page(window)
    assert engine.preset_box.currentText() == "Automatic"
    engine.use_preset("low-memory")
    assert application.engine_settings().parallel == 1
    assert engine.preset_box.currentText() == "Low memory"
    assert engine.preset_note.text()
    engine.fields["parallel"].editor.setValue(3)  # type: ignore[attr-defined]
    assert engine.preset_box.currentText() == "Your own mix"
    engine.reset_button.click()
    assert engine.preset_box.currentText() == "Automatic"
    window.settings_dialog.accept()


async def test_a_step_up_from_automatic_is_the_least_there_is(window: MainWindow, application: Application) -> None:
    engine = await page(window)
    engine.fields["context_length"].editor.setValue(1)  # type: ignore[attr-defined]
    assert application.engine_settings().context_length == 256
    window.settings_dialog.accept()


async def test_a_model_can_be_chosen_to_be_there_from_the_start(window: MainWindow, application: Application) -> None:
    engine = await page(window)
    engine.choose(TINY)
    await until(engine.preload_box.isVisible)
    engine.preload_box.click()
    assert application.preloader.is_wanted(application.catalogue.find_file(TINY))
    window.settings_dialog.accept()
    await asyncio.sleep(0)


async def test_the_wheel_scrolls_and_changes_nothing_one_has_not_clicked_into(
    window: MainWindow, application: Application
) -> None:
    engine = await page(window)
    for name in ("kv_type", "parallel"):
        box = engine.fields[name].editor
        middle = QPointF(box.rect().center())
        wheel = QWheelEvent(
            middle, box.mapToGlobal(middle), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QCoreApplication.sendEvent(box, wheel)
    assert application.engine_settings() == EngineSettings()
    window.settings_dialog.accept()


async def test_a_preset_for_one_model_makes_no_context_longer_than_it_was_trained_for(
    window: MainWindow, application: Application
) -> None:
    engine = await page(window)
    engine.choose(TINY)
    await until(engine.preload_box.isVisible)
    engine.use_preset("long-context")
    tiny = application.catalogue.find_file(TINY)
    assert application.engine_settings(tiny).context_length == tiny.context_length
    window.settings_dialog.accept()
