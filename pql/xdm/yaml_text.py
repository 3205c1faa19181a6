"""YAML text to plain values: the core schema of YAML 1.2, dates and instants included. Knows no schema. Read `read_yaml`.

In YAML 1.1, which the library reads by itself, `on`, `no` and `yes` are booleans, `1e3` is a text and `1:30` is ninety:
fields named `on` and countries named `NO` would be lost. Keys are texts, always.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

DEEP = 100
MOST_VALUES = 2_000_000
_Library: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Library):  # type: ignore[misc]
    """Scalars of YAML 1.2's core schema."""


_WORDS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
)
_KEPT = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag in _KEPT]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _word, _pattern, _first in _WORDS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_word}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def _integer(loader: Any, node: Any) -> int:
    text = str(loader.construct_scalar(node))
    if len(text) > 100:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text, 16) if text.lower().startswith("0x") else int(text)


def _map(loader: Any, node: Any) -> dict[str, Any]:
    """A map whose keys are the texts that stand there."""
    loader.flatten_mapping(node)
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a text", key.start_mark)
        found[str(key.value)] = loader.construct_object(value, deep=True)
    return found


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:map", _map)


def _bound(text: str) -> None:
    """Refuses what would exhaust stack or memory once made: nesting, and aliases of aliases."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, _Library):
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, total))
            if len(open_) > DEEP:
                raise ValueError(f"more than {DEEP} levels of nesting")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = total - before
        elif isinstance(event, yaml.AliasEvent):
            total += sizes.get(event.anchor or "", 1)
        total += 1
        if total > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES:,} values")


def read_yaml(text: str) -> Any:
    """The document of a YAML text. Raises ValueError with one line that says what is wrong and where."""
    try:
        _bound(text)
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split()).replace('"<unicode string>", ', "")[:300]) from None
    except (ValueError, OverflowError) as error:
        raise ValueError(str(error)[:300]) from None
