"""Which dataset contributes which fields, with which labels, and which merge policy lets it in. Read `read_datasets`.

Sources and merge policies are other rooms' files: of them, only what labels depend on is read here, and whatever else stands
in them is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pql.diagnostics.model import Diagnostic
from pql.policies.model import Dataset, Labelled, MergePolicy
from pql.policies.policy_files import Labels, read_label
from pql.policies.reading import Part
from pql.source import Source
from pql.xdm.documents import Document, parse_document, read_document

SUFFIXES = (".yaml", ".yml", ".json")
FILES_MOST = 2000
EVENT_KINDS = ("event", "experienceevent", "time-series", "timeseries")
OWN = ("dataset", "labels", "mapping", "identities")


Tree = Path | Mapping[str, str]
"""A project's files: a folder, or texts by their names relative to it (`policies/ads.yaml`)."""


def parts_of(tree: Tree, findings: list[Diagnostic], *names: str) -> Iterator[tuple[str, Part]]:
    """The YAML and JSON files called so, and those in the folders called so, in the order of their names: stem and content."""
    for stem, document in _documents(tree, findings, names):
        if document is not None:
            yield stem, Part(document, (), document.data, findings)


def _documents(tree: Tree, findings: list[Diagnostic], names: tuple[str, ...]) -> Iterator[tuple[str, Document | None]]:
    if isinstance(tree, Path):
        found = [tree / n for n in names if PurePosixPath(n).suffix in SUFFIXES and (tree / n).is_file()]
        found += [tree / f"{n}{s}" for n in names for s in SUFFIXES if (tree / f"{n}{s}").is_file()]
        for name in names:
            if (tree / name).is_dir():
                found += sorted(p for p in (tree / name).iterdir() if p.suffix in SUFFIXES and p.is_file())
        for file in found[:FILES_MOST]:
            yield file.stem, read_document(file, findings)
        return
    for name in sorted(tree)[:FILES_MOST]:
        path = PurePosixPath(name)
        if (
            name in names
            or path.suffix in SUFFIXES
            and (path.stem if path.parent == PurePosixPath(".") else str(path.parent)) in names
        ):
            yield path.stem, parse_document(Source(name, tree[name]), findings)


def read_labels(part: Part, name: str, labels: Labels) -> tuple[Labelled, ...]:
    return tuple(Labelled(read_label(p, labels), p.place) for p in part.words(name))


def read_datasets(
    tree: Tree, labels: Labels, findings: list[Diagnostic], where: tuple[str, ...] = ("sources",)
) -> tuple[Dataset, ...]:
    """One entry a source file. `where`: the files and folders that hold them. Datasets without people in them have no part in this."""
    found = []
    for stem, part in parts_of(tree, findings, *where):
        if part.is_object("a source") and (dataset := _dataset(stem, part, labels)).kind != "lookup":
            found.append(dataset)
    labels_of: dict[str, tuple[Labelled, ...]] = {}
    for dataset in found:  # several sources may feed one dataset: its labels are those that any of them gives it
        labels_of[dataset.name] = tuple(dict.fromkeys((*labels_of.get(dataset.name, ()), *dataset.labels)))
    return tuple(replace(d, labels=labels_of[d.name]) for d in found)


def _dataset(stem: str, part: Part, labels: Labels) -> Dataset:
    own = (
        part.part("dataset")
        if isinstance(part.data.get("dataset"), dict)
        else Part(part.document, part.key, {}, part.findings)
    )
    name, kind = part.data.get("dataset") if isinstance(part.data.get("dataset"), str) else None, "record"
    if own.data:
        name, kind = own.data.get("name"), str(own.data.get("kind", "record"))
        own.not_misspelt(("labels",), ("name", "title", "kind", "owner", "description"), "a dataset")
    part.not_misspelt(
        ("labels", "mapping"), ("source", "options", "mode", "path", "format", "lookups", "entity", "key"), "a source"
    )
    event = kind.lower() in EVENT_KINDS
    prefix = "xEvent." if event else ""
    mapping = part.data.get("mapping")
    identities = tuple(_identities(part, prefix))
    contributes = {p for p, _ in identities}
    if isinstance(mapping, dict):
        contributes |= {prefix + _path(key) for key in mapping}
    elif isinstance(mapping, list):
        targets = (m.get("destination", m.get("target", m.get("path"))) for m in mapping if isinstance(m, dict))
        contributes |= {prefix + _path(str(t)) for t in targets if t}
    contributes |= {f"{prefix}identityMap.{namespace}" for _, namespace in identities if namespace}
    if event:
        contributes |= {"xEvent._id", "xEvent.timestamp", "xEvent.eventType"}
    return Dataset(
        str(name or stem), str(part.data.get("source", stem)), "event" if event else "lookup" if kind == "lookup" else "record", read_labels(own, "labels", labels),
        read_labels(part, "labels", labels), frozenset(contributes), not mapping, identities, part.place,
    )  # fmt: skip


def _identities(part: Part, prefix: str) -> Iterator[tuple[str, str]]:
    for item in part.data.get("identities") or () if isinstance(part.data.get("identities"), list) else ():
        if isinstance(item, dict) and isinstance(item.get("field"), str):
            yield prefix + _path(item["field"]), str(item.get("namespace", ""))


def _path(text: str) -> str:
    """An XDM path without the marks of lists and of source notation."""
    plain = text.replace("[*]", "").replace("[]", "").removeprefix("/").replace("/", ".")
    return ".".join(step.removeprefix("xdm:") for step in plain.split(".") if step != "properties")


def read_merge_policies(tree: Tree, findings: list[Diagnostic]) -> dict[str, MergePolicy]:
    """The merge policies by name: a file holds one, a list, or a list (or an object of them) under `merge_policies`."""
    found: dict[str, MergePolicy] = {}
    for _, part in parts_of(tree, findings, "merge", "merge_policies"):
        for item in _listed(part):
            if isinstance(item.data, dict):
                policy = _merge_policy(item)
                found[policy.name] = policy
            else:
                item.say("a merge policy is an object with `name`, `identityGraph` and `attributeMerge`")
    return found


def _listed(part: Part) -> Iterator[Part]:
    if isinstance(part.data, list):
        yield from (part.part(i) for i in range(len(part.data)))
    elif isinstance(part.data, dict):
        word = next((w for w in ("merge_policies", "mergePolicies", "policies") if w in part.data), None)
        if word is None:
            if "identityGraph" in part.data or "attributeMerge" in part.data or "name" in part.data:
                yield part
            return
        inner = part.part(word)
        if isinstance(inner.data, dict):
            yield from (inner.part(name) for name in inner.data)
        else:
            yield from _listed(inner)
    elif part.data is not None:
        yield part


def _merge_policy(part: Part) -> MergePolicy:
    data = part.data
    last = part.key[-1] if part.key and isinstance(part.key[-1], str) else ""
    name = str(data.get("name") or data.get("id") or last)
    graph = data.get("identityGraph")
    kind = graph.get("type") if isinstance(graph, dict) else graph
    if kind is not None and kind not in ("none", "pdg"):
        part.part("identityGraph").say(f"`{str(kind)[:40]}` is no identity graph", "write `none` or `pdg`")
    merge = data.get("attributeMerge")
    order: tuple[str, ...] | None = None
    how = merge.get("type") if isinstance(merge, dict) else merge
    if how == "dataSetPrecedence":
        listed = merge.get("order", (merge.get("data") or {}).get("order")) if isinstance(merge, dict) else None
        if not isinstance(listed, list):
            part.part("attributeMerge").say("`dataSetPrecedence` needs `order`, the list of datasets")
        order = tuple(str(x) for x in listed) if isinstance(listed, list) else ()
    elif how is not None and how != "timestampOrdered":
        part.part("attributeMerge").say(
            f"`{str(how)[:40]}` is no way to merge", "write `timestampOrdered` or `dataSetPrecedence`"
        )
    place, place_of_graph = part.place_of("name"), part.place_of("identityGraph")
    return MergePolicy(name, str(kind or "none"), order, data.get("default") is True, place, place_of_graph)
