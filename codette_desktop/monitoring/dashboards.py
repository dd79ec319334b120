"""Dashboards for Grafana: eight pages over the metrics that are exported."""

import json

from codette_desktop.monitoring import semantic as s
from codette_desktop.monitoring.dashboard_parts import (
    Dashboard,
    Panel,
    Query,
    chosen,
    grown,
    mean,
    per_second,
    percentiles,
    plain,
    quantile,
    to_json,
    unit_of,
)

_MODEL = s.GENAI_MODEL
_NAMED = f"{{{{{_MODEL}}}}}"  # as a legend
_GPU_MEMORY_SHARE = f"{chosen(s.GPU_MEMORY)} / {chosen(s.GPU_MEMORY_TOTAL)}"
_MEMORY_SHARE = f"{chosen(s.MEMORY)} / {chosen(s.MEMORY_TOTAL)}"
_FAILED_OF_MODEL = f"{per_second(s.REQUESTS_FAILED, 'model')} / {per_second(s.REQUESTS, 'model')}"
_CUT_OF_MODEL = f"{per_second(s.TRUNCATED, 'model')} / {per_second(s.REQUESTS, 'model')}"
_CONTEXT_SHARE = f"{chosen(s.MODEL_CONTEXT_USED)} / {chosen(s.MODEL_CONTEXT)}"
_FAILED_SHARE = f"{per_second(s.REQUESTS_FAILED)} / {per_second(s.REQUESTS)}"
_HIT_SHARE = f"{per_second(s.CACHE_HITS)} / ({per_second(s.CACHE_HITS)} + {per_second(s.CACHE_MISSES)})"
_OUTPUT = s.TOKEN_USAGE.prometheus + '_sum{gen_ai_token_type="output",gen_ai_request_model=~"$model"}'
_WRITTEN = f"(rate({_OUTPUT}[$__rate_interval]))"


def _small(title: str, unit: str, expression: str, *, bad: tuple[float, ...] = (), legend: str = "") -> Panel:
    return Panel(title, unit, (Query(expression, legend),), kind="stat", width=6, height=4, bad=bad)


def _growing(title: str, *queries: Query, unit: str = "reqps", stacked: bool = False) -> Panel:
    return Panel(title, unit, queries, stacked=stacked)


def _now(metric: s.Metric, legend: str = "") -> Query:
    return Query(chosen(metric), legend)


def _rate(metric: s.Metric, by: str) -> Query:
    return Query(per_second(metric, by), f"{{{{{by}}}}}")


def _by_device(title: str, metric: s.Metric, bad: tuple[float, ...] = ()) -> Panel:
    return plain(title, metric, "{{device}}", bad=bad)


OVERVIEW = Dashboard(
    "codette-overview", "Codette: overview", "How the computer and its models do, in one look.",
    (
        Panel("Health", "none", (_now(s.HEALTH),), kind="gauge", width=6, height=8, highest=100, help=s.HEALTH.help),
        _small("Requests in this time", "short", grown(s.REQUESTS)),
        _small("Failed in this time", "short", grown(s.REQUESTS_FAILED), bad=(1, 10)),
        _small("Alerts", "short", f"sum({chosen(s.ALERTS)})", bad=(1, 5)),
        _small("First token, median", "s", quantile(0.5, s.FIRST_CHUNK)),
        _small("From the cache", "percentunit", _HIT_SHARE),
        _small("Models in memory", "short", chosen(s.MODELS_LOADED)),
        _growing("Requests", _rate(s.REQUESTS, "model"), stacked=True),
        _growing("Tokens written", Query(f"sum by ({_MODEL}) {_WRITTEN}", _NAMED), unit="short"),
        percentiles("Time to first piece", s.FIRST_CHUNK, _MODEL),
        Panel("Computer", "percentunit", (_now(s.CPU, "processor"), Query(_MEMORY_SHARE, "memory"),
              _now(s.GPU, "{{device}}"), Query(_GPU_MEMORY_SHARE, "{{device}} memory")), highest=1),
    ),
)  # fmt: skip

MODELS = Dashboard(
    "codette-models", "Codette: models", "Each model: what it does, how long it takes to load, what it takes.",
    (
        Panel("Requests in this time", "short", (Query(grown(s.REQUESTS, "model"), "{{model}}"),), kind="bargauge"),
        Panel("Writing speed, mean", "short", (Query(f"1 / ({mean(s.PER_TOKEN, 'model')})", "{{model}}"),),
              kind="bargauge", help="Tokens a second after the first."),
        Panel("Loads in this time", "short", (Query(grown(s.LOADS, "model"), "{{model}}"),), kind="bargauge"),
        Panel("Time to load", "s", (_now(s.LOAD, "{{model}}"), _now(s.LOAD_USUAL, "{{model}} usual"))),
        plain("Memory of models", s.MODEL_MEMORY, "{{model}} on {{device}}", stacked=True),
        Panel("Context in use", "percentunit", (Query(_CONTEXT_SHARE, "{{model}}"),), highest=1),
        plain("Busy", s.MODEL_BUSY, "{{model}}"),
        plain("Models in memory", s.MODELS_LOADED),
    ),
)  # fmt: skip

LATENCY = Dashboard(
    "codette-latency", "Codette: latency", "How long people wait, and for what.",
    (
        percentiles("Time to first piece", s.FIRST_CHUNK, _MODEL),
        percentiles("Time of the whole answer", s.OPERATION_DURATION, _MODEL),
        percentiles("First token of the own engine", s.SERVER_FIRST_TOKEN, _MODEL),
        percentiles("Time a token", s.PER_TOKEN, "model"),
        percentiles("Reading the prompt", s.PREFILL, "model"),
        percentiles("Waiting", s.QUEUE_WAIT, "model"),
        plain("First token against the usual", s.FIRST_TOKEN_SHIFT, "{{model}}"),
        plain("Speed against the usual", s.SPEED_SHIFT, "{{model}}"),
    ),
)  # fmt: skip

THROUGHPUT = Dashboard(
    "codette-throughput", "Codette: throughput and tokens", "How much is asked, read and written.",
    (
        _growing("Requests", _rate(s.REQUESTS, "model"), stacked=True),
        _growing("What they are for", _rate(s.REQUESTS_BY_PURPOSE, "purpose"), stacked=True),
        _growing("Tokens", Query(per_second(s.TOKEN_USAGE, s.TOKEN_TYPE, suffix="_sum"), f"{{{{{s.TOKEN_TYPE}}}}}"),
                 unit="short"),
        _growing("Tokens written", Query(f"sum by ({_MODEL}) {_WRITTEN}", _NAMED),
                 unit="short", stacked=True),
        Panel("Tokens a request, mean", "short", (Query(mean(s.TOKEN_USAGE, _MODEL, s.TOKEN_TYPE),
              f"{_NAMED} {{{{{s.TOKEN_TYPE}}}}}"),)),
        _growing("Prompt tokens that need not be read", _rate(s.REUSED, "model"), unit="short"),
        Panel("Requests now", "short", (_now(s.RUNNING, "answered"), _now(s.QUEUE_DEPTH, "waiting")), stacked=True),
        Panel("Energy a token", "joule", (Query(f"{per_second(s.ENERGY)} / sum{_WRITTEN}"),)),
    ),
)  # fmt: skip

HARDWARE = Dashboard(
    "codette-hardware", "Codette: graphics devices and hardware", "What the sensors tell.",
    (
        _by_device("Graphics devices in use", s.GPU),
        _by_device("Temperature", s.GPU_TEMPERATURE, bad=(87, 93)),
        Panel("Power", "watt", (_now(s.GPU_POWER, "{{device}}"), _now(s.GPU_POWER_LIMIT, "{{device}} limit"))),
        Panel("Clocks", "hertz", (_now(s.GPU_CLOCK, "{{device}}"), _now(s.GPU_MEMORY_CLOCK, "{{device}} memory"))),
        _by_device("Fans", s.GPU_FAN),
        plain("Slowed down", s.GPU_THROTTLED, "{{device}} {{reason}}"),
        Panel("Bus of the devices", "Bps", (_now(s.GPU_RECEIVE, "{{device}} in"),
              _now(s.GPU_TRANSMIT, "{{device}} out"))),
        Panel("Energy in this time", "joule", (Query(grown(s.GPU_ENERGY, "device"), "{{device}}"),), kind="bargauge"),
        Panel("Processor", "percentunit", (_now(s.CPU, "all programs"),), highest=1),
        Panel("Temperature of the processor", "celsius", (_now(s.CPU_TEMPERATURE),), bad=(95, 100)),
        Panel("Disk and network", "Bps", (_now(s.DISK_READ, "read"), _now(s.DISK_WRITE, "written"),
              _now(s.NET_RECEIVE, "received"), _now(s.NET_TRANSMIT, "sent"))),
        Panel("Devices", "short", (_now(s.GPU_INFO),), kind="table"),
    ),
)  # fmt: skip

MEMORY = Dashboard(
    "codette-memory", "Codette: memory and cache", "What takes memory and disk, and what the caches are good for.",
    (
        Panel("Memory of the computer", "bytes", (_now(s.MEMORY, "used"), _now(s.MEMORY_TOTAL, "there is"),
              _now(s.OUR_MEMORY, "this application"), _now(s.SWAP, "swapped out"))),
        Panel("Memory of graphics devices", "bytes", (_now(s.GPU_MEMORY, "{{device}} used"),
              _now(s.GPU_MEMORY_TOTAL, "{{device}} there is"), _now(s.GPU_MEMORY_OURS, "{{device}} ours"))),
        plain("Models", s.MODEL_MEMORY, "{{model}}", stacked=True),
        Panel("Disk free", "bytes", (_now(s.DISK_FREE, "free"),)),
        _growing("Answer cache", Query(per_second(s.CACHE_HITS), "hits"), Query(per_second(s.CACHE_MISSES), "misses"),
                 Query(per_second(s.CACHE_SHARED), "shared"), stacked=True),
        Panel("Hit rate", "percentunit", (Query(_HIT_SHARE),), highest=1),
        _growing("Answers kept and gone", Query(per_second(s.CACHE_STORED), "kept"),
                 Query(per_second(s.CACHE_EVICTIONS), "gone")),
        Panel("Space", unit_of(s.DATABASE), (_now(s.DATABASE, "database"), _now(s.CACHE_SIZE, "answers"),
              _now(s.KV_SIZE, "prompts"))),
    ),
)  # fmt: skip

ERRORS = Dashboard(
    "codette-errors", "Codette: errors and fallbacks", "What fails, and who stands in.",
    (
        Panel("Failed requests", "percentunit", (Query(_FAILED_OF_MODEL, "{{model}}"),), bad=(0.01, 0.1)),
        _growing("Errors", _rate(s.ERRORS, "error_type"), stacked=True),
        _growing("How requests end", _rate(s.REQUESTS_ENDED, "outcome"), stacked=True),
        _growing("Another model answered instead", _rate(s.FALLBACKS, "model")),
        Panel("Prompts that did not fit", "percentunit", (Query(_CUT_OF_MODEL, "{{model}}"),)),
        plain("Failed checks in a row", s.FAILED_CHECKS, "{{backend}}"),
        plain("Servers that answer", s.UPTIME, "{{backend}}", highest=1),
        _growing("Failed writes to the database", Query(per_second(s.DATABASE_ERRORS), "failed writes"), unit="short"),
    ),
)  # fmt: skip

ALERTS = Dashboard(
    "codette-alerts", "Codette: alerts and health", "What alerts, and what health is made of.",
    (
        Panel("Health", "none", (_now(s.HEALTH),), kind="gauge", width=8, highest=100, help=s.HEALTH.help),
        Panel("Parts of it", "percentunit", (_now(s.HEALTH_PART, "{{part}}"),), kind="bargauge", width=8, highest=1),
        Panel("Alerts now", "short", (_now(s.ALERTS, "{{severity}}"),), kind="stat", width=8, bad=(1, 5)),
        Panel("Health over time", "none", (_now(s.HEALTH, "score"),), highest=100),
        plain("Alerts over time", s.ALERTS, "{{severity}}", stacked=True),
        Panel("Which", "short", (Query(s.ALERT_FIRING.prometheus),), kind="table"),
        Panel("Failed requests", "percentunit", (Query(_FAILED_SHARE, "all models"),), bad=(0.01, 0.1)),
        plain("Time since the sensors were read", s.SAMPLE_AGE, bad=(30, 300)),
        Panel("Versions", "short", (_now(s.BUILD),), kind="table"),
    ),
)  # fmt: skip

DASHBOARDS = (OVERVIEW, MODELS, LATENCY, THROUGHPUT, HARDWARE, MEMORY, ERRORS, ALERTS)


def dashboard_files() -> dict[str, str]:
    """Each page as the text of a file Grafana imports, by the file's name."""
    return {f"{page.uid}.json": json.dumps(to_json(page), indent=2) + "\n" for page in DASHBOARDS}
