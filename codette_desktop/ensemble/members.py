"""Members as a person types them: "MODEL#ROLE?temperature=1&seed=7", where each part but one may be left out.

guide-s                         a model
guide-s+tone@0.5                with an adapter
workshop/qwen3:8b               on a server
guide-s#security-architect      asked to be somebody
#performance-engineer           the model chosen for new chats, asked to be somebody
guide-s?temperature=1&seed=7    with other parameters
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode

from codette_desktop.domain.ensembles import Member
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import AUTO, AnyModel
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.roles import Role

MOST_MEMBERS = 6
_TEXTS = ("grammar", "json_schema")
_WHOLE = ("top_k", "penalty_window", "seed", "max_tokens")
_NAMES = tuple(item.name for item in fields(Sampling) if item.name != "stop" and item.name not in _TEXTS)
_ONE_OF = {"grammar": "json_schema", "json_schema": "grammar"}


class Models(Protocol):
    """What is needed of the application's models."""

    def find_model(self, name: str) -> AnyModel: ...
    def name_to_ask(self, name: str) -> str: ...
    def name_for(self, model: AnyModel) -> str: ...


class KnownRoles(Protocol):
    """What is needed of the roles: see `configuration.roles.Roles`."""

    def find(self, name: str) -> Role: ...
    def sampling_of(self, role: Role) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class MemberReader:
    """Makes members of what was typed. `sampling_for` gives a model's own parameters of the configuration file."""

    models: Models
    roles: KnownRoles
    sampling_for: Callable[[str], Mapping[str, Any]]

    def read_all(
        self, specs: Sequence[str], system: str = "", sampling: Mapping[str, Any] | None = None
    ) -> tuple[Member, ...]:
        """All members of one question. Raises InvalidRequest where they are none, too many, or two are the same."""
        wanted = [spec.strip() for spec in specs if spec.strip()]
        if not wanted:
            raise InvalidRequest("Nobody is asked.", "Name at least one model.")
        if len(wanted) > MOST_MEMBERS:
            raise InvalidRequest(f"{len(wanted)} members are too many.", f"At most {MOST_MEMBERS} are asked at once.")
        members = [self.read(spec, system, sampling) for spec in wanted]
        seen: set[tuple[object, ...]] = set()
        for member in members:
            key = (member.model, member.system, member.sampling.to_json())
            if key in seen:
                raise InvalidRequest(
                    f"{member.label} was given twice.",
                    "Give each another role, or other parameters: for a second sample '?temperature=1&seed=2'.",
                )
            seen.add(key)
        return _with_labels_apart(members)

    def read(self, spec: str, system: str = "", sampling: Mapping[str, Any] | None = None) -> Member:
        """One member; `system` comes after its role's prompt, and its own parameters count more than `sampling`.

        Raises InvalidRequest, ModelError.
        """
        head, _, query = spec.partition("?")
        name, hash_mark, role_name = head.partition("#")
        if hash_mark and not role_name.strip():
            raise InvalidRequest(f"No role is named in '{spec}'.", "Write it after the #, as in guide-s#devops.")
        role = self.roles.find(role_name) if role_name.strip() else None
        asked = self.models.name_to_ask(name.strip() or (role.model if role else ""))
        if asked == AUTO:
            if name.strip():
                raise InvalidRequest("Auto cannot be a member.", "Name the models that are to answer.")
            asked = self.models.name_for(self.models.find_model(""))
        model = self.models.find_model(asked)
        layers = [
            self.sampling_for(asked),
            self.roles.sampling_of(role) if role else {},
            sampling or {},
            read_parameters(query, spec),
        ]
        prompts = [role.prompt if role else "", system]
        label = model.label + (f" · {role.title}" if role else "")
        return Member(
            spec=spec.strip(),
            label=label,
            model=asked,
            role=role.name if role else "",
            system="\n\n".join(text for text in prompts if text.strip()),
            sampling=merged(layers),
        )


def merged(layers: Sequence[Mapping[str, Any]]) -> Sampling:
    """Parameters in layers, the last counting most; of a grammar and a JSON schema only the later."""
    chosen: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            chosen.pop(_ONE_OF.get(key, ""), None)
            chosen[key] = value
    return Sampling(**chosen)


def read_parameters(query: str, spec: str) -> dict[str, Any]:
    """ "temperature=1&seed=7" as parameters. Raises InvalidRequest."""
    found: dict[str, Any] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in _NAMES:
            raise InvalidRequest(f"'{key}' in '{spec}' is no parameter.", f"There are: {', '.join(_NAMES)}.")
        try:
            found[key] = int(value) if key in _WHOLE else float(value)
        except ValueError:
            raise InvalidRequest(f"'{value}' in '{spec}' is no number.", f"Write it as {key}=1.") from None
    if query and not found:
        raise InvalidRequest(f"What follows the ? in '{spec}' is no parameter.", "Write it as ?temperature=1&seed=7.")
    return found


def spec_of(model: str, role: str = "", parameters: Mapping[str, Any] | None = None) -> str:
    """What a person would type for it."""
    told = {key: f"{value:g}" if isinstance(value, float) else value for key, value in (parameters or {}).items()}
    return model + (f"#{role}" if role else "") + (f"?{urlencode(told)}" if told else "")


def _with_labels_apart(members: Sequence[Member]) -> tuple[Member, ...]:
    """Where two would be read as the same, what tells them apart is added: their parameters, or their number."""
    labels = [member.label for member in members]
    seen: Counter[str] = Counter()
    found: list[Member] = []
    for member in members:
        label, query = member.label, member.spec.partition("?")[2]
        if labels.count(label) > 1 and query:
            label += " · " + query.replace("&", ", ").replace("=", " ").replace("_", " ")
        seen[label] += 1
        found.append(replace(member, label=label if seen[label] == 1 else f"{label} · {seen[label]}"))
    return tuple(found)
