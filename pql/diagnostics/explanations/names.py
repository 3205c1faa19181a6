"""Explanations of PQL02xx: names."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0201": """
The schema has no field of that name at this place. PQL checks every path before anything runs, because a field that
does not exist would be missing for everybody, and a segment would stay empty without anyone seeing why.

```pql
person.nmae = "Sarah"
```

Instead: use the field's name as the schema has it. If the field is new, add it to the schema first; a name with
odd characters goes into back-quotes.

```pql
person.name = "Sarah"
```
""",
    "PQL0202": """
There is no function of that name, or none for a receiver of this type. The names are the published ones, written in
camel case; `startsWith` and `startswith` are two names, and only the first exists.

```pql
person.name.beginsWith("Sa")
```

Instead:

```pql
person.name.startsWith("Sa")
```
""",
    "PQL0203": """
A WHEN names a step, and the chain has none of that name. A step is named in front of its colon; later steps may use
the name as the moment at which that step happened.

```pql
chain(xEvent, timestamp, [
  viewed: WHAT(eventType = "commerce.productViews"),
  bought: WHAT(eventType = "commerce.purchases") WHEN(<= 2 hours after view)
])
```

Instead:

```pql
chain(xEvent, timestamp, [
  viewed: WHAT(eventType = "commerce.productViews"),
  bought: WHAT(eventType = "commerce.purchases") WHEN(<= 2 hours after viewed)
])
```
""",
    "PQL0204": """
Each `^` goes one element further out: from an item to its event, from an event to the profile. Here there are more of
them than there are elements around. Only `[ ]`, method arguments and WHAT make an element; `exists` and `select`
name theirs and are not counted.

```pql
xEvent[^^homeAddress.country = "US"]
```

Instead: inside one filter, one `^` is already the profile.

```pql
xEvent[^homeAddress.country = "US"]
```
""",
    "PQL0205": """
`$1` is the first parameter of an expression, and for a segment that is the profile: there is no other. Positions count
from 1.

```pql
$2.person.age > 18
```

Instead: use `$1`, or leave it out, for a bare path starts at the profile anyway.

```pql
person.age > 18
```
""",
    "PQL0206": """
The project has no segment of that id, nor one segment alone of that display name, and one that it has looks so much
alike that this must be a slip. Were it let through, the test would be false for everyone, and whatever is built on it
too. A test, likewise, can only ask about a segment of the project.

```pql
segment recent_buyers { where xEvent[eventType = "commerce.purchases"].count() > 0 }
segment gift_ideas { where not inSegment("recent_buyer") }
```

Instead: write the segment's id.

```pql
segment recent_buyers { where xEvent[eventType = "commerce.purchases"].count() > 0 }
segment gift_ideas { where not inSegment("recent_buyers") }
```
""",
    "PQL0207": """
`@{…}` stands for something that is handed over when a decision is made, such as the offer at hand, and
`modelInstances("…")` for the things of a class. Nothing of that name is declared here.

```pql
@{offer}.price < loyalty.balance
```

Instead: compare with a field of the profile, or declare the entity in the schema, below `entities`; nothing is handed
over when a segment is asked, so its fields are null there.

```pql
loyalty.balance > 10
```
""",
    "PQL0208": """
A name stands twice where it must stand for one thing: for two steps of a chain, or for two keys of an object. Whoever
uses it later would mean one of the two, and a reader could not tell which.

```pql
chain(xEvent, timestamp, [
  event: WHAT(eventType = "commerce.productViews"),
  event: WHAT(eventType = "commerce.purchases")
])
```

Instead: give each its own name; what happened is a good one.

```pql
chain(xEvent, timestamp, [
  viewed: WHAT(eventType = "commerce.productViews"),
  bought: WHAT(eventType = "commerce.purchases")
])
```
""",
    "PQL0209": """
Inside a filter a bare name is looked up in the element first. This element has no such field, so the name was found
further out, and that is what runs. It works, but should the element get a field of that name one day, the
expression would change its meaning.

```pql
xEvent[homeAddress.country = "US" and eventType = "commerce.purchases"]
```

Instead: say with `^` that you mean the profile.

```pql
xEvent[^homeAddress.country = "US" and eventType = "commerce.purchases"]
```
""",
    "PQL0210": """
Events of this type are not known to the project. Event types are plain text and new ones may come at any time, hence
only a warning; but one wrong letter makes a segment that nobody ever enters.

```pql
xEvent[eventType = "commerce.purchase"].count() > 0
```

Instead: use the type as the events carry it, or add the new one to the schema's list of values.

```pql
xEvent[eventType = "commerce.purchases"].count() > 0
```
""",
    "PQL0211": """
The schema marks this field as deprecated. It can still be read, but its owner means to take it away, and new
data may no longer fill it, so that the segment slowly empties. Suppose `workAddress` is marked so:

```pql
workAddress.country = "US"
```

Instead: use the field that took its place; the schema's description of the old one usually names it.

```pql
homeAddress.country = "US"
```
""",
    "PQL0212": """
No segment of this project has that id. That can be right: membership may come from elsewhere, and then it is read from
the profile's `segmentMembership` (status `realized` or `existing`). If a segment of your own was meant, the test is
false for everyone.

```pql
person.active and inSegment("7e1b2c54-0d3f-4c1e-9a77-5b0f6d2a9c11")
```

Instead: where the membership does come from elsewhere, read it there, and nobody has to wonder. Otherwise write the
id of a segment of the project.

```pql
segment loyal { where loyalty.points > 1000 }
segment gift_ideas { where person.active and inSegment("loyal") }
```
""",
}
