"""The key of an answer: everything that can change it, and nothing else."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from codette_desktop.domain.requests import ChatRequest, Sampling

VERSION = 1  # of what a key is made of and of what is kept under it; a new one makes all that is kept unreachable


def key_of(traits: Mapping[str, Any], request: ChatRequest) -> bytes:
    """BLAKE2b (32 bytes) of canonical JSON: version, `traits` of the provider and its model, messages, sampling.

    The model's name is not part of it, nor is `fresh`; that the answer is to be `scored` is. Text is taken as it is,
    not normalised: "é" in its two spellings is two prompts, as it is to a model. Raises TypeError or ValueError for
    traits that JSON cannot say.
    """
    sampling = {name: _exact(value) for name, value in asdict(request.sampling).items()}
    messages = [[message.role.value, message.content] for message in request.messages]
    everything = [VERSION, dict(traits), messages, sampling, *(["scored"] if request.scored else [])]
    text = json.dumps(everything, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("ascii"), digest_size=32).digest()


def repeats_itself(sampling: Sampling) -> bool:
    """Whether the same request has the same answer: greedy, or with a seed that was given."""
    return sampling.temperature == 0 or sampling.seed is not None


def _exact(value: Any) -> Any:
    """Temperature 0 and 0.0 are the same."""
    return float(value) if type(value) is int else value
