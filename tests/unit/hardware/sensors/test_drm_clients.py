"""What fdinfo says of a program's use of a device, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.hardware.sensors.drm_clients import Client, EngineUse, parse
from tests.support.sensor_trees import amdgpu_client, i915_client, xe_client


@pytest.mark.parametrize(
    ("written", "amount"),
    [("7", 7), ("7 KiB", 7 << 10), ("7 MiB", 7 << 20), ("7 GiB", 7 << 30)],
)
def test_units(written: str, amount: int) -> None:
    client = parse(1, f"drm-driver: x\ndrm-memory-vram: {written}\n")
    assert client is not None
    assert client.memory_on(("vram",)) == amount


@pytest.mark.parametrize("written", ["", "KiB", "-7 KiB", "7 parsecs", "7.5 KiB", "seven"])
def test_what_is_no_amount_is_not_known(written: str) -> None:
    client = parse(1, f"drm-driver: x\ndrm-memory-vram: {written}\ndrm-engine-gfx: {written}\n")
    assert client == Client(1)
    assert client is not None
    assert client.memory_on(("vram",)) is None


def test_resident_memory_before_what_was_allocated() -> None:
    client = parse(1, "drm-driver: x\ndrm-resident-vram: 1\ndrm-memory-vram: 2\ndrm-total-vram: 3\ndrm-total-gtt: 4\n")
    assert client is not None
    assert client.memory == {"vram": 1, "gtt": 4}


def test_cycles_are_no_memory_and_capacities_no_engines() -> None:
    xe, i915 = parse(1, xe_client(1, 10, 20)), parse(1, i915_client(1, 5))
    assert xe is not None
    assert i915 is not None
    assert set(xe.memory) == {"vram0", "gtt"}
    assert xe.cycles == {"rcs": (0, 20), "ccs": (10, 20)}
    assert (i915.busy_ns["render"], i915.capacity) == (5, {"video": 2})
    assert set(i915.busy_ns) == {"render", "copy", "video"}


@pytest.mark.parametrize("content", ["", "pos:\t0\nflags:\t02\n", "drm-\n", "eventfd-count: 1\n"])
def test_other_files_are_no_clients(content: str) -> None:
    assert parse(1, content) is None


@given(
    st.text(max_size=200),
    st.sampled_from([amdgpu_client(1, 5), i915_client(1, 5), xe_client(1, 2, 3)]),
    st.integers(0, 400),
)
def test_garbage_never_raises(garbage: str, content: str, at: int) -> None:
    client = parse(1, content[:at] + garbage + content[at:])
    if client is not None:
        use = EngineUse()
        use.share([client], 1.0)
        assert all(amount >= 0 for amount in client.memory.values())
        assert use.share([client], 2.0) in {None, 0.0}
