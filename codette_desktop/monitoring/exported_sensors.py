"""What sensors and the engine tell now as metric families. What is not known leaves no line."""

from collections.abc import Iterable

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample, EngineSample, HostSample, Sample, SensorStatus
from codette_desktop.monitoring import semantic
from codette_desktop.monitoring.exposition import Family
from codette_desktop.monitoring.expressions import HEAT_REASONS, POWER_REASONS
from codette_desktop.monitoring.semantic import Metric

FRESH_S = 30.0  # a sample that is older says nothing of now

_HOST = {
    semantic.CPU: "cpu",
    semantic.CPU_TEMPERATURE: "cpu_temperature_c",
    semantic.MEMORY: "memory_used_bytes",
    semantic.MEMORY_TOTAL: "memory_total_bytes",
    semantic.SWAP: "swap_used_bytes",
    semantic.DISK_FREE: "disk_free_bytes",
    semantic.DISK_READ: "disk_read_bytes_s",
    semantic.DISK_WRITE: "disk_write_bytes_s",
    semantic.NET_RECEIVE: "net_rx_bytes_s",
    semantic.NET_TRANSMIT: "net_tx_bytes_s",
    semantic.OUR_CPU: "our_cpu",
    semantic.OUR_MEMORY: "our_memory_bytes",
}
_ENGINE = {
    semantic.RUNNING: "running",
    semantic.QUEUE_DEPTH: "waiting",
    semantic.MODELS_LOADED: "models",
    semantic.MODELS_MEMORY: "model_bytes",
}
_DEVICE = {
    semantic.GPU: ("utilisation", 1.0),
    semantic.GPU_BUS: ("memory_utilisation", 1.0),
    semantic.GPU_MEMORY: ("memory_used_bytes", 1.0),
    semantic.GPU_MEMORY_TOTAL: ("memory_total_bytes", 1.0),
    semantic.GPU_MEMORY_OURS: ("our_memory_bytes", 1.0),
    semantic.GPU_TEMPERATURE: ("temperature_c", 1.0),
    semantic.GPU_POWER: ("power_w", 1.0),
    semantic.GPU_POWER_LIMIT: ("power_limit_w", 1.0),
    semantic.GPU_ENERGY: ("energy_j", 1.0),
    semantic.GPU_CLOCK: ("clock_mhz", 1e6),
    semantic.GPU_MEMORY_CLOCK: ("memory_clock_mhz", 1e6),
    semantic.GPU_FAN: ("fan", 1.0),
    semantic.GPU_RECEIVE: ("pcie_rx_bytes_s", 1.0),
    semantic.GPU_TRANSMIT: ("pcie_tx_bytes_s", 1.0),
}
_REASONS = (("thermal", HEAT_REASONS), ("power", POWER_REASONS))


def sensor_families(sample: Sample | None, devices: Iterable[DeviceInfo], now: float) -> list[Family]:
    """Of the last sample, where it is of now."""
    families = [_infos(devices)]
    if sample is None:
        return families
    families.append(_one(semantic.SAMPLE_AGE, max(0.0, now - sample.at)))
    if now - sample.at > FRESH_S:
        return families
    families += _of(sample.host, _HOST) + _of(sample.engine, _ENGINE)
    return families + _device_families(sample.devices)


def _of(part: HostSample | EngineSample, names: dict[Metric, str]) -> list[Family]:
    return [_one(metric, getattr(part, name)) for metric, name in names.items()]


def _one(metric: Metric, value: float | None) -> Family:
    family = Family(metric)
    family.set(value)
    return family


def _device_families(devices: Iterable[DeviceSample]) -> list[Family]:
    families = {metric: Family(metric) for metric in (*_DEVICE, semantic.GPU_OK, semantic.GPU_THROTTLED)}
    for device in devices:
        known = device.status is SensorStatus.OK
        families[semantic.GPU_OK].set(float(known), device=device.device)
        if not known:
            continue
        for metric, (name, factor) in _DEVICE.items():
            value: float | None = getattr(device, name)
            families[metric].set(None if value is None else value * factor, device=device.device)
        for reason, held in _throttled(device):
            families[semantic.GPU_THROTTLED].set(float(held), device=device.device, reason=reason)
    return list(families.values())


def _throttled(device: DeviceSample) -> Iterable[tuple[str, bool]]:
    """For each kind of reason whether it holds. Drivers have many words for them; the rules know two kinds."""
    if device.throttled is None:
        return
    others = set(device.throttled)
    for reason, words in _REASONS:
        found = {text for text in device.throttled if any(word in text.lower() for word in words)}
        others -= found
        yield reason, bool(found)
    yield "other", bool(others)


def _infos(devices: Iterable[DeviceInfo]) -> Family:
    family = Family(semantic.GPU_INFO)
    for info in devices:
        family.set(1.0, device=info.device, name=info.name, vendor=info.vendor, driver=info.driver)
    return family
