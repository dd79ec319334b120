"""The tour: the main jobs done for real in a hidden window, with a picture of every tab in light and dark."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from codette_desktop.application import Application
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.ensembles import Method
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Role
from codette_desktop.domain.models import AUTO
from codette_desktop.gui.app import build, make_qt_application
from codette_desktop.gui.main_window import TAB_NAMES, MainWindow
from codette_desktop.gui.theme import theme
from codette_desktop.gui.tour_rating import rate
from codette_desktop.gui.tour_watching import watch

TOGETHER = "Tell me about ensembles."
QUESTIONS = ("How do I compare two models?", "What is a quantised model?", "What is the capital of France?")
AUTO_QUESTION = "Why is this answer slow?"
COMPARED = "What is 14 + 27?"
BATCH = ("What does Q4_0 mean?", "What is a context window?", "How do I add a model?", "What is a LoRA adapter?")
SETTINGS_PAGES = ("models", "servers", "engine", "configuration", "cache")
WINDOW_SIZE = 1280, 800
ANSWER_TIMEOUT_S = 120.0
SETTLE_S = 0.35  # a few frames: layouts, the last flush of an answer, icons of the new theme


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that was typed, and what came of it. Times in ms."""

    question: str
    answer: str
    model: str
    completion_tokens: int
    tokens_per_second: float
    time_to_first_token_ms: float
    seed: int


@dataclass(slots=True)
class Tour:
    """What was done and where the pictures are."""

    exchanges: list[Exchange] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def as_text(self) -> str:
        """Questions, answers and figures for a terminal, then the pictures."""
        lines: list[str] = []
        for one in self.exchanges:
            lines += [
                f"Question: {one.question}",
                f"Answer:   {one.answer}",
                f"          {one.model} · {one.completion_tokens} tokens · {one.tokens_per_second:.0f} tok/s · "
                f"first token {one.time_to_first_token_ms:.0f} ms · seed {one.seed}",
                "",
            ]
        return "\n".join([*lines, f"{len(self.pictures)} pictures:", *(f"  {path}" for path in self.pictures)])


def run_tour(directory: Path) -> Tour:
    """Do it all, in a data folder of its own that is removed afterwards. Raises CodetteError where a job fails."""
    app = make_qt_application()
    import qasync  # picks the Qt binding that is imported already

    directory.mkdir(parents=True, exist_ok=True)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory(prefix="codette-tour-") as folder, loop:
        return loop.run_until_complete(_tour(directory, Path(folder)))


async def _tour(directory: Path, folder: Path) -> Tour:
    application = Application.open(folder)
    window = build(application)
    window.resize(*WINDOW_SIZE)
    window.show()
    window.start()
    application.watch.start()
    taken = Tour()
    try:
        await _picture(window, directory, "first-launch", taken)
        for question in QUESTIONS:
            taken.exchanges.append(await _ask(window, question))
        await _compare(window, directory, taken)
        await rate(window, lambda name: _picture(window, directory, name, taken), _until)
        await watch(
            window,
            lambda name: _picture(window, directory, name, taken),
            lambda widget, name: _save(widget, directory / f"{name}.png", taken),
            _until,
        )
        await _every_tab(window, directory, taken)
        await _extras(window, directory, taken)
    finally:
        await window.aclose()
        await application.aclose()
        window.hide()
        window.deleteLater()
    return taken


async def _ask(window: MainWindow, question: str) -> Exchange:
    """Type into the composer and press Enter, as a person does."""
    window.show_tab("ask")
    presenter = window.ask.presenter
    before = len(presenter.nodes)
    window.ask.composer.focus()
    QTest.keyClicks(window.ask.composer.edit, question)
    QTest.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await _until(lambda: len(presenter.nodes) >= before + 2 and not presenter.is_answering)
    return _exchange(question, presenter.nodes[-1])


def _exchange(question: str, node: Node) -> Exchange:
    generation = node.generation
    if node.message.role is not Role.ASSISTANT or generation is None or generation.figures is None:
        raise CodetteError(f"The question {question!r} got no answer.", generation.error if generation else "")
    return Exchange(
        question=question,
        answer=node.message.content,
        model=generation.model_label,
        completion_tokens=generation.figures.completion_tokens,
        tokens_per_second=round(generation.figures.tokens_per_second, 1),
        time_to_first_token_ms=round(generation.figures.time_to_first_token_ms, 1),
        seed=generation.seed or 0,
    )


async def _until(done: Callable[[], bool]) -> None:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while not done():  # noqa: ASYNC110 - the window has no event for "drawn"
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise CodetteError(f"There was no answer within {ANSWER_TIMEOUT_S:.0f} seconds.") from None


async def _compare(window: MainWindow, directory: Path, taken: Tour) -> None:
    """One prompt to two models, by vote, with what differs marked; then many prompts at once."""
    window.show_tab("compare")
    tab = window.compare
    tab.presenter.set_setup(replace(tab.presenter.setup, method=Method.VOTE))
    QTest.keyClicks(tab.prompt.edit, COMPARED)
    QTest.keyClick(tab.prompt.edit, Qt.Key.Key_Return)
    await _until(lambda: tab.presenter.state.outcome is not None and not tab.presenter.is_running)
    tab.tools.differences_button.click()
    await _picture(window, directory, "compare-differences-light", taken)
    tab.tools.differences_button.click()
    for column in tab.presenter.state.columns:
        if column.node is None:
            raise CodetteError(f"{column.member.label} gave no answer to {COMPARED!r}.")
        taken.exchanges.append(_exchange(COMPARED, column.node))
    await _together(window, directory, taken)
    tab.show_batches()
    tab.batch_page.edit.setPlainText("\n".join(BATCH))
    tab.batch_page.start_button.click()
    await _until(lambda: bool(tab.batches.batches) and tab.batches.batches[0].done == len(BATCH))
    await _picture(window, directory, "compare-batch-light", taken)
    tab.stop()


async def _together(window: MainWindow, directory: Path, taken: Tour) -> None:
    """One answer that both models write, coloured by who decided."""
    tab = window.compare
    tab.presenter.set_setup(replace(tab.presenter.setup, method=Method.TOKEN))
    tab.prompt.set_text("")
    QTest.keyClicks(tab.prompt.edit, TOGETHER)
    QTest.keyClick(tab.prompt.edit, Qt.Key.Key_Return)
    await _until(lambda: tab.presenter.is_running)
    await _until(lambda: not tab.presenter.is_running)
    if not tab.columns.together.text():
        raise CodetteError(f"The models wrote nothing together to {TOGETHER!r}.")
    tab.columns.together.colours_button.click()
    await _picture(window, directory, "compare-together-light", taken)


async def _every_tab(window: MainWindow, directory: Path, taken: Tour) -> None:
    for mode in ("light", "dark"):
        theme().set_mode(mode)
        for name in TAB_NAMES:
            window.show_tab(name)
            await _picture(window, directory, f"{name}-{mode}", taken)


async def _extras(window: MainWindow, directory: Path, taken: Tour) -> None:
    """What is not a tab of its own: the chat settings, the model picker, the settings, the help."""
    theme().set_mode("light")
    window.show_tab("ask")
    window.ask.open_panel("sampling")
    await _picture(window, directory, "chat-settings-light", taken)
    window.ask.toggle_panel()
    window.help.toggle()
    await _picture(window, directory, "help-light", taken)
    window.help.toggle()
    await _auto(window, directory, taken)
    window.open_settings()
    for page in SETTINGS_PAGES:
        window.settings_dialog.show_page(page)
        await asyncio.sleep(SETTLE_S)
        _save(window.settings_dialog, directory / f"settings-{page}-light.png", taken)
    window.settings_dialog.close()


async def _auto(window: MainWindow, directory: Path, taken: Tour) -> None:
    """A question for Auto: whom it would ask is said before it is sent, and then that one is asked."""
    window.use_model(AUTO)
    composer = window.ask.composer
    QTest.keyClicks(composer.edit, AUTO_QUESTION)
    await _until(composer.plan_line.isVisible)
    await _picture(window, directory, "ask-auto-light", taken)
    composer.set_text("")
    taken.exchanges.append(await _ask(window, AUTO_QUESTION))


async def _picture(window: MainWindow, directory: Path, name: str, taken: Tour) -> None:
    await asyncio.sleep(SETTLE_S)
    _save(window, directory / f"{name}.png", taken)


def _save(widget: Any, path: Path, taken: Tour) -> None:
    if not widget.grab().save(str(path)):
        raise CodetteError(f"The picture {path} could not be written.", "Choose a folder that can be written.")
    taken.pictures.append(str(path))
