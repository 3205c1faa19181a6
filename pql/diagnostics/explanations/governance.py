"""Explanations of PQL0520 to PQL0569: labels, policies, purposes, destinations, consent, exemptions."""

from __future__ import annotations

_SEGMENT = """
```pql
segment patients {{
  purpose: [{0}]
  where {1}
}}
```
"""


def _pair(before: tuple[str, str], instead: str, after: tuple[str, str]) -> str:
    return f"{_SEGMENT.format(*before)}\nInstead: {instead}\n{_SEGMENT.format(*after)}"


_HEALTH = ("crossSiteTargeting", 'favoriteColors.includes("red")')
_PLAIN = ("emailTargeting", 'loyalty.tier = "gold"')

TEXTS: dict[str, str] = {
    "PQL0520": """
A policy denies the marketing action to data with these labels: those of all fields that the segment reads, also
through definitions, attributes, other segments and negations, together with the mapped fields of the destination.
The finding shows where the data is read, where its label is given, and the policy; each way out in it was tried and
works.
"""
    + _pair(_HEALTH, "take one of the ways out. A data steward may sign an exemption, which ends on a day.", _PLAIN),
    "PQL0521": """
There is no data usage label of that name. Names are case-sensitive; `core/C1` and `C1` are the same. An unknown
label could be a restriction that nobody enforces, so it is an error wherever it stands.
"""
    + _pair(("emailTargeting", "loyalty.points > 10"), "write a core label, or declare one in `labels.yaml`.", _PLAIN),
    "PQL0522": """
There is no marketing action of that name. Purposes of segments, destinations and policies name marketing actions:
core ones, or those that `actions.yaml` declares. Case counts.
"""
    + _pair(("emailTargetting", "loyalty.points > 10"), "write the action's name.", _PLAIN),
    "PQL0523": """
A governance file (labels, actions, policies, destinations, consent, exemptions, merge policies) cannot be read, or
holds something that is not known there. Nothing in these files is skipped over: what is misspelt would otherwise
not be enforced.
"""
    + _pair(_HEALTH, "follow docs/GOVERNANCE.md; segments need no change.", _PLAIN),
    "PQL0524": """
A policy is named that does not exist, or a version of one that is no version: in `pql.yaml`, which enables core
policies by id, or in an exemption. `pql policy list --all` shows those that exist.
"""
    + _pair(_HEALTH, "write an id that exists; segments need no change.", _PLAIN),
    "PQL0526": """
The policy never applies: it names no marketing action, or no set of labels satisfies its `deny`. It looks like
protection and is none.
"""
    + _pair(_HEALTH, "name the actions and the labels that it is about; segments need no change.", _PLAIN),
    "PQL0527": """
Whatever violates this policy violates another enabled one too, for the same actions. Implied labels count: one that
denies C4 says nothing beside one that denies C5.
"""
    + _pair(_HEALTH, "take one of the two out; segments need no change.", _PLAIN),
    "PQL0528": """
A destination maps something that is no value of the profile: the source of a mapped field is PQL over the profile,
a computed attribute, or an identity namespace such as `identityMap.Email`. What cannot be read cannot be judged.
"""
    + _pair(_HEALTH, "map a field that exists; segments need no change.", _PLAIN),
    "PQL0529": """
A destination or an exemption names a segment or a destination that does not exist. Segments are named by id, or by
a display name that only one has.
"""
    + _pair(_HEALTH, "write the id, or declare the segment.", _PLAIN),
    "PQL0530": """
An exemption was found for this violation and holds no longer: its last day is over, or it was signed for another
version of the policy. The violation is an error again.
"""
    + _pair(_HEALTH, "have it signed anew with a reason, or take a way out of the violation.", _PLAIN),
    "PQL0531": """
Nothing is violated that this exemption would excuse. It may be a leftover, or be meant for another segment,
destination or policy than it names.
"""
    + _pair(_HEALTH, "take the exemption out of the file, or name what it is for.", _PLAIN),
    "PQL0532": """
A policy is violated, and an exemption says who answers for it, why, and until when. It stays visible for as long as
it lasts, and becomes an error after its last day.
"""
    + _pair(_HEALTH, "make it unnecessary: a segment that does without the data.", _PLAIN),
    "PQL0533": """
A destination without a marketing action is judged by no policy, C12 alone excepted. Where `marketingActions` is
missing, that may be an oversight; an empty list says that it is meant so.
"""
    + _pair(_HEALTH, "name what the destination does with the data; segments need no change.", _PLAIN),
    "PQL0534": """
The segment says what it is meant for, and it is activated to a destination that does something else with it. The
policies may allow it; whoever wrote the segment did not.
"""
    + _pair(_HEALTH, "add the purpose to the segment, or send another segment there.", _PLAIN),
    "PQL0535": """
The segment refers to one that is not in the project, so nobody knows which data it rests on. It is judged by its
labels, and those must be declared, if only as an empty list.
"""
    + _pair(
        ("emailTargeting", 'inSegment("imported_vips")'),
        "declare the other segment's labels in `labels.yaml`, or do without it.",
        _PLAIN,
    ),
    "PQL0536": """
There is no merge policy of that name. Which datasets a profile is merged from decides which labels its fields have,
so a name that is not known cannot be passed over.
"""
    + _pair(_HEALTH, "write the name of one that `merge.yaml` declares.", _PLAIN),
    "PQL0537": """
The condition of a consent policy is PQL over the profile and must be true or false. While it has errors, nobody may
be addressed under the actions that it is about.
"""
    + _pair(
        ("emailTargeting", "loyalty.points > 10"),
        'correct the condition, for example `consented("marketing.email")`; segments need no change.',
        _PLAIN,
    ),
    "PQL0538": """
`consented` takes the name of a consent, written as text or as a path: a marketing channel such as
`marketing.email`, or `collect`, `share`, `adID`, `personalize.content`. The schema must have its field below
`consents`.

```pql
consented("marketing.pigeon")
```

Instead: name a consent that the schema has.

```pql
consented("marketing.email")
```
""",
    "PQL0539": """
A line of a policy test file did not come out as it says: something was allowed that should be denied, or the other
way round, or another policy was violated.
"""
    + _pair(_HEALTH, "correct the policy, or the expectation if it was wrong.", _PLAIN),
    "PQL0550": """
While a stream was sending, a file of the project changed (or a day ended, and an exemption with it), the question was
asked again, and the answer is now no. The stream stops after the batch in hand; what it said until then stands.
"""
    + _pair(
        _HEALTH,
        "take a way out (`pql policy check` has them). Or start again with `--migrate` or `--store`: "
        "everybody\nof the segment exits.",
        _PLAIN,
    ),
    "PQL0551": """
While a stream was sending, a file of the project changed so that other people may be addressed: a consent policy or a
segment is another. The stream stops rather than going on with the audience that it began with.
"""
    + _pair(
        ("emailTargeting", "loyalty.points > 10"),
        "start it again with `--migrate` or `--store`: exactly the difference is sent.",
        _PLAIN,
    ),
    "PQL0552": """
The file named by `--accepted` is not what `pql policy enforce` wrote: broken, of another form, or something else. It
is not taken for an empty one, because then nothing would be said of what has stopped.
"""
    + _pair(("emailTargeting", "loyalty.points > 10"), "restore it, or take it out to begin anew.", _PLAIN),
}
