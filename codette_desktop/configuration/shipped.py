"""The roles that ship with the application: one file each in `resources/prompts/personas`."""

import functools
from pathlib import Path

from codette_desktop import paths
from codette_desktop.domain.errors import ConfigurationError
from codette_desktop.domain.roles import Role

MARK = "---"
KEYS = ("name", "title", "description")


@functools.cache
def shipped_roles() -> dict[str, Role]:
    """By name, in the order of their titles. Read once."""
    roles = [role_of(path) for path in paths.resource("prompts", "personas").glob("*.md")]
    return {role.name: role for role in sorted(roles, key=lambda role: role.title)}


def role_of(path: Path) -> Role:
    """The role of a file: between two lines "---" name, title and description, then the prompt.

    Each of the three is one line, all of which after the first colon counts. Raises ConfigurationError.
    """
    head, _mark, prompt = path.read_text(encoding="utf-8").removeprefix(f"{MARK}\n").partition(f"\n{MARK}\n")
    pairs = (line.partition(":") for line in head.splitlines())
    values = {key.strip(): value.strip() for key, _colon, value in pairs}
    if not all(values.get(key) for key in KEYS) or not prompt.strip():
        raise ConfigurationError(f"{path.name} is no file of a role.", "It begins with name, title and description.")
    return Role(values["name"], values["title"], prompt.strip(), values["description"])
