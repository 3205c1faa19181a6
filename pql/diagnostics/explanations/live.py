"""Explanations of PQL063x and PQL064x (streams and their states)."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0630": """
The folder holds no state of a stream, or one in the form of another version of this program. What stands in a state
decides who is a member, so it is not guessed at: the stream does not start, and the files stay as they are.

```pql
segment lapsed { where xEvent.count() > 0 and not xEvent.exists(timestamp occurs <= 30 days before now) }
```

Instead: name an empty folder with `--state` and start from a store's history with `--store`; the memberships are the
same, because they depend on the history alone. Or go on with the version that made the state.

```pql
segment lapsed { where xEvent.count() > 0 and not xEvent.exists(timestamp occurs <= 30 days before now) }
```
""",
    "PQL0631": """
The state was kept for other segments than those of the project: some are new, changed, removed or paused. Going on
would leave everybody where the old definitions put them, so the stream wants to be told how to hand over.

```pql
segment vip { where loyalty.points > 1000 }   // the state knows it with `> 500`
```

Instead: name the store that has the history with `--store`, or say `--migrate` when all history came through this
stream; a run that begins or ends a `--pause` needs it too. Exactly the difference is emitted, with the cause
`definition`. With the old text nothing has to be handed over:

```pql
segment vip { where loyalty.points > 500 }
```
""",
    "PQL0632": """
Another process has the state open for writing. Two streams on one state would both commit what they read, and people
would enter and leave twice; so a state belongs to one stream at a time.

```pql
segment vip { where loyalty.points > 1000 }
```

Instead: end the other stream (Ctrl-C; it commits everything first), or give this one a state of its own. Reading a
state with `pql verify` is possible at any time.

```pql
segment vip { where loyalty.points > 1000 }
```
""",
    "PQL0633": """
The state could not be read or written: the disk is full, the folder may not be written to, or the file is damaged. The
message has SQLite's words. Nothing was told to anybody that was not committed before, so once the cause is mended the
stream goes on where it was.

```pql
xEvent.count() > 100
```

Instead: make room or mend the permissions and start the stream again. A damaged file is replaced by a new state from
the store's history.

```pql
xEvent.count() > 100
```
""",
    "PQL0634": """
A message of the stream cannot be read: it is no JSON object, has a `kind` that is none, lacks its profile, is too
large, or has a field that its kind does not know. It stands in the quarantine file with its place and reason, and the
stream goes on. Suppose the events for this segment come without anything that names their profile:

```pql
xEvent[eventType = "commerce.purchases"].count() > 0
```

Instead: name it with `"profile"` (`profileId` in a bare event, or the field that `--event-key` says), mend the message
and send it again. Segments on what did arrive are not affected.

```pql
loyalty.tier = "gold"
```
""",
    "PQL0635": """
The file that events are read from is not the one that was read before: it is shorter than what was taken of it, or it
begins differently. Going on at the old place would skip events or read half a line.

```pql
xEvent[timestamp occurs <= 1 day before now].count() > 5
```

Instead: give the new file under another name; rename a log to rotate it while `--follow` runs. Or read it from its
start with `--from-start`: events with an `_id` that were taken before change nothing.

```pql
xEvent[timestamp occurs <= 1 day before now].count() > 5
```
""",
    "PQL0636": """
The source of events cannot be reached or read: no such file, an address that is in use, a broker that does not answer
or does not have that stream. What was taken before is committed.

```pql
xEvent.count() > 100
```

Instead: mend the address, or start the broker, and run the stream again; it continues after the last message that was
committed. The segments can be asked of a store meanwhile.

```pql
xEvent.count() > 100
```
""",
    "PQL0637": """
The transitions could not be handed over: the file cannot be written, is shorter than what was written to it, or
whoever read standard output has gone. They are kept in the state and will be handed over at the next start.

```pql
segment vip { where loyalty.points > 1000 }
```

Instead: make room or mend the permissions and start again. A file that was cut by hand cannot be continued: put it
back, or move it away and a new one begins.

```pql
segment vip { where loyalty.points > 1000 }
```
""",
    "PQL0638": """
The membership that the stream holds is not what the SQL engine or the plain evaluator say of the same history. The
three are built to agree for every expression, so this is one of two things: the stream did not get an event or a
record that the store has, or a defect of this program.

```pql
xEvent[timestamp occurs <= 7 days before now].count() >= 2
```

Instead: look at the profile's events on both sides; a missing one can be sent again. If both sides have the same
history, please report the expression and the history. To start afresh, make a new state from the store.

```pql
loyalty.tier = "gold"
```
""",
    "PQL0639": """
The instant asked about is before the state's clock. A stream keeps how things are, not how they were: what left a
window is no longer in it, and cannot be judged as of an earlier instant.

```pql
xEvent[timestamp occurs <= 7 days before now].count() >= 2
```

Instead: ask for the clock's instant (leave `--as-of` out) or a later one. How things were is a question for the store:
`pql run --as-of`.

```pql
xEvent[timestamp occurs <= 7 days before now].count() >= 2
```
""",
    "PQL0640": """
`pql stream` keeps what its segments and attributes look at. One that looks at events of any age has to keep every
event of every profile for good, so that the state grows as long as the stream runs. That is sometimes what is meant (a
first purchase ever, a lifetime value), and must then be said.

```pql
xEvent[eventType = "purchase"].count() >= 3
```

Instead: look at the events of a window, so that older ones can go; or say `pql stream --allow-unbounded`; or leave the
segment to batch (`evaluate: batch`), where the store has all events anyway. `pql explain FILE --cost` says of each
segment what it keeps, for how long, and in how many bytes.

```pql
xEvent[eventType = "purchase" and timestamp occurs <= 365 days before now].count() >= 3
```
""",
}
