"""All roles: those that ship, and those of the configuration file, which may replace them."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from codette_desktop.configuration.settings import RoleEntry, Settings
from codette_desktop.configuration.shipped import shipped_roles
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.roles import Role


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles there are at the moment of the question. `settings` gives those of the file. Any thread."""

    settings: Callable[[], Settings] = Settings

    def all(self) -> list[Role]:
        """The shipped ones, each perhaps replaced, then those of the file in its order."""
        found = {name.casefold(): role for name, role in shipped_roles().items()}
        for entry in self.settings().roles.values():
            found[entry.name.casefold()] = _role(entry, found.get(entry.name.casefold()))
        return list(found.values())

    def find(self, name: str) -> Role:
        """The role of that name or title, whatever the case. Raises InvalidRequest and names what comes close."""
        wanted, roles = name.strip().casefold(), self.all()
        for role in roles:
            if wanted in (role.name.casefold(), role.title.casefold()):
                return role
        close = difflib.get_close_matches(wanted, [role.name.casefold() for role in roles], n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(role.name for role in roles)}."
        raise InvalidRequest(f"There is no role '{name}'.", hint)

    def sampling_of(self, role: Role) -> Mapping[str, Any]:
        """The sampling parameters the file sets for a role, and no others."""
        wanted = role.name.casefold()
        return next(
            (item.sampling for item in self.settings().roles.values() if item.name.casefold() == wanted),
            dict[str, Any](),
        )

    def is_shipped(self, role: Role) -> bool:
        """Whether it is as it ships."""
        return role in shipped_roles().values()


def _role(entry: RoleEntry, shipped: Role | None) -> Role:
    role = shipped or Role(entry.name, entry.title or entry.name, entry.prompt)
    return replace(
        role,
        title=entry.title or role.title,
        prompt=entry.prompt or role.prompt,
        description=entry.description or role.description,
        model=entry.model,
        sampling=Sampling(**entry.sampling) if entry.sampling else None,
    )
