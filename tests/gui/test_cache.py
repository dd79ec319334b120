"""The response cache as a person sees it: the word under an answer, the way round it, and its settings."""

import asyncio

import pytest
from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QPushButton

from codette_desktop.application import KV_DISK_SETTING, Application
from codette_desktop.domain.conversations import Generation
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.settings.cache import CacheSection
from codette_desktop.gui.tabs.ask.answer_card import AnswerCard
from codette_desktop.inference.cache.settings import CacheSettings
from tests.gui.conftest import settle, until

SHORT = Sampling(temperature=0.0, grammar="root ::= [a-z ]{20,30}")


def last(window: MainWindow) -> Generation:
    generation = window.ask.presenter.nodes[-1].generation
    assert generation is not None
    assert generation.figures is not None
    return generation


async def ask(window: MainWindow, text: str) -> Generation:
    """In a new chat."""
    presenter = window.ask.presenter
    presenter.new_chat()
    presenter.set_settings(sampling=SHORT)
    presenter.send(text)
    await until(lambda: len(presenter.nodes) == 2 and not presenter.is_busy)
    await settle()
    return last(window)


def foot(window: MainWindow) -> AnswerCard:
    cards = [card for card in window.ask.findChildren(AnswerCard) if card.isVisible()]
    return cards[-1]


async def test_the_line_under_an_answer_says_that_it_was_cached_and_answer_again_asks_the_model(
    window: MainWindow,
) -> None:
    first = await ask(window, "what is the time")
    assert "cached" not in foot(window).foot.text()
    again = await ask(window, "what is the time")
    assert again.figures is not None
    assert again.figures.cached
    assert abs(again.figures.first_written_s - first.started_at.timestamp()) < 30
    card = foot(window)
    assert "cached" in card.foot.text()
    assert "cached" in card.foot.accessibleName()
    assert "tok/s" not in card.foot.text()
    assert card.foot.toolTip().startswith("Answered from the cache in ")
    assert "first written at" in card.foot.toolTip()

    card.again_button.click()
    presenter = window.ask.presenter
    await until(lambda: not presenter.is_busy and last(window).id != again.id)
    figures = last(window).figures
    assert figures is not None
    assert not figures.cached
    assert last(window).model_hash == again.model_hash


async def test_what_is_set_counts_at_once_and_is_kept(window: MainWindow, application: Application) -> None:
    window.open_settings()
    section: CacheSection = window.settings_dialog.cache
    assert "nothing asked yet" in section.use.text()
    section.enabled_box.setChecked(False)
    section.sampled_box.setChecked(True)
    section.entries_box.setValue(50)
    section.keep_box.setCurrentIndex(section.keep_box.findText("7 days"))
    section.keep_box.activated.emit(section.keep_box.currentIndex())
    wanted = CacheSettings(enabled=False, reuse_sampled=True, entries=50, ttl_s=7 * 86_400)
    assert application.cache.settings == wanted
    await until(lambda: application.store.settings.get("cache.ttl_s") == 7 * 86_400)
    for kind in (QCheckBox, QComboBox, QAbstractSpinBox, QPushButton):
        for field in section.findChildren(kind):
            assert field.accessibleName()
    window.settings_dialog.accept()
    await settle()
    window.open_settings()
    assert window.settings_dialog.cache.keep_box.currentText() == "7 days"
    assert not window.settings_dialog.cache.enabled_box.isChecked()
    window.settings_dialog.accept()


async def test_clearing_shows_that_nothing_is_kept(window: MainWindow, application: Application) -> None:
    for _ in range(3):
        await ask(window, "what is the time")
    await asyncio.wrap_future(application.cache.flush())
    window.open_settings()
    section: CacheSection = window.settings_dialog.cache
    assert section.use.text().startswith("1 answer, ")
    assert "hit rate 67 % (2 of 3)" in section.use.text()
    section.clear_button.click()
    await until(lambda: section.use.text().startswith("0 answers"))
    assert not section.clear_button.isEnabled()
    window.settings_dialog.accept()
    assert not (await ask(window, "what is the time")).figures.cached  # type: ignore[union-attr]


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, once a dialog has been open
async def test_room_for_conversations_already_read_is_chosen(window: MainWindow, application: Application) -> None:
    window.open_settings()
    box = window.settings_dialog.kept_prompts.size_box
    assert box.currentText() == "1 GB"
    box.setCurrentIndex(0)
    box.activated.emit(0)
    await until(lambda: application.store.settings.get(KV_DISK_SETTING) == 0)
    window.settings_dialog.accept()
