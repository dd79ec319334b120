"""The row of cards: each big number, its unit, what pulls it down in words, and its last minute. No Qt."""

from dataclasses import dataclass, field

import numpy as np

from codette_desktop.domain.series import ENGINE, HOST, SeriesName
from codette_desktop.domain.telemetry import DeviceSample, Sample
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.watch.charts.chart_specs import device_label
from codette_desktop.gui.tabs.watch.charts.curves import floats
from codette_desktop.gui.tabs.watch.now.now_state import CardState, Spark, Tone, as_spark
from codette_desktop.gui.tabs.watch.now.sources import Recent, Watch
from codette_desktop.gui.tabs.watch.units import MISSING, Kind, parts, text

BAND_TONES = {"healthy": Tone.GOOD, "degraded": Tone.WARNING, "unhealthy": Tone.BAD}
_SPARK_S = 60.0
_FULL, _TOO_FULL = 0.9, 0.97  # of the memory


@dataclass(slots=True)
class Cards:
    """Makes the cards of each sample; remembers what is kept nowhere else."""

    watch: Watch
    slowest: tuple[float, str] | None = None  # a median time to first token, ms, and whose it is
    failing: tuple[str, int, int] | None = None  # model, failed, requests
    _health: Spark = field(default_factory=Spark)
    _first: Spark = field(default_factory=Spark)

    def make(self, sample: Sample) -> tuple[CardState, ...]:
        """To be called once for each sample."""
        recent = self.watch.now()
        return (
            self._health_card(),
            self._speed_card(sample, recent),
            self._first_card(recent),
            self._busy_card(sample),
            self._memory_card(sample),
            self._errors_card(sample, recent),
            self._cache_card(sample, recent),
        )

    def _minute(self, sample: Sample, source: str, name: str, scale: float = 1.0) -> tuple[float, ...]:
        wanted = SeriesName(source, name)
        found = self.watch.history.samples.series([wanted], sample.at - _SPARK_S - 5, sample.at + 0.001)[wanted]
        if not found.at:
            return ()
        # A value for each second, for samples do not come equally often.
        moments = sample.at - np.arange(_SPARK_S - 1, -1, -1)
        return as_spark(np.interp(moments, floats(found.at), floats(found.mean) * scale, left=np.nan))

    def _health_card(self) -> CardState:
        health = self.watch.health()
        value = MISSING if health.score is None else number(health.score)
        worst = health.text.partition(": ")[2] or health.text
        tip = "\n".join(f"{part.name}: {part.text}" for part in health.parts)
        tone = BAND_TONES.get(health.band, Tone.PLAIN)
        unit = "" if health.score is None else tr("of 100")
        return CardState("health", tr("Health"), value, unit, worst, tone, self._health.add(health.score), tip)

    def _speed_card(self, sample: Sample, recent: Recent) -> CardState:
        value, unit = parts(Kind.SPEED, recent.tokens_per_second)
        running, waiting = recent.running, recent.waiting
        if not running and not waiting:
            worst = tr("nothing is being written")
        elif not waiting:
            worst = tr("{n} running", n=running)
        else:
            worst = tr("{n} running, {waiting} waiting", n=running, waiting=waiting)
        spark = self._minute(sample, ENGINE, "tokens")
        tip = tr(
            "How fast the answers of the last five minutes were written: the median. The line: what all models wrote "
            "in each second of the last minute."
        )
        return CardState("speed", tr("Speed"), value, unit, worst, spark=spark, tip=tip)

    def _first_card(self, recent: Recent) -> CardState:
        value, unit = parts(Kind.TIME, recent.first_token_ms)
        worst = tr("no answers of late") if recent.first_token_ms is None else tr("half begin sooner")
        if self.slowest is not None:
            worst = tr("slowest: {model} {time}", model=self.slowest[1], time=text(Kind.TIME, self.slowest[0]))
        tip = tr("How long answers took to begin: the median of five minutes. The slowest: of 24 hours.")
        spark = self._first.add(recent.first_token_ms)
        return CardState("first_token", tr("First token"), value, unit, worst, spark=spark, tip=tip)

    def _busy_card(self, sample: Sample) -> CardState:
        devices = [device for device in sample.devices if device.utilisation is not None]
        if not devices:
            return self._processor_card(sample)
        busiest = max(devices, key=lambda device: device.utilisation or 0.0)
        label = device_label(busiest.device, len(self.watch.devices))
        said = [] if label == tr("GPU") else [label]
        if busiest.temperature_c is not None:
            said.append(text(Kind.TEMPERATURE, busiest.temperature_c))
        if busiest.power_w is not None:
            said.append(text(Kind.POWER, round(busiest.power_w)))
        tone = Tone.PLAIN
        if busiest.throttled:
            tone, said = Tone.WARNING, [tr("slowed down: {why}", why=", ".join(busiest.throttled))]
        tip = next((info.name for info in self.watch.devices if info.device == busiest.device), "")
        value, unit = parts(Kind.SHARE, 100 * (busiest.utilisation or 0.0))
        spark = self._minute(sample, busiest.device, "utilisation", 100)
        return CardState("busy", tr("GPU"), value, unit, " · ".join(said), tone, spark, tip)

    def _processor_card(self, sample: Sample) -> CardState:
        host = sample.host
        value, unit = parts(Kind.SHARE, None if host.cpu is None else 100 * host.cpu)
        said: list[str] = []
        if host.our_cpu is not None:
            said.append(tr("{n} cores for us", n=number(host.our_cpu, 1)))
        if host.cpu_temperature_c is not None:
            said.append(text(Kind.TEMPERATURE, host.cpu_temperature_c))
        tip = tr("How busy the processor's cores are, all programs together. No graphics device was found.")
        spark = self._minute(sample, HOST, "cpu", 100)
        return CardState("busy", tr("CPU"), value, unit, " · ".join(said), spark=spark, tip=tip)

    def _memory_card(self, sample: Sample) -> CardState:
        host = sample.host
        share = _share(host.memory_used_bytes, host.memory_total_bytes)
        value, unit = parts(Kind.SHARE, None if share is None else 100 * share)
        worst = tr("ours {n}", n=text(Kind.BYTES, host.our_memory_bytes)) if host.our_memory_bytes else ""
        worst_share = share or 0.0
        for device in sample.devices:
            used = _share(device.memory_used_bytes, device.memory_total_bytes)
            if used is not None and used > worst_share:
                worst_share = used
                label = device_label(device.device, len(self.watch.devices))
                worst = tr("{device} {n} %", device=label, n=number(100 * used))
        tone = Tone.BAD if worst_share >= _TOO_FULL else Tone.WARNING if worst_share >= _FULL else Tone.PLAIN
        tip = _memory_tip(sample)
        spark = self._minute(sample, HOST, "memory_used_bytes")
        return CardState("memory", tr("Memory"), value, unit, worst, tone, spark, tip)

    def _errors_card(self, sample: Sample, recent: Recent) -> CardState:
        value, _unit = parts(Kind.COUNT, recent.failed)
        requests, failed = recent.requests, recent.failed
        worst = tr("of {n} requests", n=number(requests)) if requests else tr("no requests of late")
        if failed and self.failing is not None:
            worst = tr(
                "{model}: {failed} of {n} in 24 h", model=self.failing[0], failed=self.failing[1], n=self.failing[2]
            )
        tone = Tone.PLAIN if not failed else Tone.BAD if failed * 5 >= requests else Tone.WARNING
        tip = tr("Requests of the last five minutes that failed. What you stop yourself is no error.")
        if recent.last_error:
            tip = f"{tip}\n{tr('The last one: {error}', error=recent.last_error)}"
        spark = self._minute(sample, ENGINE, "failed")
        return CardState("errors", tr("Errors"), value if requests else MISSING, "", worst, tone, spark, tip)

    def _cache_card(self, sample: Sample, recent: Recent) -> CardState:
        value, unit = parts(Kind.SHARE, None if recent.cache_share is None else 100 * recent.cache_share)
        worst = tr("no questions of late")
        if recent.requests:
            worst = tr("{n} of {all} questions", n=number(recent.cached), all=number(recent.requests))
        tip = tr("Answers of the last five minutes that came from the cache instead of a model.")
        spark = self._minute(sample, ENGINE, "cache_hits")
        return CardState("cache", tr("From the cache"), value, unit, worst, spark=spark, tip=tip)


def _share(used: int | None, total: int | None) -> float | None:
    return used / total if used is not None and total else None


def _memory_tip(sample: Sample) -> str:
    host = sample.host
    lines = [
        tr("Computer: {used} of {total}", used=text(Kind.BYTES, host.memory_used_bytes),
           total=text(Kind.BYTES, host.memory_total_bytes)),
    ]  # fmt: skip
    told = [device for device in sample.devices if device.memory_used_bytes is not None]
    lines += [_device_line(device, len(sample.devices)) for device in told]
    return "\n".join(lines)


def _device_line(device: DeviceSample, count: int) -> str:
    return tr(
        "{device}: {used} of {total}",
        device=device_label(device.device, count),
        used=text(Kind.BYTES, device.memory_used_bytes),
        total=text(Kind.BYTES, device.memory_total_bytes),
    )
