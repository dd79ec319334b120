"""`${VAR}` in a text: variables of the environment."""

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\$\{")


class VariableMissing(ValueError):
    """A variable is not set and has no default; `name` is "" where what follows "${" is no name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def mentions_variables(text: str) -> bool:
    """Whether `expand` would change it, or refuse it."""
    return "${" in text


def expand(text: str, environment: Mapping[str, str]) -> str:
    """`text` with its variables filled in, once: what a variable holds is not looked through again.

    An empty variable counts as unset where there is a default, as in a shell. Raises VariableMissing.
    """

    def value(match: "re.Match[str]") -> str:
        name: str | None = match[1]
        default: str | None = match[2]
        if match[0] == "$${":
            return "${"
        if name is None:
            raise VariableMissing("")
        found = environment.get(name)
        if found is None and default is None:
            raise VariableMissing(name)
        return default if default is not None and not found else found or ""

    return _VARIABLE.sub(value, text)
