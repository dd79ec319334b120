"""The Ask tab: the side list, the conversation on view, the composer, and the chat's settings."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.answers import ContextUse
from codette_desktop.domain.comparisons import Origin
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.models import AUTO
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.ask.answer_card import AnswerCard
from codette_desktop.gui.tabs.ask.chat_panel import ChatPanel
from codette_desktop.gui.tabs.ask.commands import Commands
from codette_desktop.gui.tabs.ask.composer import Composer
from codette_desktop.gui.tabs.ask.empty_chat import EmptyChat
from codette_desktop.gui.tabs.ask.find_bar import FindBar
from codette_desktop.gui.tabs.ask.message_card import MessageCard
from codette_desktop.gui.tabs.ask.message_view import MessageView
from codette_desktop.gui.tabs.ask.presenter import AskPresenter
from codette_desktop.gui.tabs.ask.question_card import QuestionCard
from codette_desktop.gui.tabs.ask.role_commands import RoleCommands
from codette_desktop.gui.tabs.ask.side_list import SideList
from codette_desktop.gui.tabs.ask.state import ChatState
from codette_desktop.gui.tabs.ask.wording import error_text
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets import ToastHost, dialogs
from codette_desktop.inference.dispatch import Plan

if TYPE_CHECKING:
    from codette_desktop.application import Application


_WIDTHS = (260, 900, 320)


class AskTab(QWidget):
    """Draws what its presenter says (`AskView`) and passes on what the person does.

    `compare_wanted` carries a question for several models, and the `Origin` in the chat or None; `record_wanted` the id
    of the generation whose flight record is to be shown.
    """

    state_shown = Signal(object)
    context_shown = Signal(object)
    models_wanted = Signal()
    conversation_shown = Signal()
    compare_wanted = Signal(str, object)
    record_wanted = Signal(str)

    def __init__(self, application: "Application", toasts: ToastHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._toasts = toasts
        self._state: ChatState | None = None
        self._words: list[str] = []
        self.tasks = Tasks(self.show_error)
        self.side = SideList(application.store.conversations)
        self.messages = MessageView()
        self.empty = EmptyChat()
        self.find_bar = FindBar()
        self.composer = Composer()
        self._panel: ChatPanel | None = None
        self.presenter = AskPresenter(application, self)
        self.commands = Commands(application, self.presenter, self.tasks, toasts, self)
        self.roles = RoleCommands(application, self.presenter, toasts, self)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.messages)
        work = QWidget()
        column = QVBoxLayout(work)
        spaced(column, spacing=0)
        column.addWidget(self.find_bar)
        column.addWidget(self.stack, 1)
        column.addWidget(self.composer)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        for widget in (self.side, work):
            self.splitter.addWidget(widget)
        self.splitter.setStretchFactor(1, 1)
        self._zoom = theme().zoom
        self.splitter.setSizes([theme().px(width) for width in _WIDTHS[:2]])
        sized(self.side, minimum=(180, 0))
        theme().changed.connect(self._keep_proportions)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(self.splitter)

    def _keep_proportions(self) -> None:
        """The side list grows with its words."""
        if theme().zoom == self._zoom:
            return
        ratio, self._zoom = theme().zoom / self._zoom, theme().zoom
        side, work, *panel = self.splitter.sizes()
        edges = [round(width * ratio) for width in (side, *panel)]
        wider = sum(edges) - side - sum(panel)
        self.splitter.setSizes([edges[0], max(1, work - wider), *edges[1:]])

    def _connect(self) -> None:
        presenter, composer = self.presenter, self.composer
        composer.submitted.connect(self._on_submitted)
        composer.stop_wanted.connect(presenter.stop)
        composer.text_changed.connect(presenter.draft_changed)
        composer.ensemble_wanted.connect(self._on_ensemble)
        composer.settings_wanted.connect(self.open_panel)
        composer.preset_chosen.connect(self.commands.use_preset)
        composer.preset_save_wanted.connect(self.commands.save_preset)
        composer.preset_delete_wanted.connect(self.commands.delete_preset)
        composer.queued_dropped.connect(presenter.drop_queued)
        composer.gauge.clicked.connect(lambda: self.open_panel("system"))
        self.empty.asked.connect(lambda text: presenter.is_busy or presenter.send(text))
        self.empty.bigger_wanted.connect(self.models_wanted)
        self.messages.edited.connect(presenter.edit)
        self.messages.again_wanted.connect(lambda node: presenter.regenerate(node or None))
        self.messages.walked.connect(presenter.walk)
        for signal in (self.messages.edited, self.messages.again_wanted, self.messages.walked):
            signal.connect(composer.focus)  # what was clicked goes or is disabled: the keyboard must not go with it
        self.messages.copied.connect(self._on_copied)
        self.messages.thumb_of = self.commands.thumb_of
        self.messages.rated.connect(self.commands.rate)
        self.messages.record_wanted.connect(self.record_wanted)
        self.messages.link_activated.connect(lambda link: self.tasks.start(self._open_link(link), "open a link"))
        self.messages.cards_changed.connect(self._on_cards)
        self.side.opened.connect(self._on_opened)
        self.side.new_wanted.connect(self.new_chat)
        self.side.renamed.connect(self.commands.rename)
        self.side.delete_wanted.connect(self.commands.delete)
        self.side.export_wanted.connect(self.commands.export)
        self.side.import_wanted.connect(self.commands.import_files)
        self.find_bar.moved.connect(self._on_find_moved)
        self.find_bar.words_changed.connect(self._mark_words)
        self.find_bar.closed.connect(composer.focus)

    @property
    def panel(self) -> ChatPanel:
        """The chat's settings: made when they are first looked at, for the window must open fast."""
        if self._panel is None:
            panel = self._panel = ChatPanel()
            panel.hide()
            self.splitter.addWidget(panel)
            side, work = self.splitter.sizes()[:2]
            self.splitter.setSizes([side, work, theme().px(_WIDTHS[2])])
            panel.sampling_changed.connect(self.commands.change_sampling)
            panel.system_prompt_changed.connect(lambda text: self.presenter.set_settings(system_prompt=text))
            panel.role_chosen.connect(self.roles.use)
            panel.save_preset_wanted.connect(self.commands.save_preset)
            panel.close_wanted.connect(panel.hide)
            conversation = self.presenter.conversation
            panel.show_roles(self.roles.all())
            panel.fill(conversation.system_prompt, conversation.sampling)
        return self._panel

    def show_roles(self) -> None:
        """There may be other roles now, or the same with other prompts."""
        if self._panel is not None:
            self._panel.show_roles(self.roles.all())
        self.show_system_prompt()

    def show_system_prompt(self) -> None:
        """Say in the composer whether there is one, and whose."""
        text = self.presenter.conversation.system_prompt
        self.composer.set_system_prompt(text, self.roles.title_of(text))

    def flush_panel(self) -> None:
        """What was just changed in the chat's settings counts."""
        if self._panel is not None:
            self._panel.flush()

    def start(self) -> None:
        """Show what was on view last time."""
        self.side.reload()
        self.presenter.show_last()

    # AskView

    def show_state(self, state: ChatState) -> None:
        """See `AskView`."""
        self._state = state
        blank = not state.nodes and state.live is None and state.error is None
        if blank:
            auto = state.conversation.model == AUTO
            self.empty.show_model(self.commands.model_of(state.conversation), auto=auto)
        self.messages.show_state(state)
        self.stack.setCurrentWidget(self.empty if blank else self.messages)
        self.composer.set_answering(state.live is not None)
        if state.live is not None:
            self.show_plan(None)
        self.composer.set_queued(state.queued)
        self.show_system_prompt()
        self.commands.show_presets()
        if self._panel is not None:
            self._panel.fill(state.conversation.system_prompt, state.conversation.sampling)
        self.side.set_current(state.conversation.id)
        self.find_bar.set_nodes(state.nodes)
        self.state_shown.emit(state)

    def answer_grew(self, text: str) -> None:
        """See `AskView`."""
        self.messages.answer_grew(text)

    def put_draft(self, text: str) -> None:
        """See `AskView`."""
        self.composer.set_text(text)

    def show_chat(self, conversation_id: str) -> None:
        """A chat that was begun, or went on, elsewhere."""
        self.side.reload()
        if self.presenter.open(conversation_id):  # anew also where it is on view: it may have grown
            self.composer.focus()
            self.conversation_shown.emit()

    def list_changed(self) -> None:
        """See `AskView`."""
        self.side.reload()
        self.side.model.set_answering(self.presenter.answering)

    def show_context(self, use: ContextUse | None, error: CodetteError | None = None) -> None:
        """See `AskView`."""
        self.composer.show_context(use, error_text(error) if error else "")
        self.context_shown.emit(use)

    def show_plan(self, plan: Plan | None) -> None:
        """See `AskView`."""
        self.composer.plan_line.show_plan(plan)

    def show_error(self, error: CodetteError) -> None:
        """See `AskView`."""
        self._toasts.show_toast(error_text(error), "bad", timeout_ms=10_000)

    # What the window's shortcuts do here

    def new_chat(self) -> None:
        """Ctrl+N."""
        self.flush_panel()
        self.find_bar.close_bar()
        self.presenter.new_chat()
        self.composer.focus()

    def open_find(self) -> None:
        """Ctrl+F."""
        self.find_bar.open_bar(self._selected_text())

    def stop(self) -> None:
        """Esc: the innermost thing first."""
        if self.find_bar.isVisible():
            self.find_bar.close_bar()
        else:
            self.presenter.stop()

    def edit_last(self) -> None:
        """Ctrl+Up: edit the newest question."""
        card = next((card for card in reversed(self.messages.cards) if isinstance(card, QuestionCard)), None)
        if card is not None:
            card.begin_edit()
            self.messages.ensureWidgetVisible(card)

    def copy_last(self) -> None:
        """Ctrl+Shift+C: copy the newest answer."""
        card = next((card for card in reversed(self.messages.cards) if isinstance(card, AnswerCard)), None)
        if card is not None:
            self._on_copied(card.text())

    def toggle_side(self) -> bool:
        """Ctrl+B; gives whether the list is shown now."""
        self.side.setVisible(self.side.isHidden())
        return not self.side.isHidden()

    def toggle_panel(self) -> None:
        """Ctrl+."""
        if self.panel.isVisible():
            self.panel.hide()
            self.composer.focus()
        else:
            self.open_panel("sampling")

    def open_panel(self, part: str) -> None:
        """Show the chat's settings with the cursor in `part`."""
        self.panel.show()
        self.panel.focus(part)

    # What the person did

    def _on_submitted(self, text: str) -> None:
        self.flush_panel()  # a parameter changed a moment ago counts for this question
        self.presenter.send(text)

    def _on_opened(self, conversation_id: str, words: str, node_id: str) -> None:
        self.flush_panel()
        if conversation_id != self.presenter.conversation.id and not self.presenter.open(conversation_id):
            self.side.reload()
            return
        if words.strip():
            self._show_found(words, node_id)
        else:
            self.find_bar.close_bar()
            self.composer.focus()
        self.conversation_shown.emit()

    def _show_found(self, words: str, node_id: str) -> None:
        """Mark the words that were searched for, and show the message that holds them."""
        parts = [word.strip('"') for word in words.split()]
        self._mark_words([word for word in parts if word])
        card = self.messages.card_of(node_id) if node_id else None
        if card is not None:
            self._after_layout(lambda: self.messages.reveal(card))

    def _after_layout(self, work: Callable[[], None]) -> None:
        QTimer.singleShot(0, self, work)

    def reveal(self, node_id: str) -> None:
        """Bring a message of the chat on view into sight, once it is laid out."""
        self._after_layout(lambda: self._on_find_moved(node_id))

    def _on_find_moved(self, node_id: str) -> None:
        card = self.messages.card_of(node_id)
        if card is not None:
            self.messages.reveal(card)

    def _mark_words(self, words: list[str]) -> None:
        self._words = words
        for card in self.messages.cards:
            _mark(card, words)

    def _on_cards(self) -> None:
        if self._words:
            self._mark_words(self._words)

    def _on_copied(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        shown = tr("Copied") if len(text) > 12 else tr("Copied {text}", text=text)
        self._toasts.show_toast(shown, "good", timeout_ms=1500)

    def _on_ensemble(self, text: str) -> None:
        """Ctrl+Enter: the question goes to Compare, with what was said before it here."""
        conversation = self.presenter.conversation
        leaf = self.presenter.nodes[-1].id if self.presenter.nodes else None
        self.composer.set_text("")
        self.compare_wanted.emit(text, Origin(conversation.id, leaf) if conversation.id else None)

    async def _open_link(self, link: str) -> None:
        """Nothing leaves the machine unasked: the whole address is shown first."""
        url = QUrl(link)
        if url.scheme() not in ("http", "https", "mailto"):
            await dialogs.tell(
                self, tr("Link not opened"), tr("Only web and mail addresses are opened: {link}", link=link)
            )
            return
        await dialogs.ask_to_open(self, link)

    def _selected_text(self) -> str:
        for card in self.messages.cards:
            if isinstance(card, AnswerCard) and card.markdown.has_selection():
                return card.markdown.selected_text()[:100].splitlines()[0]
            if isinstance(card, QuestionCard) and card.label.hasSelectedText():
                return card.label.selectedText()[:100]
        return ""

    async def aclose(self) -> None:
        """Keep what is being typed and stop what is being answered."""
        self.flush_panel()
        await self.presenter.aclose()
        await self.tasks.aclose()
        self.messages.discard()


def _mark(card: MessageCard, words: list[str]) -> None:
    if isinstance(card, AnswerCard):
        card.markdown.set_highlight(words)
    elif isinstance(card, QuestionCard):
        card.set_highlight(words)
