"""The charts of the page "Now": which curves each has, and what it says while there is nothing to draw. No Qt."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from codette_desktop.domain.series import ENGINE, HOST, Series, SeriesName
from codette_desktop.domain.telemetry import DeviceInfo
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.watch.charts.colours import ModelPlaces
from codette_desktop.gui.tabs.watch.charts.curves import Curve, events, in_the_last_minute, sampled
from codette_desktop.gui.tabs.watch.now.now_state import ChartState
from codette_desktop.gui.tabs.watch.units import Kind

MOST_MODELS = 8
_FIRST_DEVICE = 2  # the places before it are the computer's and this application's


@dataclass(frozen=True, slots=True)
class CurveSpec:
    """A curve made of one figure; `counts`: it counts what happened since the sample before."""

    label: str
    place: int
    name: SeriesName
    scale: float = 1.0
    counts: bool = False


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A chart of sensors, or, with `field`, of the requests of each model. `none` says that no sensor tells it."""

    key: str
    title: str
    kind: Kind
    curves: tuple[CurveSpec, ...] = ()
    field: str = ""
    none: str = ""


def device_label(device: str, count: int) -> str:
    """ "GPU" where there is one, else "GPU 0", "GPU 1"."""
    return tr("GPU") if count < 2 else tr("GPU {n}", n=device.rpartition(":")[2])


def chart_specs(devices: Sequence[DeviceInfo]) -> tuple[ChartSpec, ...]:
    """All nine, in their order."""
    return (
        ChartSpec("speed", tr("Writing speed"), Kind.SPEED, field="tokens_per_second"),
        ChartSpec("first_token", tr("Time to first token"), Kind.TIME, field="time_to_first_token_ms"),
        ChartSpec(
            "busy",
            tr("Processor and graphics") if devices else tr("Processor"),
            Kind.SHARE,
            (_host(tr("Processor"), 0, "cpu", 100), *_each(devices, "utilisation", 100)),
            none=tr("Nothing on this computer tells how busy it is"),
        ),
        ChartSpec(
            "memory",
            tr("Memory"),
            Kind.BYTES,
            (
                _host(tr("Computer"), 0, "memory_used_bytes"),
                _host(tr("Codette"), 1, "our_memory_bytes"),
                *_each(devices, "memory_used_bytes"),
            ),
            none=tr("Nothing on this computer tells how full its memory is"),
        ),
        ChartSpec(
            "temperature",
            tr("Temperature"),
            Kind.TEMPERATURE,
            (_host(tr("Processor"), 0, "cpu_temperature_c"), *_each(devices, "temperature_c")),
            none=tr("No sensor tells a temperature"),
        ),
        ChartSpec(
            "power",
            tr("Power"),
            Kind.POWER,
            _each(devices, "power_w"),
            none=tr("No graphics device tells its power"),
        ),
        *_engine_charts(),
    )


def _engine_charts() -> tuple[ChartSpec, ...]:
    def engine(label: str, place: int, field: str, *, counts: bool = False) -> CurveSpec:
        return CurveSpec(label, place, SeriesName(ENGINE, field), counts=counts)

    return (
        ChartSpec(
            "queue",
            tr("Queue"),
            Kind.COUNT,
            (engine(tr("Running"), 0, "running"), engine(tr("Waiting"), 1, "waiting")),
        ),
        ChartSpec(
            "cache",
            tr("From the cache, and errors"),
            Kind.PER_MINUTE,
            (
                engine(tr("From the cache"), 2, "cache_hits", counts=True),
                engine(tr("Errors"), 1, "failed", counts=True),
            ),
        ),
        ChartSpec(
            "traffic",
            tr("Disk and network"),
            Kind.RATE,
            (
                _host(tr("Disk, read"), 0, "disk_read_bytes_s"),
                _host(tr("Disk, written"), 1, "disk_write_bytes_s"),
                _host(tr("Network, in"), 2, "net_rx_bytes_s"),
                _host(tr("Network, out"), 3, "net_tx_bytes_s"),
            ),
            none=tr("Neither disk nor network tell their rates"),
        ),
    )


def _host(label: str, place: int, field: str, scale: float = 1.0) -> CurveSpec:
    return CurveSpec(label, place, SeriesName(HOST, field), scale)


def _each(devices: Sequence[DeviceInfo], field: str, scale: float = 1.0) -> tuple[CurveSpec, ...]:
    return tuple(
        CurveSpec(device_label(info.device, len(devices)), _FIRST_DEVICE + at, SeriesName(info.device, field), scale)
        for at, info in enumerate(devices)
    )


def names_of(specs: Sequence[ChartSpec]) -> tuple[SeriesName, ...]:
    """Every figure of a sample they need."""
    return tuple(curve.name for spec in specs for curve in spec.curves)


def sensor_chart(spec: ChartSpec, found: Mapping[SeriesName, Series], seen: Collection[SeriesName]) -> ChartState:
    """The chart of what the sensors told. Curves that were never told are left out of its legend."""
    curves: list[Curve] = []
    for item in spec.curves:
        series = found.get(item.name, Series())
        curve = sampled(item.label, item.place, in_the_last_minute(series) if item.counts else series, item.scale)
        if item.name in seen or not curve.is_empty:
            curves.append(curve)
    never = spec.none and not curves
    return ChartState(spec.key, spec.title, spec.kind, tuple(curves), spec.none if never else _quiet(spec))


def request_chart(spec: ChartSpec, found: Mapping[str, Series], places: ModelPlaces) -> ChartState:
    """The chart of what requests to each model took: the models with the most points, in the order of their places."""
    curves = [events(label, places.place(label), series) for label, series in found.items()]
    most = sorted((curve for curve in curves if not curve.is_empty), key=lambda curve: -curve.y.size)[:MOST_MODELS]
    return ChartState(spec.key, spec.title, spec.kind, tuple(sorted(most, key=lambda curve: curve.place)), _quiet(spec))


def _quiet(spec: ChartSpec) -> str:
    if spec.field:
        return tr("No model was asked in this time")
    return tr("Nothing was measured in this time")
