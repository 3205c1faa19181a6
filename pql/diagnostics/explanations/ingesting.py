"""Explanations of PQL0820 to PQL0839: sources, mappings, and why a row goes to quarantine."""

from __future__ import annotations


def _text(
    what: str, bad: str, good: str, broken: str = 'loyalty.tier = "gold"', sound: str = 'loyalty.tier = "gold"'
) -> str:
    """An explanation in the shape of all others: what it means, a line that shows it with a segment that suffers, and the way out."""
    return f"""
{what}

```
{bad}
```

```pql
{broken}
```

Instead: {good}

```pql
{sound}
```
"""


TEXTS: dict[str, str] = {
    "PQL0820": _text(
        "A source file says how a file or a stream becomes a dataset. This one cannot be used: it is no YAML, a setting is not\n"
        "known, or one that is needed is missing. Nothing of the source is loaded, because half a declaration would load half\n"
        "the data without a word. Here the format is misspelt:",
        "format: jsnol\npath: events.jsonl",
        "put the place right that the finding names. docs/STORE.md has the whole form of a source file.",
    ),
    "PQL0821": _text(
        "A line of a mapping is wrong: its XDM path is not in the schema, or its expression uses something that is not\n"
        "available over one source record, such as a time phrase or an unknown function. Here `lowr` is meant to be `lower`:",
        "mapping:\n  personalEmail.address: lowr(email)",
        "correct the line. `pql source functions` lists what there is, `pql source map --auto` proposes lines.",
    ),
    "PQL0822": _text(
        "A record is no JSON object that can be relied on: it is not JSON, is not an object, has one key twice, or is nested too\n"
        "deeply. Which of two values is meant cannot be known, so the record waits in quarantine as it came:",
        '{"crmId": "A1", "crmId": "B2"}',
        "have the system that wrote it mended, then `pql quarantine replay`; the record is not lost meanwhile.",
    ),
    "PQL0823": _text(
        "A stretch of a file is no row: bytes that are not UTF-8, a CSV row with more or fewer cells than the header, an open\n"
        "quotation mark, a NUL byte, or a line that is too long. The rows around it are loaded. Here the second row is ragged:",
        "crmId,email\nA1,a@example.com,extra",
        "name the right `encoding`, `delimiter` or `quote` below `options` and replay, or have the row mended.",
    ),
    "PQL0824": _text(
        "The file of a source, or of a look-up, cannot be read as a whole: it is not there, may not be opened, is no Parquet, or\n"
        "its header cannot be used. Nothing of it is loaded; what was in the store stays:",
        "format: parquet\npath: events.csv",
        "check the path (it counts from the source file) and the format.",
    ),
    "PQL0825": _text(
        "A value does not fit the type of its XDM field, or a mapping function cannot take it. Numbers that are sent as text are\n"
        "wrong in XDM; PQL does not turn them silently, for then a typing error upstream would look like a missing value:",
        '{"loyalty": {"points": "many"}}',
        "say the conversion in the mapping, such as `to_integer(loyalty.points)`, and replay.",
        broken="loyalty.points > 100",
        sound="loyalty.points > 100",
    ),
    "PQL0826": _text(
        "A field is missing that the schema requires. Every experience event needs `_id` and `timestamp`: without the first a\n"
        "repeated load could not be told from new events, without the second no window could be answered:",
        '{"_id": "e1", "eventType": "commerce.purchases"}',
        "map a source field to it, or have the record completed, and replay.",
        broken="xEvent.max(timestamp) occurs <= 7 days before now",
        sound="xEvent.max(timestamp) occurs <= 7 days before now",
    ),
    "PQL0827": _text(
        "A value has the right type and is still not allowed: it is not in the field's list of values, does not match its\n"
        "pattern, or is out of its bounds. The schema says so; the row waits in quarantine:",
        '{"person": {"gender": "m"}}',
        'map it, such as `decode(gender, "m", "male", "f", "female", "not_specified")`, and replay.',
    ),
    "PQL0828": _text(
        "Nobody can be found to whom the row belongs. A record needs its primary identity, an event at least one identity that is\n"
        "usable: not empty, not known junk such as `null` or `unknown`, and of its namespace's form (`ECID`: 38 digits):",
        '{"crmId": "", "email": "unknown"}',
        "map the right field to an identity, or have the record completed, and replay.",
    ),
    "PQL0829": _text(
        "The schedule is not one in Quartz form. It has six or seven parts: seconds, minutes, hours, day of month, month, day of\n"
        "week, and perhaps the year; one of the two days is `?`. PQL checks it, an operator's scheduler runs it:",
        'schedule: "0 2 * * *"',
        'write all parts, such as "0 0 2 * * ?" for two in the night.',
    ),
    "PQL0830": _text(
        "There is no such source, or the project declares none. Sources are files below `sources/` beside `pql.yaml`, or where\n"
        "its setting `sources` says. Nothing was loaded:",
        "pql load crn",
        "check the name; `pql source list` shows the sources that there are.",
    ),
    "PQL0831": _text(
        "A call to the HTTP stream was refused as a whole: it is too large, has too many messages, or its body is neither JSON\n"
        "nor JSON Lines. No message of it was stored. What is wrong with single messages is answered message by message instead:",
        "POST /collect/web   (a body of 40 MB)",
        "send fewer messages a call; the limits are the source's options `max_bytes` and `max_messages`.",
    ),
    "PQL0832": _text(
        "The dataset is in the store already, with a column of another type: the schema has changed since it was made, or another\n"
        "version of PQL made it, which keeps datasets in another form. Types of a\n"
        "dataset that holds data only ever grow; what was loaded under the old type would be lost otherwise:",
        "loyalty.points: string     # was: integer",
        "change the schema back, give the field another name, or load into a new store.",
    ),
}
