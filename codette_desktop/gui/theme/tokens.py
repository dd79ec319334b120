"""Design tokens: every colour and size of the application. Colours are "#rrggbb"; sizes are pixels at zoom 100 %."""

from dataclasses import dataclass, fields

XS, S, M, L, XL, XXL = SPACE = (4, 8, 12, 16, 24, 32)
RADIUS_CONTROL = 6
RADIUS_CARD = 10

TEXT_SECONDARY = 12
TEXT_BASE = 13
TEXT_ANSWER = 15
TEXT_TITLE = 20
ANSWER_LINE_HEIGHT = 1.45
ANSWER_WIDTH = 760

UI_FAMILY = "Inter"
MONO_FAMILY = "JetBrains Mono"


@dataclass(frozen=True, slots=True)
class Syntax:
    """Colours of highlighted code."""

    keyword: str
    string: str
    number: str
    comment: str
    function: str
    type: str
    operator: str
    added: str
    removed: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one mode.

    `line_strong` outlines controls that must be found without their text. `accent` is for icons, focus rings and large
    marks; `accent_fill` is the face of a primary button with `accent_text` written on it; `on_bad` is written on `bad`.
    `good`, `warning`, `bad` colour icons and marks, their `_word` colours text, their `_soft` colours the strip behind.
    `series` are the chart colours in order (Okabe-Ito, darkened or lightened to stand 3:1 on the surface).
    """

    name: str
    window: str
    surface: str
    raised: str
    line: str
    line_strong: str
    text: str
    secondary: str
    accent: str
    accent_fill: str
    accent_hover: str
    accent_text: str
    accent_soft: str
    hover: str
    pressed: str
    selection: str
    highlight: str
    good: str
    warning: str
    bad: str
    bad_hover: str
    on_bad: str
    good_word: str
    warning_word: str
    bad_word: str
    link: str
    good_soft: str
    warning_soft: str
    bad_soft: str
    code: str
    code_head: str
    code_inline: str
    syntax: Syntax
    series: tuple[str, ...]

    def colour(self, name: str) -> str:
        """The colour of that token name; raises KeyError for a name that is no colour."""
        value = getattr(self, name, None)
        if not isinstance(value, str) or not value.startswith("#"):
            raise KeyError(name)
        return value

    def colour_names(self) -> tuple[str, ...]:
        """The names `colour` accepts."""
        return tuple(item.name for item in fields(self) if str(getattr(self, item.name)).startswith("#"))


LIGHT = Tokens(
    name="light",
    window="#f7f7f8",
    surface="#ffffff",
    raised="#ffffff",
    line="#e3e4e8",
    line_strong="#868b97",
    text="#1b1d22",
    secondary="#5b606b",
    accent="#3b6ef5",
    accent_fill="#366af1",
    accent_hover="#2f5fe0",
    accent_text="#ffffff",
    accent_soft="#ebf0fe",
    hover="#eeeff2",
    pressed="#e3e4e8",
    selection="#cfdcfd",
    highlight="#fde9a9",
    good="#2e9e6b",
    warning="#b7791f",
    bad="#c93c3c",
    bad_hover="#b32f2f",
    on_bad="#ffffff",
    good_word="#1c7049",
    warning_word="#85540b",
    bad_word="#b32f2f",
    link="#2a5ade",
    good_soft="#e8f5ef",
    warning_soft="#fbf3e3",
    bad_soft="#fbecec",
    code="#f7f7f9",
    code_head="#f0f1f4",
    code_inline="#eeeff3",
    syntax=Syntax(
        keyword="#8a2fb8",
        string="#1a7043",
        number="#a64b00",
        comment="#656b77",
        function="#2456cc",
        type="#0d6b80",
        operator="#4a4f5a",
        added="#1a7043",
        removed="#b32f2f",
    ),
    series=("#0072b2", "#d55e00", "#009e73", "#c46a9b", "#2f93d0", "#b87d00", "#000000"),
)

DARK = Tokens(
    name="dark",
    window="#15161a",
    surface="#1d1f25",
    raised="#24272e",
    line="#2c2f38",
    line_strong="#6b7180",
    text="#e9eaee",
    secondary="#9aa0ad",
    accent="#7aa2ff",
    accent_fill="#7aa2ff",
    accent_hover="#93b3ff",
    accent_text="#10131a",
    accent_soft="#222c45",
    hover="#282b33",
    pressed="#31343e",
    selection="#2f4371",
    highlight="#5c4b14",
    good="#4cc38a",
    warning="#e0a83d",
    bad="#f2777a",
    bad_hover="#f58f92",
    on_bad="#1b0f10",
    good_word="#4cc38a",
    warning_word="#e0a83d",
    bad_word="#f2777a",
    link="#7aa2ff",
    good_soft="#1a2c26",
    warning_soft="#2f2819",
    bad_soft="#332024",
    code="#191b20",
    code_head="#22252c",
    code_inline="#2a2d36",
    syntax=Syntax(
        keyword="#d3a4f9",
        string="#8fd6a8",
        number="#f0b37e",
        comment="#8c92a0",
        function="#8fb4ff",
        type="#7fd1de",
        operator="#c3c7d0",
        added="#8fd6a8",
        removed="#f2777a",
    ),
    series=("#56b4e9", "#e69f00", "#2fbf97", "#cc79a7", "#f0e442", "#d55e00", "#e9eaee"),
)


def relative_luminance(colour: str) -> float:
    """WCAG 2.1 relative luminance of "#rrggbb", 0..1 (https://www.w3.org/TR/WCAG21/#dfn-relative-luminance)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two colours, 1..21."""
    low, high = sorted((relative_luminance(first), relative_luminance(second)))
    return (high + 0.05) / (low + 0.05)
