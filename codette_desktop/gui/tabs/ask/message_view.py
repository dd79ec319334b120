"""The messages of a conversation, a widget each: the newest at once, older ones when somebody scrolls up to them."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from codette_desktop.domain.conversations import Node
from codette_desktop.domain.messages import Role
from codette_desktop.domain.votes import Preference
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.ask.answer_card import AnswerCard
from codette_desktop.gui.tabs.ask.message_card import MessageCard
from codette_desktop.gui.tabs.ask.question_card import QuestionCard
from codette_desktop.gui.tabs.ask.state import ChatState, LiveAnswer
from codette_desktop.gui.theme import theme
from codette_desktop.gui.theme.tokens import ANSWER_WIDTH
from codette_desktop.gui.widgets import ChipButton
from codette_desktop.gui.widgets.scroll_column import Paper

FIRST_CARDS = 60
MORE_CARDS = 30
_BOTTOM_SLACK = 24


class MessageView(QScrollArea):
    """Draws a `ChatState`: cards that are right already stay, so that nothing flickers and selections survive."""

    edited = Signal(str, str)
    again_wanted = Signal(str)
    walked = Signal(str, int)
    copied = Signal(str)
    rated = Signal(str, object)
    link_activated = Signal(str)
    record_wanted = Signal(str)
    cards_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Messages"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._nodes: list[Node] = []
        self._first = 0
        self.cards: list[MessageCard] = []
        self.live_card: AnswerCard | None = None
        self.thumb_of: Callable[[str], Preference | None] = lambda _node_id: None
        self._live: LiveAnswer | None = None
        self._error_card: AnswerCard | None = None
        self._conversation_id = ""
        self._sticky = True
        self._loading_older = False
        self._column = self._make_column()
        self.jump = ChipButton(tr("Newest"), "arrow-down")
        self.jump.setParent(self)
        self.jump.setAccessibleName(tr("Jump to the newest message"))
        self.jump.clicked.connect(self.to_bottom)
        self.jump.hide()
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._on_range)
        bar.valueChanged.connect(self._on_value)
        theme().changed.connect(self._resize_column)

    def _make_column(self) -> QVBoxLayout:
        page = self._page = Paper("window")
        outer = QHBoxLayout(page)
        spaced(outer, (24, 16, 24, 20), 0)
        self._middle = QWidget()
        self._middle.setAttribute(Qt.WidgetAttribute.WA_StaticContents)  # it grows at its end, see `Paper`
        self._middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        outer.addStretch(1)
        outer.addWidget(self._middle, 1000)
        outer.addStretch(1)
        column = QVBoxLayout(self._middle)
        spaced(column, spacing=24)
        column.addStretch(1)
        self.setWidget(page)
        self._resize_column()
        return column

    def _resize_column(self) -> None:
        self._middle.setMaximumWidth(theme().px(ANSWER_WIDTH))

    # Drawing a state

    def show_state(self, state: ChatState) -> None:
        """Make the screen agree with `state`."""
        if state.conversation.id != self._conversation_id and not self._grew_from_blank(state):
            self._clear()
            self._sticky = True
        self._conversation_id = state.conversation.id
        self._drop_error()
        self._show_nodes(list(state.nodes), state.live)
        self._show_live(state.live)
        if state.error is not None and state.live is None and not _tells_itself(state.nodes):
            self._show_error(state)
        self._mark_ends(state)
        self.cards_changed.emit()

    def _grew_from_blank(self, state: ChatState) -> bool:
        return not self._conversation_id and not self.cards and bool(state.conversation.id)

    def _show_nodes(self, nodes: list[Node], live: LiveAnswer | None) -> None:
        same = 0
        while same < min(len(nodes), len(self._nodes)) and nodes[same].id == self._nodes[same].id:
            same += 1
        while self.cards and self._first + len(self.cards) > same:
            self._remove(self.cards.pop())
        if not self.cards:
            self._first = max(0, len(nodes) - FIRST_CARDS) if same == 0 or self._first > same else self._first
            self._first = min(self._first, len(nodes))
        self._nodes = nodes
        for at, card in enumerate(self.cards):
            card.set_node(nodes[self._first + at])
        for node in nodes[self._first + len(self.cards) :]:
            card = self._adopt_live(node) if live is None else None
            if card is None:
                card = self._make_card(node)
                self._column.insertWidget(self._column.count() - 1 - self._after(), card)
            self.cards.append(card)

    def _after(self) -> int:
        """How many widgets stand below the cards."""
        return 1 if self.live_card is not None else 0

    def _adopt_live(self, node: Node) -> AnswerCard | None:
        """The card that streamed an answer goes on showing it once it is stored."""
        card = self.live_card
        if card is None or node.message.role is not Role.ASSISTANT or self._live is None:
            return None
        if self._live.parent_id != node.parent_id:
            return None
        self.live_card = self._live = None
        card.set_node(node)
        return card

    def _show_live(self, live: LiveAnswer | None) -> None:
        if self.live_card is not None and live is not self._live:
            self._remove(self.live_card)
            self.live_card = None
        self._live = live
        if live is None:
            return
        if self.live_card is not None:
            self.live_card.speaker.setText(live.speaker)
            return
        self.live_card = AnswerCard(live.speaker)
        self._connect_answer(self.live_card)
        self.live_card.set_busy(True)
        self.live_card.show_note(live.notice)
        if live.chunks:
            self.live_card.append(live.text)
        else:
            self.live_card.show_waiting(tr("Reading the question …"))
        self._column.insertWidget(self._column.count() - 1, self.live_card)

    def answer_grew(self, text: str) -> None:
        """More of the live answer."""
        if self.live_card is not None:
            self.live_card.append(text)

    def show_waiting(self, text: str) -> None:
        """What the live answer waits for, while nothing of it has come."""
        if self.live_card is not None and self._live is not None and not self._live.chunks:
            self.live_card.show_waiting(text)

    def _show_error(self, state: ChatState) -> None:
        card = AnswerCard(tr("Not answered"))
        if state.error is not None:
            card.show_error(state.error)
        card.copy_button.hide()
        card.again_button.hide()
        card.retry_button.setVisible(bool(state.nodes) and state.nodes[-1].message.role is Role.USER)
        card.again_wanted.connect(lambda _="": self.again_wanted.emit(""))
        self._error_card = card
        self._column.insertWidget(self._column.count() - 1, card)

    def _drop_error(self) -> None:
        if self._error_card is not None:
            self._remove(self._error_card)
            self._error_card = None

    def _mark_ends(self, state: ChatState) -> None:
        busy = state.live is not None
        last = self.cards[-1] if self.cards else None
        for card in self.cards:
            card.set_busy(busy)
            if isinstance(card, QuestionCard):
                card.show_missing(card is last and not busy and state.error is None)

    # Cards

    def _make_card(self, node: Node) -> MessageCard:
        card: MessageCard
        if node.message.role is Role.ASSISTANT:
            card = AnswerCard()
            self._connect_answer(card)
        else:
            card = QuestionCard()
            card.edited.connect(self.edited)
            card.answer_wanted.connect(self.again_wanted)
            self._connect(card)
        card.set_node(node)
        if isinstance(card, AnswerCard):
            card.thumbs.show_rating(self.thumb_of(node.id))
        return card

    def _connect_answer(self, card: AnswerCard) -> None:
        card.again_wanted.connect(self.again_wanted)
        card.link_activated.connect(self.link_activated)
        card.seed_copied.connect(self.copied)
        card.rated.connect(self.rated)
        card.record_wanted.connect(self.record_wanted)
        self._connect(card)

    def _connect(self, card: MessageCard) -> None:
        card.walked.connect(self.walked)
        card.copied.connect(self.copied)

    def _remove(self, card: QWidget) -> None:
        self._column.removeWidget(card)
        card.hide()
        if isinstance(card, AnswerCard):
            card.discard()
        card.deleteLater()

    def _clear(self) -> None:
        for card in self.cards:
            self._remove(card)
        if self.live_card is not None:
            self._remove(self.live_card)
        self._drop_error()
        self.cards, self._nodes, self.live_card, self._live, self._first = [], [], None, None, 0

    def discard(self) -> None:
        """The window closes: nothing is drawn any more."""
        for card in (*self.cards, self.live_card, self._error_card):
            if isinstance(card, AnswerCard):
                card.discard()

    def _load_older(self, count: int = MORE_CARDS) -> None:
        """Create the cards above the first one and keep what is on view where it is."""
        if not self._first or self._loading_older:
            return
        self._loading_older = True
        bar = self.verticalScrollBar()
        below = bar.maximum() - bar.value()
        start = max(0, self._first - count)
        for offset, node in enumerate(self._nodes[start : self._first]):
            card = self._make_card(node)
            self.cards.insert(offset, card)
            self._column.insertWidget(offset, card)
        self._first = start
        self._settle(lambda: bar.setValue(bar.maximum() - below))

    def _settle(self, then: Callable[[], None]) -> None:
        if (layout := self._page.layout()) is not None:
            layout.activate()
        self._page.adjustSize()

        def done() -> None:
            then()
            self._loading_older = False
            self.cards_changed.emit()

        then()
        QTimer.singleShot(0, self, done)

    def card_of(self, node_id: str) -> MessageCard | None:
        """The card of a message, created if it is an older one; None where the branch does not hold it."""
        at = next((index for index, node in enumerate(self._nodes) if node.id == node_id), -1)
        if at < 0:
            return None
        if at < self._first:
            self._load_older(self._first - at)
        return self.cards[at - self._first]

    def nodes(self) -> list[Node]:
        """All messages of the branch, with cards or not."""
        return self._nodes

    # Scrolling

    @property
    def at_bottom(self) -> bool:
        """Whether new words keep coming into view."""
        return self._sticky

    def to_bottom(self) -> None:
        """Go to the newest message and stay there."""
        self._sticky = True
        bar = self.verticalScrollBar()
        bar.setValue(bar.maximum())
        self._place_jump()

    def reveal(self, card: QWidget) -> None:
        """Scroll so that the top of a card is on view."""
        top = card.mapTo(self._page, card.rect().topLeft()).y()
        bar = self.verticalScrollBar()
        bar.setValue(max(0, top - theme().px(24)))
        self._sticky = bar.value() >= bar.maximum() - theme().px(_BOTTOM_SLACK)
        self._place_jump()

    def _on_range(self) -> None:
        bar = self.verticalScrollBar()
        if self._sticky or bar.maximum() == 0:
            self._sticky = True
            # Qt scrolls by copying pixels only where nothing waits to be painted: so what has grown is painted first.
            self._page.repaint(0, 0, 1, 1)
            bar.setValue(bar.maximum())
        self._place_jump()

    def _on_value(self, value: int) -> None:
        bar = self.verticalScrollBar()
        self._sticky = value >= bar.maximum() - theme().px(_BOTTOM_SLACK)
        if value < theme().px(200) and self._first and not self._sticky:
            self._load_older()
        self._place_jump()

    def _place_jump(self) -> None:
        self.jump.setVisible(not self._sticky)
        if self._sticky:
            return
        self.jump.adjustSize()
        view = self.viewport()
        self.jump.move(
            view.x() + (view.width() - self.jump.width()) // 2,
            view.y() + view.height() - self.jump.height() - theme().px(8),
        )
        self.jump.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._sticky:
            self.to_bottom()
        self._place_jump()


def _tells_itself(nodes: tuple[Node, ...]) -> bool:
    """Whether the last message is a failed answer that shows its error."""
    return bool(nodes) and nodes[-1].generation is not None and bool(nodes[-1].generation.error)
