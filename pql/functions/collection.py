"""Functions on lists, maps and objects. Most are structural: the checker lowers them. SEMANTICS sections 4, 7, 8."""

from __future__ import annotations

from pql.functions.record import Example, Function


def _structural(name: str, category: str, doc: str, documented: bool = True) -> Function:
    return Function(name, doc, category, structural=True, documented=documented)


COLLECTION = (
    Function("get", "The value of a key of a map; null when it is missing.", "map", structural=True),
    Function("keys", "The keys of a map.", "map", structural=True),
    Function("values", "The values of a map.", "map", structural=True),
    Function("in", "Is the value an element of the list?", "list", structural=True, examples=(Example("3 in [3, 6]", True),)),
    Function("notIn", "Both present, and the value is no element of the list.", "list", structural=True, examples=(Example("4 notIn [3, 6]", True),)),
    _structural("isNull", "object", "Is the value missing?"),
    _structural("isNotNull", "object", "Is the value present?"),
    _structural("orElse", "object", "The value, or the other one when it is missing.", documented=False),
    _structural("intersects", "list", "Do the lists share an element?"),
    _structural("intersection", "list", "The common elements, in the receiver's order, once each."),
    _structural("subsetOf", "list", "Is every element of the receiver in the argument?"),
    _structural("supersetOf", "list", "Is every element of the argument in the receiver?"),
    _structural("includes", "list", "Does the list contain the value?"),
    _structural("distinct", "list", "The elements once each, the first kept."),
    _structural("head", "list", "The first element."),
    _structural("filter", "list", "The elements for which the condition holds; the same as `[ ]`."),
    _structural("map", "list", "The expression for each element, or a lambda over groups."),
    _structural("groupBy", "list", "The elements grouped by a key."),
    _structural("topN", "list", "The n elements with the highest keys."),
    _structural("bottomN", "list", "The n elements with the lowest keys."),
    _structural("mapEntry", "map", "A key and a value for a map."),
    _structural("count", "aggregate", "How many elements are there, nulls left out."),
    _structural("sum", "aggregate", "The exact sum; 0 for none."),
    _structural("average", "aggregate", "The mean as a double; null for none."),
    _structural("min", "aggregate", "The least; null for none."),
    _structural("max", "aggregate", "The greatest; null for none."),
    _structural("exists", "quantifier", "Does some element satisfy the condition?"),
    _structural("some", "quantifier", "The same as exists."),
    _structural("forall", "quantifier", "Does every element satisfy the condition?"),
    _structural("all", "quantifier", "The same as forall."),
    _structural("none", "quantifier", "Does no element satisfy the condition?"),
    _structural("one", "quantifier", "Does exactly one element satisfy the condition?"),
    _structural("consented", "consent", "Does the profile consent, by the published fields and their defaults? GOVERNANCE has the order.", documented=False),
    _structural("inSegment", "segment", "Is the profile a member of the segment?"),
    _structural("modelInstances", "segment", "The instances of a class: the profile, its events, or those of an entity of the schema."),
)  # fmt: skip
