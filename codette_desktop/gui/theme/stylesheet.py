"""The one style sheet, built from tokens for a mode and a zoom."""

from collections.abc import Callable
from string import Template

from codette_desktop import paths
from codette_desktop.gui.theme import tokens as design
from codette_desktop.gui.theme.stylesheet_parts import PARTS
from codette_desktop.gui.theme.tokens import Tokens

SIZES: dict[str, float] = {
    "p1": 1,
    "p2": 2,
    "p3": 3,
    "p4": 4,
    "p5": 5,
    "p6": 6,
    "p7": 7,
    "p8": 8,
    "p10": 10,
    "p12": 12,
    "p14": 14,
    "p16": 16,
    "p18": 18,
    "p20": 20,
    "p22": 22,
    "p24": 24,
    "p26": 26,
    "p28": 28,
    "p32": 32,
    "p40": 40,
    "radius": design.RADIUS_CONTROL,
    "card_radius": design.RADIUS_CARD,
    "small": design.TEXT_SECONDARY,
    "base": design.TEXT_BASE,
    "answer": design.TEXT_ANSWER,
    "title": design.TEXT_TITLE,
}


class _Sheet(Template):
    delimiter = "@"


def make_stylesheet(tokens: Tokens, px: Callable[[float], int]) -> str:
    """The style sheet of these colours; `px` zooms a design size. Raises KeyError for a part that names no token."""
    values: dict[str, str] = {name: tokens.colour(name) for name in tokens.colour_names()}
    values |= {name: f"{px(size)}px" for name, size in SIZES.items()}
    values["controls"] = paths.resource("icons", "controls", tokens.name).as_posix()
    values["ui"], values["mono"] = design.UI_FAMILY, design.MONO_FAMILY
    return _Sheet("\n".join(PARTS)).substitute(values)
