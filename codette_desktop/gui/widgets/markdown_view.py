"""An answer: Markdown that may still be streaming, drawn block by block, as high as its content."""

import re
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, cast

from PySide6.QtCore import QRect, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import theme
from codette_desktop.gui.theme.tokens import ANSWER_WIDTH
from codette_desktop.gui.widgets.code_block import CodeBlock
from codette_desktop.gui.widgets.frame_flusher import frame_flusher
from codette_desktop.gui.widgets.markdown.math_images import math_images
from codette_desktop.gui.widgets.markdown.parser import ChunkParser
from codette_desktop.gui.widgets.markdown.pieces import CodePiece, Piece, TablePiece, TextPiece
from codette_desktop.gui.widgets.markdown.segments import Segment, TableSegment, TextSegment
from codette_desktop.gui.widgets.markdown.selection import SelectingWidget
from codette_desktop.gui.widgets.markdown.splitter import ChunkSplitter
from codette_desktop.gui.widgets.markdown.style import DocumentStyle
from codette_desktop.gui.widgets.markdown.tail import MAX_FORMATTED, formatted, open_fence

FRAME_BUDGET_MS = 6.0
FIRST_BUDGET_MS = 40.0  # what `set_markdown` may draw before it returns; the rest follows frame by frame

# What Qt's documents or UTF-8 cannot hold: surrogates, NUL, Qt's own frame marks and object place-holders.
_UNFIT = re.compile("[\ud800-\udfff\x00\ufdd0-\ufdef\ufffc\ufffe\uffff\u2029]")


class MarkdownView(SelectingWidget):
    """Shows Markdown. GUI thread only.

    Nothing in it is fetched or opened: images stand as their description, HTML as text, and a link that is clicked is
    told by `link_activated`. It sets its own height for the width it is given, which is `most_width` design pixels at
    most: lines that are longer are hard to read.
    """

    link_activated = Signal(str)
    height_changed = Signal(int)
    rendered = Signal()

    def __init__(self, parent: QWidget | None = None, *, most_width: int = ANSWER_WIDTH) -> None:
        super().__init__(parent)
        self._most_width = most_width
        self.setAccessibleName(tr("Answer"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # Growing at the end must not paint again what stands above.
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)
        self._segments: list[Segment] = []
        self._tail: list[Segment] = []
        self._spare: list[TextSegment] = []
        self._tops: list[int] = []  # upper edge of each segment that is in place, closed ones and tail
        self._highlight: tuple[str, ...] = ()
        self._reset_text()
        theme().changed.connect(self._restyle)
        math_images().loaded.connect(self._on_math_loaded, Qt.ConnectionType.QueuedConnection)
        self.setMaximumWidth(theme().px(self._most_width))

    def _reset_text(self) -> None:
        self._source: list[str] = []
        self._incoming: list[str] = []
        self._chunks: deque[str] = deque()
        self._splitter = ChunkSplitter()
        self._parser = ChunkParser()
        self._shown_tail = ""
        self._held_return = False

    # Text

    def text(self) -> str:
        """The Markdown that was given, cleaned of what cannot be shown."""
        return "".join(self._source)

    def append(self, text: str) -> None:
        """Adds text at the end; it is drawn with the next frame."""
        if text:
            self._take(text)
            frame_flusher().request(self._on_frame)

    def finish(self) -> None:
        """No more text comes: what is open closes as it is."""
        self._feed()
        self._chunks.extend(self._splitter.finish())
        if self._work(FRAME_BUDGET_MS):
            frame_flusher().request(self._on_frame)

    def set_markdown(self, text: str) -> None:
        """Shows a whole text: the beginning at once, what is far below in the next frames."""
        self.clear()
        self._take(text)
        self._feed()
        self._chunks.extend(self._splitter.finish())
        if self._work(FIRST_BUDGET_MS):
            frame_flusher().request(self._on_frame)

    def clear(self) -> None:
        """Empties the view."""
        frame_flusher().cancel(self._on_frame)
        for segment in (*self._segments, *self._tail):
            self._drop(segment)
        self._segments, self._tail, self._tops = [], [], []
        self._reset_text()
        self._arrange(0)

    def flush(self) -> None:
        """Draws all that is pending now, formulas too."""
        self._feed()
        if (
            any(segment.waiting for segment in (*self._segments, *self._tail))
            or "\\" in self.text()
            or "$" in self.text()
        ):
            math_images().load_now()
        self._work(None)
        self._on_math_loaded()
        for block in self.findChildren(CodeBlock):
            block.finish_colours()

    def set_highlight(self, words: Iterable[str]) -> None:
        """Marks these words wherever they stand; none removes the marks."""
        self._highlight = tuple(words)
        for segment in self._segments:
            segment.leaf.set_highlight(self._highlight)

    def plain(self) -> str:
        """The words as they stand on the screen, without Markdown, each box on lines of its own."""
        return "\n".join(segment.leaf.plain() for segment in (*self._segments, *self._tail))

    def set_marks(self, ranges: Iterable[tuple[int, int]], token: str) -> None:
        """Marks ranges of characters of `plain` with the colour of that token; none removes the marks."""
        waiting = deque(ranges)
        start = 0
        for segment in (*self._segments, *self._tail):
            text = segment.leaf.plain()
            end = start + len(text)
            inside: list[tuple[int, int]] = []
            while waiting and waiting[0][0] < end:
                low, high = waiting.popleft()
                inside.append((max(low, start) - start, min(high, end) - start))
                if high > end + 1:
                    waiting.appendleft((end + 1, high))
                    break
            segment.leaf.set_marks(_positions(text, inside), QColor(theme().tokens.colour(token)))
            start = end + 1

    def sizeHint(self) -> QSize:
        return QSize(self.maximumWidth(), self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(160), self.height())

    # Drawing

    def _take(self, text: str) -> None:
        if not text.isascii() or "\x00" in text:
            text = _UNFIT.sub("\ufffd", text)
        if self._held_return:
            text = "\r" + text
        self._held_return = text.endswith("\r")
        if self._held_return:
            text = text[:-1]
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._source.append(text)
        self._incoming.append(text)

    def _feed(self) -> None:
        if self._incoming:
            self._chunks.extend(self._splitter.feed("".join(self._incoming)))
            self._incoming.clear()

    def _on_frame(self) -> bool:
        self._feed()
        return self._work(FRAME_BUDGET_MS)

    def _work(self, budget_ms: float | None) -> bool:
        """Draws chunks while the budget lasts, then the tail; True while something is left."""
        end = time.perf_counter() + budget_ms / 1000 if budget_ms is not None else float("inf")
        changed_from = len(self._segments)
        while self._chunks and time.perf_counter() < end:
            changed_from = min(changed_from, max(0, len(self._segments) - 1))
            self._commit(self._parser.parse(self._chunks.popleft()))
        if not self._chunks:
            self._show_tail()
        self._arrange(changed_from)
        if self._chunks:
            return True
        self.rendered.emit()
        return False

    def _commit(self, pieces: list[Piece]) -> None:
        """Makes a closed chunk part of the answer, using what the tail has drawn of it already."""
        tail, self._tail = self._tail, []
        self._shown_tail = ""
        for piece in pieces:
            last = self._segments[-1] if self._segments else None
            if isinstance(piece, TextPiece) and isinstance(last, TextSegment) and last.has_room():
                last.add(piece.blocks)
                last.set_highlight(self._highlight)
                continue
            segment = next((each for each in tail if isinstance(each, _kind_of(piece))), None)
            if segment is None:
                segment = self._new_segment(piece)
            else:
                tail.remove(segment)
            segment.show_piece(piece, final=True)
            segment.indent = 0 if isinstance(piece, TextPiece) else piece.indent
            if self._highlight:
                segment.leaf.set_highlight(self._highlight)
            self._segments.append(segment)
        for segment in tail:
            self._drop(segment)

    def _show_tail(self) -> None:
        tail = self._splitter.tail
        if tail == self._shown_tail:
            return
        self._shown_tail = tail
        if not tail.strip():
            pieces: list[Piece] = []
        elif self._splitter.tail_is_fence:
            pieces = [open_fence(tail)]
        elif len(tail) > MAX_FORMATTED:
            self._match_tail([TextPiece(())])
            cast(TextSegment, self._tail[0]).show_plain(tail)
            return
        else:
            pieces = formatted(self._parser, tail)
        self._match_tail(pieces)
        for segment, piece in zip(self._tail, pieces, strict=True):
            segment.show_piece(piece, final=False)
            segment.indent = 0 if isinstance(piece, TextPiece) else piece.indent

    def _match_tail(self, pieces: list[Piece]) -> None:
        """Gives the tail one segment of the right kind for each piece, keeping those that fit."""
        for number, piece in enumerate(pieces):
            if number < len(self._tail) and isinstance(self._tail[number], _kind_of(piece)):
                continue
            for segment in self._tail[number:]:
                self._drop(segment)
            self._tail[number:] = [self._new_segment(piece)]
        for segment in self._tail[len(pieces) :]:
            self._drop(segment)
        del self._tail[len(pieces) :]

    def _new_segment(self, piece: Piece) -> Segment:
        if isinstance(piece, TextPiece) and self._spare:
            segment: Any = self._spare.pop()
        else:
            segment = _kind_of(piece)(parent=self)
            leaf = segment.leaf
            leaf.anchorClicked.connect(self._on_anchor)
            self.watch(leaf)
        return segment

    def _drop(self, segment: Segment) -> None:
        if isinstance(segment, TextSegment) and not self._spare:
            segment.show_piece(TextPiece(()), final=False)
            segment.hide()
            self._spare.append(segment)
            return
        self.unwatch(segment.leaf)
        segment.widget().hide()
        segment.widget().deleteLater()

    # Layout

    def leaves(self) -> list[Any]:
        return [segment.leaf for segment in (*self._segments, *self._tail)]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._arrange(0)

    def _arrange(self, first: int) -> None:
        """Places the segments from number `first` on, one below the other."""
        style = DocumentStyle.current(self.devicePixelRatioF())
        segments = [*self._segments, *self._tail]
        first = min(first, len(self._tops))
        del self._tops[first:]
        y = 0
        if first and segments[first - 1 :]:
            y = self._tops[first - 1] + segments[first - 1].widget().height()
        for number in range(first, len(segments)):
            segment = segments[number]
            if number:
                y += style.gap(segments[number - 1].last_block, segment.first_block)
            x = segment.indent * style.indent
            width = max(style.px(80), self.width() - x)
            height = segment.height_for(width)
            widget = segment.widget()
            if widget.geometry() != QRect(x, y, width, height):
                widget.setGeometry(x, y, width, height)
            if widget.isHidden():
                widget.show()
            self._tops.append(y)
            y += height
        self._set_height(y)

    def _set_height(self, height: int) -> None:
        if height != self.minimumHeight() or height != self.maximumHeight():
            self.setFixedHeight(height)
            self.updateGeometry()
            self.height_changed.emit(height)

    # Answers to the outside

    def _restyle(self) -> None:
        self.setMaximumWidth(theme().px(self._most_width))
        for segment in (*self._segments, *self._tail):
            segment.restyle()
            segment.leaf.set_highlight(self._highlight)
        self._arrange(0)

    def _on_math_loaded(self) -> None:
        waiting = [segment for segment in (*self._segments, *self._tail) if segment.waiting]
        for segment in waiting:
            segment.restyle()
        if waiting:
            self._arrange(0)

    def _on_anchor(self, url: QUrl) -> None:
        self.link_activated.emit(url.toString())


def _positions(text: str, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges of characters as positions in a document, where those beyond the basic plane count twice."""
    if not ranges or text.isascii() or max(text) < "\U00010000":
        return ranges

    def position(at: int) -> int:
        return at + sum(character >= "\U00010000" for character in text[:at])

    return [(position(low), position(high)) for low, high in ranges]


def _kind_of(piece: Piece) -> type[Any]:
    if isinstance(piece, CodePiece):
        return CodeBlock
    return TableSegment if isinstance(piece, TablePiece) else TextSegment
