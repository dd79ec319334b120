"""Plans of loads: what is chosen by the memory there is, and what earlier loads have taught.

GPUs are stood in for by figures: no test machine has one.
"""

import subprocess
import sys
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.memory import TakenMemory
from codette_desktop.domain.models import EngineSettings, KvType, ModelInfo
from codette_desktop.inference.holding import Amount
from codette_desktop.inference.llama import devices
from codette_desktop.inference.llama.context import MAX_CHUNK
from codette_desktop.inference.llama.devices import DeviceMemory, ProcessMemory, memory_now, process_memory
from codette_desktop.inference.planning import LEAST_RESERVE_BYTES, MOST_ROWS, context_length, reserve
from codette_desktop.inference.scheduling import Scheduler
from codette_desktop.models.identity import info_from_header
from tests.support.gguf_files import ModelShape, write_model

GB = 10**9
MB = 10**6

HOLDS_A_BLOCK = """
print("before", flush=True)
input()
block = bytearray(b"x") * 50_000_000
print("after", flush=True)
input()
"""


class Remembered:
    """What loads took, kept in memory in place of the store."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, str], TakenMemory] = {}

    def known(self, file_hash: str, settings: str) -> TakenMemory | None:
        return self.taken.get((file_hash, settings))

    def note(self, file_hash: str, settings: str, taken: TakenMemory) -> "Future[None]":
        self.taken[file_hash, settings] = taken
        return Future()


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    folder = tmp_path_factory.mktemp("models")
    shape = ModelShape(layers=8, width=256, heads=8, kv_heads=8, feed_forward=512, vocabulary=2000, context_length=4096)
    path = write_model(folder / "m.gguf", shape)
    return replace(info_from_header(path), file_hash="hash")


def scheduler(
    free: float, gpu_free: float = 0, *, limit: int = 0, store: Remembered | None = None, unified: bool = False
) -> Scheduler:
    memory = DeviceMemory(int(free), 64 * GB, int(gpu_free), int(gpu_free), unified)
    return Scheduler(lambda: limit, store, lambda: memory)


def test_rows_are_those_of_the_context() -> None:
    assert MOST_ROWS == MAX_CHUNK


def test_the_context_is_the_models_own_up_to_8192_unless_chosen(info: ModelInfo) -> None:
    assert context_length(info, EngineSettings()) == 4096
    assert context_length(replace(info, context_length=131_072), EngineSettings()) == 8192
    assert context_length(info, EngineSettings(context_length=600)) == 600


@given(total=st.integers(1 << 28, 1 << 42))
def test_the_reserve_is_a_twentieth_at_least_512_mb_at_most_a_tenth(total: int) -> None:
    kept = reserve(total)
    assert kept <= total * 0.1
    assert kept >= min(LEAST_RESERVE_BYTES, int(total * 0.1))
    if total > 20 * LEAST_RESERVE_BYTES:
        assert kept == int(total * 0.05)


def test_the_budget_is_what_is_free_less_the_reserve_or_the_limit() -> None:
    assert scheduler(10 * GB).budget.room() == Amount(10 * GB - reserve(64 * GB), 0)
    assert scheduler(10 * GB, limit=4 * GB).budget.room().cpu == 4 * GB
    assert scheduler(3 * GB, limit=4 * GB).budget.room().cpu == 3 * GB


def test_room_for_more_answers_only_where_memory_is_plentiful(info: ModelInfo) -> None:
    one = scheduler(64 * GB).planner.plan(info, EngineSettings(parallel=1)).need.cpu
    assert scheduler(64 * GB).planner.plan(info, EngineSettings()).settings.parallel == 4
    assert scheduler(64 * GB, limit=one + MB).planner.plan(info, EngineSettings()).settings.parallel == 1
    assert scheduler(64 * GB, limit=one).planner.plan(info, EngineSettings(parallel=3)).settings.parallel == 3


def test_all_layers_that_fit_go_to_the_gpu(info: ModelInfo) -> None:
    def layers(gpu_free: float, chosen: int = -1) -> int:
        settings = EngineSettings(parallel=1, gpu_layers=chosen)
        return scheduler(64 * GB, gpu_free).planner.plan(info, settings).settings.gpu_layers

    assert layers(0) == 0
    assert layers(8 * GB) == 9  # eight, and the output
    some = layers(60 * MB)
    assert 0 < some < 9
    assert layers(8 * GB, 3) == 3
    plan = scheduler(64 * GB, 60 * MB).planner.plan(info, EngineSettings(parallel=1))
    assert plan.need.gpu <= 60 * MB
    assert scheduler(64 * GB, 60 * MB).fit(info, EngineSettings(parallel=1)).verdict == "fits"


def test_one_memory_for_both_counts_both(info: ModelInfo) -> None:
    plan = scheduler(64 * GB, 48 * GB, unified=True).planner.plan(info, EngineSettings(parallel=1))
    assert plan.need.cpu == plan.expected.total
    assert plan.need.gpu == plan.expected.gpu.total


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("factor", [0.1, 0.8, 1.3, 9.0])
def test_earlier_loads_correct_the_next_within_bounds(info: ModelInfo, factor: float, apart: bool) -> None:
    store = Remembered()
    planner = scheduler(64 * GB, store=store).planner
    settings = EngineSettings(parallel=1)
    computed = planner.plan(info, settings, apart=apart)
    planner.note(computed, ProcessMemory(int(computed.computed.cpu.total * factor), 0))
    corrected = planner.plan(info, settings, apart=apart)
    certain = computed.computed.cpu.certain_bytes
    wanted = max(certain, computed.computed.cpu.total * min(2.0, max(0.5, factor)))
    assert corrected.need.cpu == pytest.approx(wanted, rel=0.001)
    assert planner.plan(info, settings, apart=not apart).expected != corrected.expected
    other = planner.plan(info, replace(settings, kv_type=KvType.Q8_0), apart=apart)
    assert other.expected == other.computed


def test_pages_of_the_file_beside_weights_laid_out_anew_do_not_count(info: ModelInfo) -> None:
    store = Remembered()
    planner = scheduler(64 * GB, store=store).planner
    plan = planner.plan(info, EngineSettings(parallel=1))
    total = plan.computed.total
    for took, counted in (
        (ProcessMemory(2 * total, total), total),
        (ProcessMemory(2 * total, total // 2), 2 * total - total // 2),
        (ProcessMemory(total // 2, total // 4), total // 2),
    ):
        planner.note(plan, took)
        assert store.taken["hash", plan.key].cpu_bytes == counted


def test_nothing_is_learned_of_a_file_without_a_hash(info: ModelInfo) -> None:
    store = Remembered()
    planner = scheduler(64 * GB, store=store).planner
    planner.note(planner.plan(replace(info, file_hash=""), EngineSettings()), ProcessMemory(GB, 0))
    assert store.taken == {}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere mapped files do not count as free")
def test_mapped_weights_count_as_free_on_linux(info: ModelInfo) -> None:
    planner = scheduler(64 * GB).planner
    weights = planner.plan(info, EngineSettings()).computed.cpu.weights_bytes
    assert planner.plan(info, EngineSettings()).reclaimable == Amount(weights)
    assert planner.plan(info, EngineSettings(use_mmap=False)).reclaimable == Amount(0)
    assert planner.plan(info, EngineSettings(lock_memory=True)).reclaimable == Amount(0)


def test_devices_tell_their_memory() -> None:
    found = devices.devices()
    assert found
    for device, _kind in found:
        free, total = devices.device_memory(device)
        assert 0 <= free <= total
    assert any(devices.device_memory(device)[1] == psutil.virtual_memory().total for device, _kind in found)
    now = memory_now()
    assert 0 < now.free <= now.total


def test_a_process_tells_its_memory() -> None:
    """In a process of its own: in this one, memory that other tests freed may be handed out again, or returned."""
    with subprocess.Popen([sys.executable, "-c", HOLDS_A_BLOCK], stdin=PIPE, stdout=PIPE, text=True) as child:
        assert child.stdout
        assert child.stdin
        assert child.stdout.readline() == "before\n"
        before = process_memory(child.pid)
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "after\n"
        grown = process_memory(child.pid) - before
        child.stdin.close()
    assert 49 * MB < grown.resident < 60 * MB
    assert process_memory(2**22 + 1) == ProcessMemory()


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    planner = scheduler(64 * GB).planner
    small = planner.plan(info_from_header(path), EngineSettings())
    write_model(path, layers=5)
    assert planner.plan(info_from_header(path), EngineSettings()).need.cpu > small.need.cpu
