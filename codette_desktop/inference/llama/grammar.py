"""Grammars that bind an answer to a form: GBNF as given, or made from a JSON schema."""

import importlib
import json
import re
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.llama.gbnf import check_grammar

MAX_SCHEMA_CHARS = 200_000
MAX_GRAMMAR_CHARS = 500_000
MAX_COUNT = 1_000  # below MAX_BRACKETS: the converter writes an optional repetition as that many nested brackets
MAX_REPEATED = 10_000  # by all counts of a pattern together
_HINT = "Use type, properties, required, items, minItems, maxItems, enum, const, anyOf, pattern, and $ref within it."
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
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength"})
_PATTERN_COUNT = re.compile(r"\{(\d*),?(\d*)\}")


def grammar_of(sampling: Sampling) -> str | None:
    """The GBNF grammar of a request, or None.

    Raises InvalidRequest for a schema that cannot be turned into one, and for a grammar that the library would
    refuse or not survive.
    """
    grammar = from_json_schema(sampling.json_schema) if sampling.json_schema else sampling.grammar or None
    if grammar is None:
        return None
    if len(grammar) > MAX_GRAMMAR_CHARS:
        raise InvalidRequest(f"The grammar has {len(grammar):,} characters.", f"Use at most {MAX_GRAMMAR_CHARS:,}.")
    check_grammar(grammar)
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
        reason = (str(error) or type(error).__name__).rstrip(".") + "."
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
        _check_counts(key, value)
        if key in _NAMED and isinstance(value, dict):
            result[key] = {name: _plain(part) for name, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
        elif key in _LISTS and isinstance(value, list):
            result[key] = [_plain(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
        elif key in _SCHEMAS:
            result[key] = _plain(value)
        else:
            result[key] = value
    return result


def _check_counts(key: str, value: Any) -> None:
    """Refuse counts for which the converter would write gigabytes."""
    if key in _COUNTS and isinstance(value, int | float) and value > MAX_COUNT:
        raise InvalidRequest(f'"{key}" of the JSON schema is {value}.', f"Use at most {MAX_COUNT}.")
    if key == "pattern" and isinstance(value, str):
        total = 1
        for counts in _PATTERN_COUNT.findall(value):
            largest = max(int(count[:9]) for count in counts if count) if any(counts) else 1
            total *= max(1, largest)
            if largest > MAX_COUNT or total > MAX_REPEATED:
                raise InvalidRequest("A pattern of the JSON schema repeats too much.", f"Use at most {MAX_COUNT}.")
