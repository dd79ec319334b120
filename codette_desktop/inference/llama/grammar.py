"""Grammars that bind an answer to a form: GBNF as given, or made from a JSON schema."""

import importlib
import json
from itertools import accumulate
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.requests import Sampling

MAX_SCHEMA_CHARS = 200_000
MAX_GRAMMAR_CHARS = 500_000
MAX_BRACKETS = 500
_BRACKETS = {"(": 1, ")": -1}
_HINT = "See the README for what a JSON schema may contain here."
_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
)
# The converter reads these; what it does not read would be promised and not kept, so it is refused.
_UNSUPPORTED = frozenset(
    {"not", "if", "then", "else", "patternProperties", "propertyNames", "dependentSchemas", "dependentRequired"}
    | {"contains", "uniqueItems", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minProperties", "maxProperties", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef"}
)
_NAMED = frozenset({"properties", "$defs", "definitions"})  # their keys are names, not keywords
_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SCHEMAS = frozenset({"items", "additionalProperties"})


def grammar_of(sampling: Sampling) -> str | None:
    """The GBNF grammar of a request, or None.

    Raises InvalidRequest for a schema that cannot be turned into one, and for a grammar that the library's parser would
    not survive (it calls itself for each bracket).
    """
    if sampling.json_schema:
        return from_json_schema(sampling.json_schema)
    grammar = sampling.grammar or None
    if grammar and len(grammar) > MAX_GRAMMAR_CHARS:
        raise InvalidRequest(f"The grammar has {len(grammar):,} characters.", f"Use at most {MAX_GRAMMAR_CHARS:,}.")
    if grammar and max(accumulate(_BRACKETS.get(character, 0) for character in grammar)) > MAX_BRACKETS:
        raise InvalidRequest("The brackets of the grammar are nested too deeply.", "Use rules instead.")
    return grammar


def from_json_schema(text: str) -> str:
    """GBNF of the JSON values that `text`, a JSON schema, describes.

    Raises InvalidRequest for text that is no schema, and for keywords that a grammar cannot promise (numeric ranges,
    uniqueness, conditions), rather than ignoring them.
    """
    if len(text) > MAX_SCHEMA_CHARS:
        raise InvalidRequest(f"The JSON schema has {len(text):,} characters.", f"Use at most {MAX_SCHEMA_CHARS:,}.")
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"The JSON schema is not valid JSON: {error}.") from None
    if not isinstance(schema, dict):
        raise InvalidRequest("The JSON schema is not an object.", _HINT)
    converter: Any = importlib.import_module("llama_cpp.llama_grammar")
    try:
        return converter.json_schema_to_gbnf(json.dumps(_plain(schema)))
    except InvalidRequest:
        raise
    except RecursionError:
        raise InvalidRequest("The JSON schema is nested too deeply.", _HINT) from None
    except Exception as error:  # the converter asserts, and fails with whatever comes
        reason = str(error) or type(error).__name__
        raise InvalidRequest(f"The JSON schema cannot be used: {reason}", _HINT) from error


def _plain(schema: Any) -> Any:
    """The schema without what only people read, which the converter takes for a constraint it does not know."""
    if not isinstance(schema, dict):
        return schema
    result: dict[str, Any] = {}
    items: dict[str, Any] = schema  # pyright: ignore[reportUnknownVariableType]
    for key, value in items.items():
        if key in _UNSUPPORTED:
            raise InvalidRequest(f'The JSON schema uses "{key}", which cannot be promised.', f"Remove it. {_HINT}")
        if key in _ANNOTATIONS:
            continue
        if key in _NAMED and isinstance(value, dict):
            result[key] = {name: _plain(part) for name, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
        elif key in _LISTS and isinstance(value, list):
            result[key] = [_plain(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
        elif key in _SCHEMAS:
            result[key] = _plain(value)
        else:
            result[key] = value
    return result
