"""The part of JSON Schema that docs/api uses, so that documents and answers are held against one another."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs" / "api"
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
    "null": (type(None),),
}  # fmt: skip
KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "type", "required", "additionalProperties", "properties",
    "items", "maxItems", "const", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "format",
    "anyOf",
}  # fmt: skip


def faults(name: str, value: Any) -> list[str]:
    """What is wrong with `value` by `docs/api/<name>.schema.json`; empty = nothing."""
    root = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return list(_check(root, root, value, name))


def _check(root: dict[str, Any], rule: dict[str, Any], value: Any, at: str) -> list[str]:
    assert set(rule) <= KNOWN, f"a word of JSON Schema this checker does not know: {set(rule) - KNOWN}"
    if "$ref" in rule:
        return _check(root, root["$defs"][rule["$ref"].rsplit("/", 1)[1]], value, at)
    if "anyOf" in rule:
        tries = [_check(root, one, value, at) for one in rule["anyOf"]]
        return [] if [] in tries else tries[-1]
    if "const" in rule and value != rule["const"]:
        return [f"{at}: {value!r}"]
    if "enum" in rule and value not in rule["enum"]:
        return [f"{at}: {value!r}"]
    kind = rule.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or isinstance(value, bool)):
        return [f"{at}: {value!r} is no {kind}"]
    wrong: list[str] = []
    if isinstance(value, dict):
        wrong += [f"{at}: no {name}" for name in rule.get("required", ()) if name not in value]
        known = rule.get("properties", {})
        for name, part in value.items():
            if name in known:
                wrong += _check(root, known[name], part, f"{at}.{name}")
            elif rule.get("additionalProperties") is False:
                wrong.append(f"{at}: unknown {name}")
    if isinstance(value, list):
        for number, part in enumerate(value):
            wrong += _check(root, rule.get("items", {}), part, f"{at}[{number}]")
        if len(value) > rule.get("maxItems", len(value)):
            wrong.append(f"{at}: too many")
    if isinstance(value, str):
        if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)):
            wrong.append(f"{at}: length {len(value)}")
        if "pattern" in rule and not re.search(rule["pattern"], value):
            wrong.append(f"{at}: {value!r}")
        if rule.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
            wrong.append(f"{at}: {value!r}")
    if isinstance(value, int | float) and not (
        rule.get("minimum", value) <= value <= rule.get("maximum", value)
    ):
        wrong.append(f"{at}: {value}")
    return wrong
