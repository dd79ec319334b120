"""The page on which an experiment is begun, by itself."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget

from codette_desktop.domain.duels import PromptSource
from codette_desktop.gui.tabs.rate.setup_page import SetupPage
from codette_desktop.gui.tabs.rate.state import RateSetup
from codette_desktop.gui.theme import theme

Show = Callable[..., None]
SPECS = ("ada", "bob", "cyd?temperature=0.8&seed=2")


@pytest.mark.parametrize(("width", "zoom"), [(493, 100), (720, 150), (1009, 150), (1000, 100)])
@pytest.mark.parametrize("source", [PromptSource.MIXED, PromptSource.TYPED])
def test_no_field_is_cut_at_the_right(show: Show, width: int, zoom: int, source: PromptSource) -> None:
    page = SetupPage(lambda spec: spec, list, list)
    show(page)
    theme().set_zoom(zoom)
    page.show_setup(RateSetup(SPECS, source))
    page.resize(width, 400)
    for _ in range(3):
        QApplication.processEvents()
    fields: list[QWidget] = [page.source, page.question, page.most_votes, page.margin, *page.contestants.chips]
    fields += [page.typed] if source is PromptSource.TYPED else []
    for field in fields:
        assert field.isVisible()
        assert field.mapTo(page, QPoint(field.width(), 0)).x() <= page.width(), field.accessibleName()
        assert field.width() >= min(field.sizeHint().width(), field.minimumSizeHint().width())


def test_names_stand_beside_their_fields_where_there_is_room(show: Show) -> None:
    page = SetupPage(lambda spec: spec, list, list)
    show(page, 1000)
    page.show_setup(RateSetup(SPECS))
    for width, beside in ((1000, True), (500, False), (1000, True)):
        page.resize(width, 600)
        for _ in range(3):
            QApplication.processEvents()
        assert (page.question.mapTo(page, QPoint()).x() > 60) is beside


@pytest.mark.parametrize(
    ("typed", "source", "said"),
    [
        ("One?\nTwo?\n\n Two? \n", PromptSource.TYPED, "Your 2 prompts give each pair at most 2 duels."),
        ("One?", PromptSource.TYPED, "Your one prompt gives each pair one duel."),
        ("", PromptSource.TYPED, ""),
        ("One?\nTwo?", PromptSource.MIXED, ""),
    ],
)
def test_how_far_typed_prompts_reach_is_said_before_one_begins(
    show: Show, typed: str, source: PromptSource, said: str
) -> None:
    page = SetupPage(lambda spec: spec, list, list)
    show(page)
    page.show_setup(RateSetup(SPECS, source, typed))
    assert page.estimate.text().endswith(said or "3 pairs.")
