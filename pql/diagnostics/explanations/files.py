"""Explanations of PQL05xx: declarations, chains and tests."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0501": """
Two declarations of the project have the same name. Segments, definitions and attributes are found by name from any
file, so each name stands for one thing; the finding points at the other declaration too. A definition or attribute
cannot have the name of a field of the profile either: the field would hide it.

```pql
segment vip { where loyalty.tier = "gold" }
segment vip { where loyalty.points > 1000 }
```

Instead: rename one of them, or join the two conditions.

```pql
segment vip { where loyalty.tier = "gold" or loyalty.points > 1000 }
```
""",
    "PQL0502": """
A segment has no property of that name. The properties are `description`, `owner`, `tags`, `purpose`, `evaluate`,
`labels`, `mergePolicy` and `excludeOptOut`; an unknown one is an error, since a setting that is silently ignored is
worse than none.

```pql
segment vip {
  owners: "lifecycle@luma.example"
  where loyalty.tier = "gold"
}
```

Instead: use the property's name. What is meant for readers alone can stand in a comment.

```pql
segment vip {
  owner: "lifecycle@luma.example"
  where loyalty.tier = "gold"
}
```
""",
    "PQL0503": """
The property exists and does not take this value. `evaluate` takes `batch`, `streaming` or `edge`; `tags` and `purpose`
take a list of words; `description` and `owner` take a text in quotes.

```pql
segment vip {
  evaluate: hourly
  where loyalty.tier = "gold"
}
```

Instead: choose a value that the property takes, or leave it out.

```pql
segment vip {
  evaluate: batch
  where loyalty.tier = "gold"
}
```
""",
    "PQL0504": """
These declarations use each other in a circle, so none of them can be worked out first. The message names the whole
circle. Segments, definitions and attributes may use each other freely as long as it ends somewhere.

```pql
segment loyal { where inSegment("active") }
segment active { where inSegment("loyal") or person.active }
```

Instead: take the part that both need into a `define`, and let both use that.

```pql
define is_active = person.active or loyalty.points > 0

segment loyal { where is_active and loyalty.tier = "gold" }
segment active { where is_active }
```
""",
    "PQL0505": """
`not WHAT(…)` says that no event of that kind happened. There is nothing to count then, and no event that could be
counted. "Fewer than n" is said with a plain step and an upper bound.

```pql
chain(xEvent, timestamp, [
  added: WHAT(eventType = "commerce.productListAdds"),
  bought: not WHAT(eventType = "commerce.purchases") COUNT(2)
])
```

Instead: leave the COUNT out, or count a step that is not excluded.

```pql
chain(xEvent, timestamp, [
  added: WHAT(eventType = "commerce.productListAdds"),
  bought: WHAT(eventType = "commerce.purchases") COUNT(< 2) WHEN(<= 7 days after added)
])
```
""",
    "PQL0506": """
`COUNT(= n)`, `!=`, `<`, `<=`, `between` and `all` look at every event of a step, not at the first few. In a chain with
several steps it must be said where that looking ends, or the step would use up the events of the steps behind it.

```pql
chain(xEvent, timestamp, [
  added: WHAT(eventType = "commerce.productListAdds") COUNT(= 2),
  bought: WHAT(eventType = "commerce.purchases")
])
```

Instead: give the step a time window with WHEN, or ask for "at least" with `COUNT(n)`.

```pql
chain(xEvent, timestamp, [
  added: WHAT(eventType = "commerce.productListAdds") COUNT(= 2) WHEN(today),
  bought: WHAT(eventType = "commerce.purchases")
])
```
""",
    "PQL0507": """
A step's WHEN may refer to steps that come before it and that happen. A later step has not happened yet at that
point, and an excluded one never does, so neither has a moment to count from.

```pql
chain(xEvent, timestamp, [
  viewed: WHAT(eventType = "commerce.productViews") WHEN(<= 2 hours before bought),
  bought: WHAT(eventType = "commerce.purchases")
])
```

Instead: put the distance on the later step.

```pql
chain(xEvent, timestamp, [
  viewed: WHAT(eventType = "commerce.productViews"),
  bought: WHAT(eventType = "commerce.purchases") WHEN(<= 2 hours after viewed)
])
```
""",
    "PQL0508": """
A test tells a story in order: `given` sets the profile up, `at` lets an event happen, `expect` asks, and `after` lets
time pass, counted from the last `at`. This step does not fit: its clock runs backwards, what it needs has not been
said, or its value is not JSON.

```pql
test "gold is VIP" {
  after 7 days expect in vip
}
```

Instead: say what is given and when, then what is expected.

```pql
test "gold is VIP" {
  given profile { "loyalty": {"tier": "gold"} }
  at 2026-03-01T10:00:00Z event { "eventType": "commerce.purchases" }
  after 7 days expect in vip
}
```
""",
    "PQL0509": """
A segment needs a `where`: it alone decides who is in. Without one it could mean everyone or no one, and neither should
come about by forgetting a line.

```pql
segment everyone {
  description: "All profiles"
}
```

Instead: write the condition, if need be the one that always holds.

```pql
segment everyone {
  description: "All profiles"
  where true
}
```
""",
    "PQL0510": """
What the test expects is not what the segment says at that moment. Ask first which of the two is right. Edges of time
windows are the usual cause: `<= 7 days before now` still holds when exactly seven days have passed.

```pql
segment recent { where xEvent[timestamp occurs <= 7 days before now].count() > 0 }
test "a week is enough" {
  at 2026-03-01T10:00:00Z event { "eventType": "commerce.purchases" }
  after 7 days expect not in recent
}
```

Instead:

```pql
segment recent { where xEvent[timestamp occurs <= 7 days before now].count() > 0 }
test "the far edge belongs to the window" {
  at 2026-03-01T10:00:00Z event { "eventType": "commerce.purchases" }
  after 7 days expect in recent
}
```
""",
}
