"""Explanations of PQL0840 to PQL0859 (identities, merge policies, people in a store)."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0840": """
`identity.yaml` has a mistake: a key is not known, a namespace has no such type, a limit is no whole number, or the
file is no YAML. Who is one person with whom depends on these settings, so PQL stops rather than stitching by
others. Here `uniq` should be `unique`:

```yaml
namespaces: {crmId: {type: CROSS_DEVICE, uniq: true}}
```

```pql
identityMap.keys() = "crmId"
```

Instead: put the place right that the finding names; `pql identity list` shows what is in force.

```pql
identityMap.keys() = "Email"
```
""",
    "PQL0841": """
In the order of namespaces a device or a cookie stands above an identity of a person. The highest namespace of an
event owns it, so with this order events of people who log in stay with the device, and a device that several people
share collects the events of all of them. The settings are used as they are.

```pql
identityMap.ECID.count() > 1
```

Instead: put namespaces of people first: `priority: [crmId, Email, IDFA, ECID]`.

```pql
identityMap.crmId.count() = 1
```
""",
    "PQL0842": """
`merge.yaml` has a mistake: a policy without a name of its own, an order without datasets, a path that the profile
does not have, more than five policies, or not exactly one default. Which of several sources' values a profile shows
depends on it, so PQL stops rather than merging otherwise. Say the policy orders datasets for `loyalty.teir`:

```pql
loyalty.tier = "gold"
```

Instead: put the place right that the finding names.

```pql
loyalty.tier = "silver"
```
""",
    "PQL0843": """
The command asks who somebody is, and the store holds no identity graph: it was made from one file of profiles and
one of events (`pql store create`), or its sources were loaded and never stitched. Segments run on such a store all
the same:

```pql
loyalty.tier = "gold"
```

Instead: load the project's sources, which stitches them; or ask by a segment.

```pql
person.name.firstName = "Sarah" and person.name.lastName = "Rose"
```
""",
    "PQL0844": """
No profile has this identity, and no profile this name. Identities are compared exactly, letter by letter, with
their namespace before the colon; names without regard to case. The message shows what looks alike. A person who was
deleted is not found either. In a segment the same question is simply false:

```pql
personalEmail.address = "sarah@luma.exmaple"
```

Instead: take one of the near ones, or look for another identity of the person.

```pql
personalEmail.address = "sarah@luma.example"
```
""",
    "PQL0845": """
To unlink says that two identities must never be in one graph again. Both have to be identities that the store
knows, and they have to be two; namespaces of things (NON_PEOPLE) and partners never link, so there is nothing to
undo for them. Take a segment that holds through the wrong link:

```pql
identityMap.Email.count() > 1
```

Instead: name both as `pql identity show` prints them. After unlinking, the store is stitched and merged anew.

```pql
identityMap.Email.count() = 1
```
""",
    "PQL0846": """
A merge policy orders datasets, and one of the names belongs to no dataset of the store. That is right before the
dataset's first load, and a slip of the pen otherwise; datasets outside an order take no part in merging, so a slip
loses values. Say the order is `[crm, loyality]`:

```pql
loyalty.tier = "gold"
```

Instead: write the name as the source declares it, or load the dataset.

```pql
loyalty.tier = "bronze"
```
""",
    "PQL0847": """
A row names an identity of a person who was deleted on request, so it was not stored: a load or a replay does not bring
such a person back; nor does a stream that follows the store take a message that names one. The row is counted as
quarantined, with its source, file and line; nothing of what it said is kept. Say Sarah was deleted:

```pql
personalEmail.address = "sarah@luma.example"
```

Instead: nothing needs to be done. Rows of people who were not deleted are loaded as ever.

```pql
personalEmail.address = "olga@luma.example"
```
""",
}
