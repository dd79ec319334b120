"""The process goes down while a model answers in it: the next start knows which, says so, and is careful with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codette_desktop.application import Application
from codette_desktop.inference.running import RunningModels, WentDown
from tests.integration.provider_contract import answer, ask, text_of
from tests.support.gguf_files import write_model

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
ROOT = Path(__file__).resolve().parents[2]


GOES_DOWN = """
import asyncio, os, sys
from pathlib import Path
from codette_desktop.application import Application
from codette_desktop.domain.answers import PromptRead
from tests.integration.provider_contract import ask

async def main():
    application = Application.open(Path(sys.argv[1]))
    async for part in application.provider.stream(ask(sys.argv[2], max_tokens=1500, grammar="root ::= [a-z ]*  [A]")):
        if isinstance(part, PromptRead):  # the very first part: a small model would else be done on a busy machine
            os.kill(os.getpid(), int(sys.argv[3]))

asyncio.run(main())
"""


def go_down(folder: Path, model: str, number: signal.Signals) -> None:
    """A real application that is hit by the signal as soon as its answer begins."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONFAULTHANDLER"}
    done = subprocess.run(
        [sys.executable, "-c", GOES_DOWN, str(folder), model, str(int(number))], cwd=ROOT, env=environment, check=False
    )
    assert done.returncode == -number


@pytest.fixture
def home(codette_home: Path) -> Path:
    (codette_home / "models").mkdir(parents=True)
    write_model(codette_home / "models" / "new.gguf", context_length=2048)
    return codette_home


async def test_a_crash_in_mid_answer_is_counted_told_and_followed_by_a_trial(home: Path, started: list[int]) -> None:
    go_down(home, "new", signal.SIGSEGV)
    application = Application.open(home)
    assert [note for note in application.notes if "crashed while Tiny Test" in note and "answering" in note]
    model = application.catalogue.find_file("new")
    assert application.store.models.trust(model.file_hash) == (False, 1)
    assert text_of(await answer(application.engine, ask("new")))
    assert len(started) == 1  # tried apart
    assert application.store.models.trust(model.file_hash) == (True, 1)
    assert [item.name for item in application.engine._inside.loaded()] == ["new"]
    await application.aclose()
    again = Application.open(home)
    assert again.notes == []  # told once, and closing in order leaves nothing to tell
    await again.aclose()


async def test_two_crashes_in_mid_answer_keep_a_model_apart(home: Path) -> None:
    for _ in range(2):
        go_down(home, "new", signal.SIGSEGV)
        application = Application.open(home)
        await application.aclose()
    application = Application.open(home)
    assert application.store.models.trust(application.catalogue.find_file("new").file_hash) == (False, 2)
    assert text_of(await answer(application.engine, ask("new")))
    assert application.engine._inside.loaded() == []
    await application.aclose()


async def test_being_ended_from_outside_is_never_held_against_a_model(home: Path, started: list[int]) -> None:
    for _ in range(3):
        go_down(home, "new", signal.SIGKILL)
        application = Application.open(home)
        assert [note for note in application.notes if "not held against it" in note]
        await application.aclose()
    application = Application.open(home)
    model = application.catalogue.find_file("new")
    assert application.store.models.trust(model.file_hash) == (False, 0)
    assert text_of(await answer(application.engine, ask("new")))
    assert len(started) == 1  # one trial, and it is trusted as before
    assert application.store.models.trust(model.file_hash) == (True, 0)
    await application.aclose()


async def test_a_starter_model_that_crashed_is_tried_apart_too(codette_home: Path, started: list[int]) -> None:
    go_down(codette_home, "guide-s-q8_0", signal.SIGSEGV)
    application = Application.open(codette_home)
    assert text_of(await answer(application.engine, ask("guide-s-q8_0")))
    assert len(started) == 1
    await application.aclose()


def test_only_models_that_are_answering_are_named(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from codette_desktop.inference.running import RunningModels\n"
        "running = RunningModels(Path(sys.argv[1], 'running'), Path(sys.argv[1], 'crash.log'))\n"
        "for name in ('a', 'b', 'b', 'c'): running.begin(name)\n"
        "for name in ('a', 'b'): running.end(name)\n"
        "os.kill(os.getpid(), signal.SIGABRT)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    folder, crash_log = tmp_path / "running", tmp_path / "crash.log"
    mine = RunningModels(folder, crash_log)
    mine.begin("d")
    assert RunningModels(folder, crash_log).went_down() == [
        WentDown(("b", "c"), crashed=True)
    ]  # nobody who is still alive
    assert mine.went_down() == []
    mine.close()
    assert list(folder.iterdir()) == []


@pytest.mark.allow_log("cannot be noted")
async def test_answers_are_given_where_nothing_can_be_noted(home: Path) -> None:
    (home / "running").write_text("a file is in the way")
    application = Application.open(home)
    assert text_of(await answer(application.engine, ask("guide-s-q8_0")))
    await application.aclose()
