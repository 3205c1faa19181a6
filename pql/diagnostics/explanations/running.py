"""Explanations of PQL06xx (running) and PQL07xx (dialects and forms)."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0601": """
A sum left the range of its type: 64 bits for whole numbers, twelve digits before the point for decimals. Going on with
a wrapped or a rounded number would put people into the wrong segment, so the evaluation stops. The cause is nearly
always a field in the wrong unit, or an identifier that is being added up.

```pql
xEvent.sum(score) > 500   // two events with the score 9223372036854775807
```

Instead: leave out values that cannot be true, or sum in a unit that fits.

```pql
xEvent[score < 1000000].sum(score) > 500
```
""",
    "PQL0602": """
The evaluation took longer than its time limit and was stopped; nothing was changed. The limit keeps one expression from
holding up everybody else's. Look for lists that are run through inside other lists:

```pql
exists A from xEvent, B from xEvent, C from xEvent where A.page = B.page and B.page = C.page
```

Instead: narrow the events first, by time or by type, and say orders of events with a chain. If it really takes that
long, raise the limit for this run.

```pql
xEvent[timestamp occurs <= 30 days before now].groupBy(page).count() > 3
```
""",
    "PQL0603": """
The evaluation needed more memory than it was allowed and was stopped; nothing was changed. Lists that pair every
element with every other are the usual reason.

```pql
(select A from orders, B from orders, C from orders where A.price < B.price and B.price < C.price).count() > 0
```

Instead: ask for what you need from the list, not for all the ways to get there. If the data is truly that large, raise
the limit for this run.

```pql
orders.price.distinct().count() >= 3
```
""",
    "PQL0610": """
The kept state of the live engine belongs to another plan: other segments, another definition of one, other calendar
settings, or another version of this program. What a state means depends on all of them, so it is not read and not
guessed at. Changing so much as a number in a segment makes another plan:

```pql
segment vip { where loyalty.points > 1000 }
```

Instead: start with the plan that the state was kept for, and change the segment while the engine runs; or let it
start from the store's history, which any plan can read.

```pql
segment vip { where loyalty.points > 500 }
```
""",
    "PQL0612": """
A computed attribute that holds now itself, or an instant at a fixed distance from it, is another value at every
microsecond: there is no list of changes that could say it, so it cannot be kept live. `pql run --save` keeps it as of
the instant of the run.

```pql
attribute asked_at = now
```

Instead: keep what is compared with now, a day, or an instant of an event.

```pql
attribute last_purchase = xEvent[eventType = "commerce.purchases"].max(timestamp)
```
""",
    "PQL0604": """
The run was stopped from outside: by a key press, a program that withdrew its question, or a service shutting down.
No answer was given and nothing was changed; the expression is not at fault. Long runs are the ones that get stopped:

```pql
xEvent.count() > 1000
```

Instead: run it again. A question about a shorter time is answered sooner.

```pql
xEvent[timestamp occurs <= 24 hours before now].count() > 10
```
""",
    "PQL0605": """
The database refused a query that PQL wrote for it. The expression passed all checks, so this is either about the store
(a full disk, a file in use, a column that no longer has the type of the schema) or a mistake of ours. The message
carries the store's own words.

```pql
loyalty.points > 100   // the column has become text since the schema was loaded
```

Instead: bring schema and data together again. If they agree, please report it, with the expression and the message.

```pql
loyalty.points.isNotNull() and loyalty.points > 100
```
""",
    "PQL0701": """
The chosen SQL dialect has no way to say this with exactly PQL's meaning. PQL then refuses, with the reason, rather than
writing something that answers nearly the same: one segment must have one membership wherever it runs. Suppose a dialect
has no RE2 regular expressions:

```pql
person.name.matches("^Sa")
```

Instead: say it with functions that the dialect has, or run the segment on the built-in store, which has them all.

```pql
person.name.startsWith("Sa")
```
""",
    "PQL0702": """
`pql/json` is the tree form of one expression. What belongs to a `.pql` file (declarations, properties, tests) has no
form in it, nor has a part that the published form leaves out and PQL's additions to it do not cover.

```pql
segment vip {
  owner: "lifecycle@luma.example"
  where loyalty.tier = "gold"
}
```

Instead: convert the condition alone, and keep the rest as text.

```pql
loyalty.tier = "gold"
```
""",
}
