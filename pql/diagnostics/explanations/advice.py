"""Explanations of PQL04xx: expressions that run, and may not say what was meant."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0401": """
A path through a list gives many values. Compared with a single one it means "some of them", so the condition is true as
soon as one element fits. That is often what is wanted; this hint writes it out, so that the next reader sees it.

```pql
orders.price > 100
```

Instead: say it with `exists`. If you meant all of them, say `forall`.

```pql
exists X from orders where X.price > 100
```
""",
    "PQL0402": """
`!=` between a list and a single value is true when some element differs, and in a list with two different elements one
always does. It does not mean that the value is not in the list.

```pql
orders.storeId != "online"
```

Instead: for "no order from there" negate the equality. If you did mean "some order from elsewhere", write `exists`.

```pql
not (orders.storeId = "online")
```
""",
    "PQL0403": """
A test with a missing value is false in PQL, a negative one too. So this leaves out the profiles that have no value at
all. That may be right, but it is easy to overlook, above all in lists of people who must not be contacted.

```pql
homeAddress.country != "CA"
```

Instead: to keep profiles without the field, negate the whole test. To leave them out on purpose, say so with
`isNotNull()`.

```pql
not (homeAddress.country = "CA")
```
""",
    "PQL0404": """
With a distance, `from` looks both ways: within three days before or after. In spoken language "3 days from now" lies
ahead, so this is often not what was meant.

```pql
loyalty.joined occurs <= 3 days from now
```

Instead: say which way with `before` or `after`. Keep `from` where both are meant, and take the hint as read.

```pql
loyalty.joined occurs <= 3 days before now
```
""",
    "PQL0405": """
This compares a birthday with a day close to now, the year included. It is true for newborns alone, while the segment is
most likely meant for everyone who has a birthday then.

```pql
person.birthDate occurs = 3 days after today
```

Instead: leave the year out of it. Windows may then run over New Year, and 29 February counts as a day between the 28th
and 1 March.

```pql
person.birthDate occurs = 3 days after today ignoring year
```
""",
    "PQL0406": """
A path through a list gives the list of the values found, and missing ones are left out. That list may be empty, but it
is never missing: `isNull()` is false and `isNotNull()` true for every profile.

```pql
orders.storeId.isNull()
```

Instead: count.

```pql
orders.storeId.count() = 0
```
""",
    "PQL0407": """
The schema names the usual values of this field, and this is not among them. Other values are allowed, hence only a
warning; but case counts, and a slip makes a condition that nobody fulfils. Suppose `bronze`, `silver` and `gold` are
listed:

```pql
loyalty.tier = "Gold"
```

Instead: use the value as the schema has it, or compare without regard to case.

```pql
loyalty.tier = "gold"
```
""",
    "PQL0408": """
A text that stands for an instant may be a day alone, and is then its midnight, UTC. As the end of `between` it leaves
the day itself out, `on` such a text is one single instant, and `after` it is the day as well. Comparisons know no days
at all: `<=` a day, whether a text or a date, ends with its midnight, `>` has the rest of it.

```pql
timestamp occurs between "2026-03-01" and "2026-03-31"
```

Instead: write dates. They are whole days of the project's zone. If midnight is meant, write the time with the day, and
nothing is said.

```pql
timestamp occurs between date(2026, 3, 1) and date(2026, 3, 31)
```
""",
}
