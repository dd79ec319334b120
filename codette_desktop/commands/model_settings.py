"""`models show` and `models set`: whether a model fits, and how it is loaded."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from codette_desktop.application import Application
from codette_desktop.commands.common import common, opened
from codette_desktop.domain.errors import InvalidRequest, ModelNotFound
from codette_desktop.domain.models import ModelInfo
from codette_desktop.hardware.machine import inspect
from codette_desktop.inference.engine_fields import BY_NAME, MEMORY_LIMIT
from codette_desktop.inference.engine_presets import preset_named, preset_of, preset_values
from codette_desktop.inference.engine_settings import parse_setting
from codette_desktop.models.fit import Fit, size_text
from codette_desktop.models.memory_need import MemoryNeed, f16_bytes, saved_bytes


@click.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def show(name: str, folder: Path, as_json: bool) -> None:
    """Say whether the model NAME fits into memory now, and with which settings it is loaded."""
    asyncio.run(_show(folder, name, as_json))


@click.command("set")
@click.argument("name")
@click.argument("values", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--preset", default="", help="Settings made for this computer: automatic, low-memory, balanced, ...")
@click.option("--reset", is_flag=True, help="Take the model's own settings back: all, or only each KEY that is given.")
@click.option("--load-at-start/--not-at-start", "at_start", default=None, help="Load it when the application starts.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def set_settings(name: str, values: tuple[str, ...], folder: Path, as_json: bool, **options: Any) -> None:
    """Change how the model NAME is loaded. NAME "all" is every model that has no settings of its own.

    For "all", memory_limit_gb is how much memory the models may take together.
    """
    asyncio.run(_set(folder, name, values, options, as_json))


async def _show(folder: Path, name: str, as_json: bool) -> None:
    async with opened(folder) as application:
        fields = await asyncio.to_thread(_model_fields, application, _file_model(application, name))
    click.echo(json.dumps(fields, ensure_ascii=False) if as_json else _text(fields))


async def _set(folder: Path, name: str, values: tuple[str, ...], options: Mapping[str, Any], as_json: bool) -> None:
    async with opened(folder) as application:
        model = None if name == "all" else _file_model(application, name)
        _change(application, model, values, options)
        fields = await asyncio.to_thread(_model_fields, application, model)
    click.echo(json.dumps(fields, ensure_ascii=False) if as_json else _text(fields))


def _change(
    application: Application, model: ModelInfo | None, values: tuple[str, ...], options: Mapping[str, Any]
) -> None:
    service = application.load_settings
    if options["reset"]:
        for key in values or (None,):
            service.reset(key, model).result()
        return
    chosen: dict[str, Any] = {}
    if options["preset"]:
        preset = preset_named(options["preset"], inspect(application.data_dir))
        chosen |= preset_values(
            preset, for_one_model=model is not None, trained_tokens=model.context_length if model else 0
        )
    for item in values:
        key, separator, text = item.partition("=")
        if not separator:
            raise InvalidRequest(f"'{item}' is no setting.", f"Write KEY=VALUE; KEY is one of {', '.join(BY_NAME)}.")
        chosen[key] = parse_setting(key, text)
    if model is None and (limit := chosen.pop(MEMORY_LIMIT, None)) is not None:
        service.set_memory_limit(limit).result()
    if chosen:
        service.change(chosen, model).result()
    if options["at_start"] is not None:
        if model is None:
            raise InvalidRequest("Only single models can be loaded at start.", "Give the name of a model.")
        application.preloader.want(model, options["at_start"]).result()


def _file_model(application: Application, name: str) -> ModelInfo:
    model = application.catalogue.find_known_model(name)
    if not isinstance(model, ModelInfo):
        raise ModelNotFound(f"{model.label} answers on a server, which loads it as it likes.", "Choose a local model.")
    return model


def fit_fields(fit: Fit) -> dict[str, Any]:
    """What `models list --json` says of a fit: sizes in bytes."""
    return {
        "verdict": fit.verdict.value,
        "words": fit.words,
        "advice": fit.advice,
        "need_bytes": fit.need.total,
        "free_bytes": max(0, fit.free_bytes),
        "gpu_free_bytes": max(0, fit.gpu_free_bytes),
    }


def _model_fields(application: Application, model: ModelInfo | None) -> dict[str, Any]:
    """Everything `show` says, as JSON. None: what counts for all models."""
    effective = application.load_settings.effective(model)
    preset = preset_of(effective.settings, inspect(application.data_dir))
    fields: dict[str, Any] = {
        "name": model.name if model else "all",
        "label": model.label if model else "All models",
        "settings": {
            key: {"value": getattr(effective.settings, key), "source": source.value}
            for key, source in effective.sources.items()
        },
        "preset": preset.key if preset else None,
        "memory_limit_bytes": application.load_settings.memory_limit_bytes(),
    }
    if model is not None:
        header = application.library.headers.read(model.path)
        fit = application.fit(model)
        need = {"cpu": _need_fields(fit.need.cpu), "gpu": _need_fields(fit.need.gpu)}
        admitted, crashes = application.store.models.trust(model.file_hash)
        fields |= {
            "path": str(model.path),
            "quantisation": model.quantisation,
            "fit": {**fit_fields(fit), "need": need},
            "f16_bytes": f16_bytes(header),
            "saved_bytes": saved_bytes(header),
            "apart": application.runs_apart(model),
            "admitted": admitted or model.starter,
            "crashes": crashes,
            "load_at_start": application.preloader.is_wanted(model),
        }
    return fields


def _need_fields(need: MemoryNeed) -> dict[str, int]:
    return {
        "weights_bytes": need.weights_bytes,
        "kv_bytes": need.kv_bytes,
        "compute_bytes": need.compute_bytes,
        "total_bytes": need.total,
    }


def _text(fields: Mapping[str, Any]) -> str:
    lines = [str(fields["label"])]
    if "fit" in fields:
        fit = fields["fit"]
        lines.append(f"  {fit['words']}{': ' if fit['advice'] else ''}{fit['advice']}")
        for device, place in (("cpu", "memory"), ("gpu", "graphics card")):
            need = fit["need"][device]
            if need["total_bytes"]:
                lines.append(
                    f"  {place}: weights {size_text(need['weights_bytes'])}, context {size_text(need['kv_bytes'])}, "
                    f"computing {size_text(need['compute_bytes'])}"
                )
        if fields["saved_bytes"] > 0:
            saved = f"{size_text(fields['saved_bytes'])} of {size_text(fields['f16_bytes'])}"
            lines.append(f"  {fields['quantisation']} saves {saved} against 16 bits")
        lines.append(f"  runs {'in a process of its own' if fields['apart'] else 'in this process'}")
    lines.append(f"  preset: {fields['preset'] or 'none, its settings are mixed'}")
    for key, item in fields["settings"].items():
        lines.append(f"  {key:20} {item['value']!s:10} ({item['source']})")
    return "\n".join(lines)
