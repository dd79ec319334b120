"""JSON schemas become grammars, or a refusal in words; never a grammar that promises less."""

import json

import pytest

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.llama.grammar import from_json_schema, grammar_of


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"title": "Anything", "description": "of any kind"},
        {"type": "string", "enum": ["yes", "no"]},
        {
            "type": "object",
            "properties": {"title": {"type": "string"}, "if": {"type": "integer"}},
            "required": ["title"],
        },
        {"type": "array", "items": {"type": "number", "description": "a price"}, "minItems": 1, "maxItems": 3},
        {"$defs": {"name": {"type": "string"}}, "type": "object", "properties": {"n": {"$ref": "#/$defs/name"}}},
        {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
        {"type": "string", "pattern": "^[a-z]+$"},
    ],
)
def test_a_schema_becomes_a_grammar(schema: dict[str, object]) -> None:
    assert "root ::=" in from_json_schema(json.dumps(schema))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1]", "not an object"),
        ('{"type": "integer", "minimum": 3}', '"minimum"'),
        ('{"type": "object", "properties": {"a": {"not": {}}}}', '"not"'),
        ('{"$ref": "https://example.org/x.json"}', "cannot be used"),
        ('{"$ref": "#/nowhere"}', "cannot be used"),
        ('{"type": "nonsense"}', "cannot be used"),
        ('{"type": "string", "pattern": "no anchors"}', "cannot be used"),
        ('{"type": "object", "properties": 3}', "cannot be used"),
    ],
)
def test_a_schema_that_cannot_be_kept_is_refused(schema: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        from_json_schema(schema)


def test_a_grammar_that_would_overflow_the_parser_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="too deeply"):
        grammar_of(Sampling(grammar="root ::= " + "(" * 100_000))
    with pytest.raises(InvalidRequest, match="characters"):
        grammar_of(Sampling(grammar="#" * 600_000))


def test_no_grammar_is_none() -> None:
    assert grammar_of(Sampling()) is None
    assert grammar_of(Sampling(grammar='root ::= "a"')) == 'root ::= "a"'
