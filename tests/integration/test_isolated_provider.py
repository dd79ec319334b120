"""The provider in child processes: the contract, and what happens when such a process dies, hangs or is orphaned."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from codette_desktop.domain.answers import TextChunk
from codette_desktop.domain.errors import CodetteError, EngineFailure, ModelLoadFailed, ModelNotFound, PromptTooLong
from codette_desktop.domain.events import EventBus, ModelLoaded
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.isolation.process import WorkerDied
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.identity import info_from_header
from tests.integration.provider_contract import ProviderContract, answer, ask, text_of
from tests.support.gguf_files import write_model

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")

LONG = {"max_tokens": 1500, "grammar": "root ::= [a-z ]*  [A]"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder / "gpt2.gguf", context_length=2048)
    return folder


@pytest.fixture
def find(folder: Path) -> Callable[[str], ModelInfo]:
    def find(name: str) -> ModelInfo:
        path = folder / f"{name}.gguf"
        if not path.is_file():
            raise ModelNotFound(f"There is no model {name}.")
        return replace(info_from_header(path), file_hash=f"hash of {name}")

    return find


@pytest.fixture
def crashes() -> list[str]:
    return []


@pytest.fixture
async def provider(find: Callable[[str], ModelInfo], crashes: list[str]) -> AsyncIterator[IsolatedProvider]:
    opened = IsolatedProvider(find, EventBus(), on_crash=lambda info, _error: crashes.append(info.name), silent_s=3.0)
    yield opened
    await opened.aclose()


class TestIsolatedProvider(ProviderContract):
    """llama.cpp in a process of its own."""

    @pytest.fixture
    def model(self) -> str:
        return "gpt2"

    @pytest.fixture
    def greedy(self) -> bool:
        return True


async def begun(provider: IsolatedProvider, model: str = "gpt2") -> "tuple[asyncio.Task[str], int]":
    """A long answer that has said its first words, and the number of the process that writes it."""
    first = asyncio.Event()

    async def read() -> str:
        text = ""
        async for part in provider.stream(ask(model, **LONG)):
            if isinstance(part, TextChunk):
                text += part.text
                first.set()
        return text

    task = asyncio.create_task(read())
    await asyncio.wait_for(first.wait(), 30)
    return task, next(iter(provider.processes().values()))


@pytest.mark.parametrize(("number", "words"), [(signal.SIGKILL, "memory ran out"), (signal.SIGSEGV, "SIGSEGV")])
async def test_a_process_that_dies_is_told_and_the_next_request_answered(
    provider: IsolatedProvider, crashes: list[str], number: signal.Signals, words: str
) -> None:
    task, pid = await begun(provider)
    os.kill(pid, number)
    with pytest.raises(WorkerDied, match=words):
        await asyncio.wait_for(task, 10)
    assert crashes == ["gpt2"]
    assert text_of(await answer(provider, ask("gpt2")))
    assert pid not in provider.processes().values()


@pytest.mark.allow_log("has been silent")
async def test_a_process_that_hangs_is_ended(provider: IsolatedProvider) -> None:
    task, pid = await begun(provider)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(WorkerDied, match="did not respond for 3 s"):
        await asyncio.wait_for(task, 20)
    assert not psutil.pid_exists(pid)
    assert text_of(await answer(provider, ask("gpt2")))


async def test_stopping_before_the_process_has_started_is_no_crash(
    provider: IsolatedProvider, crashes: list[str]
) -> None:
    for _ in range(2):
        task = asyncio.create_task(answer(provider, ask("gpt2", **LONG)))
        await asyncio.sleep(0.02)
        started = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - started < 4.5  # the worker heard it, and did not have to be ended
    assert text_of(await answer(provider, ask("gpt2")))
    assert crashes == []


async def test_unloading_waits_for_the_answer_that_is_being_written(provider: IsolatedProvider) -> None:
    task, pid = await begun(provider)
    assert await provider.unload("gpt2")
    assert len(await task) > 1000
    assert not psutil.pid_exists(pid)
    assert not await provider.unload("gpt2")


@pytest.fixture
def four(folder: Path) -> Callable[[str], ModelInfo]:
    """Models a, b, c and d."""
    for name in "abcd":
        if not (folder / f"{name}.gguf").exists():
            write_model(folder / f"{name}.gguf", context_length=512)
    return lambda name: info_from_header(folder / f"{name}.gguf")


def room_for(count: float, find: Callable[[str], ModelInfo]) -> Scheduler:
    """A budget in which that many of the processes fit."""
    need = Scheduler().planner.plan(find("a"), EngineSettings(), apart=True).need
    return Scheduler(limit_bytes=lambda: int(need.cpu * count))


async def test_a_process_just_chosen_is_not_taken_for_idle(four: Callable[[str], ModelInfo]) -> None:
    provider = IsolatedProvider(four, EventBus(), scheduler=room_for(2, four))
    await answer(provider, ask("a"))
    texts = await asyncio.gather(*(answer(provider, ask(name)) for name in "bcd"))
    assert all(text_of(parts) for parts in texts)
    assert len(provider.processes()) <= 2
    await provider.aclose()


async def test_what_does_not_fit_together_runs_one_after_the_other(four: Callable[[str], ModelInfo]) -> None:
    provider = IsolatedProvider(four, EventBus(), scheduler=room_for(1, four))
    pids: set[int] = set()
    for name in "abab":
        await answer(provider, ask(name))
        (pid,) = provider.processes().values()
        pids.add(pid)
    assert len(pids) == 4
    await provider.load("b")
    assert set(provider.processes().values()) <= pids
    await provider.aclose()


async def test_who_gives_up_waiting_for_memory_starts_nothing(four: Callable[[str], ModelInfo]) -> None:
    provider = IsolatedProvider(four, EventBus(), scheduler=room_for(1, four))
    busy, pid = await begun(provider, "a")
    waiting = asyncio.create_task(answer(provider, ask("b")))
    await asyncio.sleep(0.1)
    assert list(provider.processes().values()) == [pid]
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(await busy) > 100
    assert list(provider.processes().values()) == [pid]
    await provider.aclose()


async def test_an_answer_nobody_reads_does_not_keep_others_waiting(four: Callable[[str], ModelInfo]) -> None:
    provider = IsolatedProvider(four, EventBus(), scheduler=room_for(1, four))
    unread = provider.stream(ask("a", max_tokens=4))
    await anext(unread)
    assert text_of(await asyncio.wait_for(answer(provider, ask("b")), 30))
    assert "".join([part.text async for part in unread if isinstance(part, TextChunk)])
    await provider.aclose()


async def test_what_cannot_fit_alone_is_refused_with_the_numbers(four: Callable[[str], ModelInfo]) -> None:
    provider = IsolatedProvider(four, EventBus(), scheduler=room_for(0.5, four))
    with pytest.raises(ModelLoadFailed, match=r"needs \d+ MB of memory; \d+ MB can be had"):
        await answer(provider, ask("a"))
    assert provider.processes() == {}
    await provider.aclose()


async def test_new_settings_start_a_new_process(four: Callable[[str], ModelInfo]) -> None:
    chosen = EngineSettings()
    provider = IsolatedProvider(four, EventBus(), settings=lambda _info: chosen)
    await provider.load("a")
    (pid,) = provider.processes().values()
    chosen = EngineSettings(context_length=256)
    assert (await provider.load("a")).context_length == 256
    assert list(provider.processes().values()) != [pid]
    await provider.aclose()


async def test_its_events_are_heard_here(find: Callable[[str], ModelInfo]) -> None:
    bus = EventBus()
    heard: list[ModelLoaded] = []
    bus.subscribe(ModelLoaded, heard.append)
    provider = IsolatedProvider(find, bus)
    await answer(provider, ask("gpt2"))
    assert [event.model for event in heard] == ["gpt2"]
    assert [item.name for item in provider.loaded()] == ["gpt2"]
    pid = next(iter(provider.processes().values()))
    assert await provider.unload("gpt2")
    assert not psutil.pid_exists(pid)
    await provider.aclose()


ORPHAN = """
import asyncio, os, signal, sys
from pathlib import Path
from codette_desktop.domain.events import EventBus
from codette_desktop.inference.isolation.provider import IsolatedProvider
from codette_desktop.models.identity import info_from_header

async def main():
    provider = IsolatedProvider(lambda name: info_from_header(Path(sys.argv[1])), EventBus())
    await provider.load("gpt2")
    print(next(iter(provider.processes().values())), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_no_process_outlives_an_application_that_was_killed(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(folder / "gpt2.gguf")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid, end = int(done.stdout), time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the worker outlives the application"
        time.sleep(0.02)


async def test_a_request_longer_than_the_pipe_does_not_hold_up_the_window(provider: IsolatedProvider) -> None:
    """The worker is stopped, so that it reads nothing; 4 MB do not fit into any pipe."""
    await provider.load("gpt2")
    pid = next(iter(provider.processes().values()))
    os.kill(pid, signal.SIGSTOP)
    late = 0.0
    task = asyncio.create_task(answer(provider, ask("gpt2", Message(Role.USER, "0123456789 " * 400_000))))
    for _ in range(50):
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        late = max(late, time.perf_counter() - before)
    assert not task.done()
    os.kill(pid, signal.SIGCONT)
    with pytest.raises(PromptTooLong):
        await task
    assert late < 2.0  # it would have been stopped until the worker was


async def test_a_process_that_reads_nothing_can_be_ended(find: Callable[[str], ModelInfo]) -> None:
    provider = IsolatedProvider(find, EventBus())
    await provider.load("gpt2")
    pid = next(iter(provider.processes().values()))
    os.kill(pid, signal.SIGSTOP)
    task = asyncio.create_task(answer(provider, ask("gpt2", Message(Role.USER, "0123456789 " * 400_000))))
    await asyncio.sleep(0.1)
    await provider.aclose()
    with pytest.raises(EngineFailure):
        await task
    assert not psutil.pid_exists(pid)
    assert not [thread.name for thread in threading.enumerate() if str(pid) in thread.name]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process's memory")
async def test_a_process_without_memory_says_so_and_the_next_request_is_answered(
    provider: IsolatedProvider, folder: Path
) -> None:
    import resource

    path = folder / "large.gguf"
    if not path.exists():
        write_model(path, layers=8, width=512, heads=8, kv_heads=8, feed_forward=2048, context_length=32_768)
    await provider.count(ask("large"))  # the process is there, without the weights
    pid = provider.processes()[str(path)]
    limit = psutil.Process(pid).memory_info().vms + 60_000_000
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
    with pytest.raises(CodetteError, match="memory") as caught:
        await answer(provider, ask("large"))
    assert caught.value.hint
    assert text_of(await answer(provider, ask("gpt2")))
