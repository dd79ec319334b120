"""`compare --batch`: every prompt of a file to the same models, gone on with where it was stopped."""

import hashlib
import sys
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from codette_desktop.application import Application
from codette_desktop.domain.comparisons import Batch, BatchState, ComparisonSetup
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.ensemble.batches import BatchProgress
from codette_desktop.ensemble.exporting import ENDINGS
from codette_desktop.ensemble.prompts_file import Prompts, from_file

_TOLD = 20  # lines of progress, where there is no terminal


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask, and where to write what came of it."""

    file: Path
    column: str
    out: Path
    fresh: bool

    def read(self) -> Prompts:
        """The prompts. Raises InvalidRequest for these, and where `out` cannot be what it is to be."""
        check_out(self.out)
        return from_file(self.file, self.column)


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch that has been asked and written."""

    batch: Batch
    out: Path
    rows: int
    empty: int
    went_on: bool

    def fields(self) -> dict[str, Any]:
        """For --json."""
        return {
            "batch": self.batch.id,
            "name": self.batch.name,
            "prompts": self.batch.prompts,
            "failed": self.batch.failed,
            "empty": self.empty,
            "went_on": self.went_on,
            "seconds": round(self.batch.seconds, 2),
            "rows": self.rows,
            "out": str(self.out),
        }

    def text(self) -> str:
        """For people."""
        batch = self.batch
        failed = f", {batch.failed:,} with a member that failed" if batch.failed else ""
        empty = f" (without text, and left out: {self.empty:,})" if self.empty else ""
        return f"{batch.prompts:,} prompts{failed}, {duration(batch.seconds)}{empty}. Written to {self.out}."


def check_out(path: Path) -> None:
    """Raises InvalidRequest where nothing can be written there: not after hours of work."""
    if path.suffix.lower() not in ENDINGS:
        raise InvalidRequest(f"{path.name} is no table.", f"Give it one of the endings {', '.join(ENDINGS)}.")
    if not path.resolve().parent.is_dir():
        raise InvalidRequest(f"The folder of {path} does not exist.", "Make it first, or choose another.")


async def run_batch(application: Application, wanted: Wanted, prompts: Prompts, setup: ComparisonSetup) -> BatchDone:
    """Ask what is left, tell how far it is on standard error, and write the table."""
    name = f"{wanted.file.name} · {_hash(prompts)}"
    known = [one for one in application.batches.list() if one.name == name and one.setup == setup]
    batch = next((one for one in known if one.state is not BatchState.DONE), None)
    went_on = batch is not None
    if batch is None:
        batch = await application.batches.create(name, prompts.prompts, setup)
    elif batch.done:
        click.echo(f"Going on after {batch.done:,} of {batch.prompts:,} prompts.", err=True)
    async with aclosing(application.batches.run(batch.id, fresh=wanted.fresh)) as parts:
        async for progress in parts:
            _tell(progress)
            batch = progress.batch
    rows = application.batches.export(batch.id, wanted.out)
    return BatchDone(batch, wanted.out, rows, prompts.empty, went_on)


def _tell(progress: BatchProgress) -> None:
    batch = progress.batch
    if progress.error is not None:
        click.echo(f"\n{progress.prompt[:60]}: {progress.error}" if _live() else str(progress.error), err=True)
    if not progress.prompt:
        return
    step = max(1, batch.prompts // _TOLD)
    if _live() or batch.done % step == 0 or batch.done == batch.prompts:
        failed = f", {batch.failed:,} failed" if batch.failed else ""
        left = f", {duration(batch.remaining_s)} left" if batch.remaining_s else ""
        line = f"{batch.done:,} of {batch.prompts:,}{failed}{left}"
        click.echo(f"\r{line:60}" if _live() else line, nl=not _live() or batch.done == batch.prompts, err=True)


def _live() -> bool:
    return sys.stderr.isatty()


def duration(seconds: float) -> str:
    """ "2 h 5 min", "3 min 20 s", "12 s"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _hash(prompts: Prompts) -> str:
    """Twelve digits that tell these prompts from others in a file of the same name."""
    digest = hashlib.sha256()
    for prompt in prompts.prompts:
        data = prompt.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]
