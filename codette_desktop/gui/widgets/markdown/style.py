"""The formats blocks are written in, for one theme and zoom."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat

from codette_desktop.gui.theme.fonts import make_font
from codette_desktop.gui.theme.manager import theme
from codette_desktop.gui.theme.tokens import ANSWER_LINE_HEIGHT, TEXT_ANSWER, Tokens
from codette_desktop.gui.widgets.markdown.pieces import Block, ListMark, Span, Style

# Properties of blocks and characters that `LeafEdit` paints and copies by.
PROPERTY_QUOTE = int(QTextBlockFormat.Property.UserProperty) + 1
PROPERTY_RULE = int(QTextBlockFormat.Property.UserProperty) + 2
PROPERTY_CODE = int(QTextBlockFormat.Property.UserProperty) + 3
PROPERTY_SOURCE = int(QTextBlockFormat.Property.UserProperty) + 4
PROPERTY_MARK = int(QTextBlockFormat.Property.UserProperty) + 5

CHECKED, UNCHECKED = "[x]", "[ ]"

HEADING_SIZES = {1: 22, 2: 19, 3: 17, 4: 15, 5: 15, 6: 15}
LINE_PERCENT = ANSWER_LINE_HEIGHT / 1.21 * 100  # Qt counts from the font's own line, which in Inter is 1.21 of its size
_SPECIFIED_ONLY = QTextCharFormat.FontPropertiesInheritanceBehavior.FontPropertiesSpecifiedOnly
_BLOCK_GAP, _TIGHT_GAP, _HEADING_GAP = 12, 5, 20


@dataclass(frozen=True, slots=True)
class DocumentStyle:
    """Sizes in zoomed pixels, colours of the mode, and the device pixel ratio pictures are drawn for."""

    tokens: Tokens
    pixels: int
    scale: float
    ratio: float

    @classmethod
    def current(cls, ratio: float, size: int = TEXT_ANSWER) -> "DocumentStyle":
        """The style of the theme in force."""
        now = theme()
        return cls(now.tokens, now.px(size), now.zoom / 100, ratio)

    def px(self, pixels: float) -> int:
        """A design size in zoomed pixels."""
        return round(pixels * self.scale)

    @property
    def indent(self) -> int:
        """The width of one list level."""
        return self.px(26)

    def gap(self, previous: Block | None, block: Block) -> int:
        """The space above a block, by what stands above it."""
        if previous is None:
            return 0
        if block.kind == "h":
            return self.px(_HEADING_GAP if previous.kind != "h" else _BLOCK_GAP)
        if block.tight and previous.tight and block.quote == previous.quote:
            return self.px(_TIGHT_GAP)
        if previous.kind == "h":
            return self.px(_TIGHT_GAP + 3)
        return self.px(_BLOCK_GAP)

    def block_format(self, block: Block) -> QTextBlockFormat:
        """Indent, line height and direction of a block; the space above it is set apart."""
        made = QTextBlockFormat()
        percent = 108.0 if block.kind == "h" else LINE_PERCENT
        made.setLineHeight(percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        if block.kind == "rule":
            made.setProperty(PROPERTY_RULE, True)
        if has_code(block.spans):
            made.setProperty(PROPERTY_CODE, True)
        if block.kind == "math":
            made.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            made.setLineHeight(100, QTextBlockFormat.LineHeightTypes.SingleHeight.value)
        if block.quote:
            made.setProperty(PROPERTY_QUOTE, block.quote)
            made.setLeftMargin(self.px(18) * block.quote)
        made.setIndent(block.indent)
        if block.mark is not None:
            made.setProperty(PROPERTY_MARK, _mark_text(block.mark, block.indent))
        return made

    def char_format(self, span: Span, block: Block) -> QTextCharFormat:
        """Font and colour of a span."""
        made = self.base_format(block)
        if Style.BOLD in span.style:
            made.setFontWeight(QFont.Weight.Bold if block.kind == "h" else QFont.Weight.DemiBold)
        if Style.ITALIC in span.style or Style.IMAGE in span.style:
            made.setFontItalic(True)
        if Style.STRIKE in span.style:
            made.setFontStrikeOut(True)
        if Style.CODE in span.style or Style.MATH in span.style:
            made.setFont(make_font(round(self._size(block) * 0.9), mono=True), _SPECIFIED_ONLY)
            made.setProperty(PROPERTY_CODE, True)
        if Style.IMAGE in span.style:
            made.setForeground(QColor(self.tokens.secondary))
        if span.href:
            made.setAnchor(True)
            made.setAnchorHref(span.href)
            made.setToolTip(span.href)
            made.setForeground(QColor(self.tokens.link))
            made.setFontUnderline(True)
        return made

    def base_format(self, block: Block) -> QTextCharFormat:
        """The format of plain text in a block, and of its list mark."""
        made = QTextCharFormat()
        made.setProperty(int(QTextCharFormat.Property.FontPixelSize), self._size(block))
        muted = block.quote and block.kind != "h"
        made.setForeground(QColor(self.tokens.secondary if muted else self.tokens.text))
        if block.kind == "h":
            made.setFontWeight(QFont.Weight.DemiBold)
        if block.kind == "rule":
            made.setProperty(int(QTextCharFormat.Property.FontPixelSize), max(1, self.px(4)))
        return made

    def _size(self, block: Block) -> int:
        return self.px(HEADING_SIZES[block.level]) if block.kind == "h" else self.pixels


def has_code(spans: Sequence[Span]) -> bool:
    """Whether any span stands on the ground of code; asking the document for it at each painting is slow."""
    return any(Style.CODE in span.style or Style.MATH in span.style for span in spans)


def _mark_text(mark: ListMark, depth: int) -> str:
    if mark.checked is not None:
        return CHECKED if mark.checked else UNCHECKED
    return "•◦▪"[min(max(depth - 1, 0), 2)] if mark.number is None else f"{mark.number}{mark.suffix}"
