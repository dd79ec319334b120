"""What all commands share: options, errors in words, opening and closing the services."""

import functools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from codette_desktop.application import Application
from codette_desktop.domain.errors import CodetteError
from codette_desktop.paths import data_dir

F = TypeVar("F", bound=Callable[..., Any])


def common(command: F) -> F:
    """Options every command takes, and errors told in words instead of a traceback."""

    @click.option(
        "--data-dir", "folder", type=click.Path(file_okay=False, path_type=Path), help="Keep all state there."
    )
    @functools.wraps(command)
    def wrapped(*arguments: Any, folder: Path | None, **options: Any) -> None:
        context: click.Context | None = click.get_current_context().parent
        inherited: Path | None = None
        while context is not None and inherited is None:
            inherited, context = context.params.get("folder"), context.parent
        try:
            command(*arguments, folder=data_dir(folder or inherited), **options)
        except CodetteError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            raise click.ClickException("Stopped.") from None

    return wrapped  # type: ignore[return-value] # functools.wraps keeps the signature click reads


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[Application, None]:
    """The services of a data folder, closed at the end; first tells what the last start left to tell."""
    application = Application.open(folder)
    try:
        tell_notes(application)
        yield application
    finally:
        await application.aclose()


def tell_notes(application: Application) -> None:
    """What happened since the last start: told once, so it must not be swallowed here."""
    for note in application.notes:
        click.echo(note, err=True)
    problems = list(application.configuration.problems)
    if problems:
        more = f" and {len(problems) - 1} more mistakes" if len(problems) > 1 else ""
        name = application.configuration.path.name
        click.echo(f"{name}, {problems[0]}{more}. See 'codette-desktop config check'.", err=True)
