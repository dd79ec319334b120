"""Contestants as a person types them: one member, or a method and several.

guide-s#security-architect?temperature=1    a model, role and parameters: see `ensemble.members`
vote(guide-s, guide-m)                      one answer made of several: vote, weighted, consensus, hybrid, token
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from codette_desktop.domain.ensembles import Member, Method
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import AnyModel, ModelInfo
from codette_desktop.domain.votes import Contestant
from codette_desktop.store.access import canonical_json

MOST_CONTESTANTS = 12
_TOGETHER = re.compile(rf"({'|'.join(method for method in Method if method is not Method.NONE)})\((.*)\)", re.DOTALL)
_METHOD_WORDS = {
    Method.VOTE: "Vote",
    Method.WEIGHTED: "Weighted vote",
    Method.CONSENSUS: "Consensus",
    Method.HYBRID: "Hybrid",
    Method.TOKEN: "Token by token",
}


class Members(Protocol):
    """What is needed of `ensemble.members.MemberReader`."""

    def read_all(self, specs: Sequence[str]) -> tuple[Member, ...]: ...


@dataclass(frozen=True, slots=True)
class ContestantReader:
    """Makes contestants of what was typed. `find` finds a model with the hashes of its files. Reads the disk."""

    members: Members
    find: Callable[[str], AnyModel]

    def label(self, spec: str) -> str:
        """What is read for one of them; quick. Raises InvalidRequest, ModelError."""
        return self._label(*self._read(spec))

    def read(self, spec: str) -> Contestant:
        """One of them. Raises InvalidRequest, ModelError."""
        method, members = self._read(spec)
        models = [self.find(member.model) for member in members]
        label = self._label(method, members)
        return Contestant(
            key=key_of(
                [
                    (_weights(model), member.system, asdict(member.sampling))
                    for member, model in zip(members, models, strict=True)
                ],
                method,
            ),
            label=label,
            spec=spec.strip(),
            members=members,
            method=method,
            files=tuple(name for model in models if isinstance(model, ModelInfo) for name in model.file_hashes),
            quantisation=models[0].quantisation if len(models) == 1 else "",
        )

    def _read(self, spec: str) -> tuple[Method, tuple[Member, ...]]:
        method, specs = split_spec(spec)
        members = self.members.read_all(specs)
        if method is not Method.NONE and len(members) < 2:
            raise InvalidRequest(f"'{spec}' names one member, which is no ensemble.", "Name at least two.")
        return method, members

    def _label(self, method: Method, members: Sequence[Member]) -> str:
        if method is Method.NONE:
            return members[0].label
        return f"{_METHOD_WORDS[method]}: {', '.join(member.label for member in members)}"

    def read_all(self, specs: Sequence[str]) -> tuple[Contestant, ...]:
        """All of one experiment: none twice, each with a label of its own. Raises InvalidRequest, ModelError."""
        found = [self.read(spec) for spec in specs if spec.strip()]
        if len(found) < 2:
            raise InvalidRequest("A duel takes two.", "Choose at least two contestants.")
        if len(found) > MOST_CONTESTANTS:
            raise InvalidRequest(f"{len(found)} contestants are too many.", f"Choose at most {MOST_CONTESTANTS}.")
        for at, contestant in enumerate(found):
            if any(contestant.key == other.key for other in found[:at]):
                raise InvalidRequest(
                    f"{contestant.label} was given twice.",
                    "Change its persona, its temperature, or its adapter, or remove one of the two.",
                )
        return told_apart(found)


def split_spec(spec: str) -> tuple[Method, tuple[str, ...]]:
    """The method (NONE for a single member) and the specs of the members."""
    match = _TOGETHER.fullmatch(spec.strip())
    if match is None:
        return Method.NONE, (spec.strip(),)
    return Method(match[1]), tuple(part.strip() for part in match[2].split(",") if part.strip())


def joined_spec(method: Method, specs: Sequence[str]) -> str:
    """The inverse of `split_spec`."""
    return specs[0] if method is Method.NONE else f"{method.value}({', '.join(specs)})"


def told_apart(contestants: Sequence[Contestant]) -> tuple[Contestant, ...]:
    """Where two would be read as the same, what tells them apart is added: their parameters, or their number."""
    labels = [item.label for item in contestants]
    found: list[Contestant] = []
    for item in contestants:
        label = item.label
        query = item.spec.partition("?")[2]
        if labels.count(label) > 1 and query and item.method is Method.NONE:
            label += " · " + query.replace("&", ", ").replace("=", " ").replace("_", " ")
        number = sum(other.label == label for other in found)
        found.append(replace(item, label=f"{label} · {number + 1}" if number else label))
    return tuple(found)


def key_of(members: Sequence[tuple[Sequence[Any], str, Mapping[str, Any]]], method: Method = Method.NONE) -> str:
    """See `Contestant.key`. Of each member its weights, its system prompt and its parameters (the seed is left out)."""
    told = [
        {"weights": list(weights), "system": system, "sampling": {**sampling, "seed": None}}
        for weights, system, sampling in members
    ]
    return hashlib.sha256(canonical_json({"method": method.value, "members": told}).encode()).hexdigest()


def _weights(model: AnyModel) -> list[Any]:
    """What the model is. One on a server is what it is called there: nothing else is known of it."""
    if isinstance(model, ModelInfo):
        return [model.file_hash, *([item.file_hash, item.scale] for item in model.adapters)]
    return ["server", model.name]
