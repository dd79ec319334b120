"""Tokens, style sheet, manager, icons, fonts."""

import re
from dataclasses import fields

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QListWidget, QPushButton, QWidget

from codette_desktop import paths
from codette_desktop.gui.theme import DARK, ICON_NAMES, LIGHT, ThemeManager, Tokens, contrast, icon, set_icon, set_role
from codette_desktop.gui.theme.fonts import FONT_FILES, load_fonts, make_font
from codette_desktop.gui.theme.stylesheet import make_stylesheet

MODES = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
GROUNDS = ("window", "surface", "raised", "hover", "accent_soft", "good_soft", "warning_soft", "bad_soft")


@pytest.fixture
def theme(qapp: QApplication) -> ThemeManager:
    return ThemeManager(qapp, mode="light")


@MODES
@pytest.mark.parametrize("ground", [*GROUNDS, "selection", "highlight", "code", "code_head", "code_inline"])
def test_text_stands_out_from_every_ground(tokens: Tokens, ground: str) -> None:
    assert contrast(tokens.text, tokens.colour(ground)) >= 4.5


@MODES
def test_secondary_text_links_and_state_words_are_readable(tokens: Tokens) -> None:
    for ground in GROUNDS:
        assert contrast(tokens.secondary, tokens.colour(ground)) >= 4.5, ground
    for ground in ("window", "surface"):
        for word in ("link", "good_word", "warning_word", "bad_word"):
            assert contrast(tokens.colour(word), tokens.colour(ground)) >= 4.5, (word, ground)
    for word in ("good", "warning", "bad"):
        assert contrast(tokens.colour(f"{word}_word"), tokens.colour(f"{word}_soft")) >= 4.5


@MODES
def test_what_is_written_on_filled_buttons_is_readable(tokens: Tokens) -> None:
    for face in ("accent_fill", "accent_hover"):
        assert contrast(tokens.accent_text, tokens.colour(face)) >= 4.5
    for face in ("bad", "bad_hover"):
        assert contrast(tokens.on_bad, tokens.colour(face)) >= 4.5


@MODES
def test_icons_rings_outlines_and_series_stand_three_to_one(tokens: Tokens) -> None:
    for ground in ("window", "surface"):
        for name in ("accent", "good", "warning", "bad", "line_strong"):
            assert contrast(tokens.colour(name), tokens.colour(ground)) >= 3, (name, ground)
    for number, colour in enumerate(tokens.series):
        assert contrast(colour, tokens.surface) >= 3, number


@MODES
def test_highlighted_code_is_readable(tokens: Tokens) -> None:
    for item in fields(tokens.syntax):
        assert contrast(getattr(tokens.syntax, item.name), tokens.code) >= 4.5, item.name


def test_contrast_agrees_with_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@MODES
def test_style_sheet_leaves_no_place_unfilled(tokens: Tokens) -> None:
    sheet = make_stylesheet(tokens, lambda size: round(size))
    assert "@" not in sheet
    for image in re.findall(r'url\("([^"]+)"\)', sheet):
        assert paths.Path(image).is_file(), image


@MODES
def test_control_pictures_have_the_colours_of_their_mode(tokens: Tokens) -> None:
    folder = paths.resource("icons", "controls", tokens.name)
    assert tokens.accent_text in (folder / "check.svg").read_text()
    assert tokens.accent_text in (folder / "dot.svg").read_text()
    assert tokens.secondary in (folder / "chevron-down.svg").read_text()
    assert tokens.text in (folder / "tick.svg").read_text()


def test_mode_switches_palette_and_tells_once(theme: ThemeManager, qapp: QApplication) -> None:
    heard: list[bool] = []
    theme.changed.connect(lambda: heard.append(theme.dark))
    theme.set_mode("dark")
    theme.set_mode("dark")
    assert heard == [True]
    assert theme.tokens is DARK
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)
    theme.set_mode("light")
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.window)


def test_system_mode_follows_the_desktop(
    theme: ThemeManager, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hints:
        scheme = Qt.ColorScheme.Dark

        def colorScheme(self) -> Qt.ColorScheme:
            return self.scheme

    monkeypatch.setattr(type(qapp), "styleHints", lambda _app: Hints())
    theme.set_mode("system")
    assert theme.dark
    Hints.scheme = Qt.ColorScheme.Unknown
    theme._on_system_scheme()
    assert not theme.dark


def test_unknown_mode_is_refused(theme: ThemeManager) -> None:
    with pytest.raises(ValueError, match="sepia"):
        theme.set_mode("sepia")  # type: ignore[arg-type]


def test_zoom_scales_sizes_and_font_and_stays_in_range(theme: ThemeManager, qapp: QApplication) -> None:
    theme.set_zoom(150)
    assert theme.px(16) == 24
    assert qapp.font().pixelSize() == 20
    theme.set_zoom(1_000)
    assert theme.zoom == 200
    theme.set_zoom(1)
    assert theme.zoom == 50
    assert theme.px(1) == 1
    theme.zoom_reset()
    theme.zoom_in()
    assert theme.zoom == 110
    theme.zoom_out()
    theme.zoom_out()
    assert theme.zoom == 90


@pytest.mark.usefixtures("theme")
def test_bundled_fonts_are_there_and_in_use() -> None:
    assert load_fonts() == ()
    assert all(paths.resource("fonts", name).is_file() for name in FONT_FILES)
    from PySide6.QtGui import QFontInfo

    assert QFontInfo(make_font(13)).family() == "Inter"
    assert QFontInfo(make_font(13, mono=True)).family() == "JetBrains Mono"


def test_fonts_stay_small_and_licences_are_shipped() -> None:
    assert sum(path.stat().st_size for path in paths.resource("fonts").iterdir()) < 2_000_000
    assert "SIL OPEN FONT LICENSE" in paths.resource("licences", "OFL-1.1.txt").read_text()
    assert "ISC License" in paths.resource("licences", "lucide-ISC.txt").read_text()
    listed = paths.resource("licences", "README.md").read_text()
    for part in ("Inter", "JetBrains Mono", "Lucide", "PySide6", "ziamath", "Pygments", "llama.cpp"):
        assert part in listed


def _colours(shown: QIcon, side: int) -> set[str]:
    image = shown.pixmap(QSize(side, side)).toImage()
    return {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }


@pytest.mark.usefixtures("theme")
@pytest.mark.parametrize("name", ICON_NAMES)
def test_every_icon_draws_something(name: str) -> None:
    assert not icon(name).pixmap(QSize(32, 32)).toImage().isNull()
    assert _colours(icon(name, 20), 64) == {LIGHT.text}


def test_icons_follow_the_theme(theme: ThemeManager) -> None:
    kept = icon("send", 16, "accent")
    assert _colours(kept, 64) == {LIGHT.accent}
    theme.set_mode("dark")
    assert _colours(icon("send", 16, "accent"), 64) == {DARK.accent}


def test_icons_of_buttons_are_tinted_and_sized_anew(theme: ThemeManager, qtbot: object) -> None:
    button = QPushButton()
    set_icon(button, "check")
    theme.set_zoom(150)
    theme.set_mode("dark")
    assert button.iconSize() == QSize(24, 24)
    assert _colours(button.icon(), 64) == {DARK.text}
    button.deleteLater()


@pytest.mark.usefixtures("theme")
def test_unknown_icons_and_colours_are_refused() -> None:
    with pytest.raises(KeyError):
        icon("no-such-icon")
    with pytest.raises(KeyError):
        icon("check", 16, "no_such_colour")
    with pytest.raises(KeyError):
        LIGHT.colour("series")


@pytest.mark.usefixtures("theme")
def test_role_changes_the_look_of_a_shown_widget(qapp: QApplication) -> None:
    button = QPushButton("Send")
    button.show()
    set_role(button, "primary")
    qapp.processEvents()
    assert button.grab().toImage().pixelColor(10, 4) == QColor(LIGHT.accent_fill)
    button.close()


@pytest.mark.usefixtures("theme")
def test_rows_of_a_side_list_have_their_padding_from_the_start(qapp: QApplication) -> None:
    page = QWidget()
    rows = QListWidget(page)
    set_role(rows, "sidebar")
    rows.addItems(["one", "two"])
    rows.setCurrentRow(1)
    page.show()
    qapp.processEvents()
    assert rows.visualItemRect(rows.item(0)).height() >= 30
    page.close()
