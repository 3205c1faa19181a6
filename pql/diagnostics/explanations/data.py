"""Explanations of PQL08xx (schemas and data) and PQL09xx (command line and project)."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0801": """
The schema is not a valid XDM document: it is not JSON, or a part of it is not what JSON Schema allows there. Without a
schema no path can be checked, so PQL stops before it reads any expression. Here `type` is a number:

```json
{"properties": {"loyalty": {"type": 3}}}
```

```pql
loyalty.points > 100
```

Instead: put the place right that the finding names. The same expression then passes.

```json
{"properties": {"loyalty": {"type": "object", "properties": {"points": {"type": "integer"}}}}}
```

```pql
loyalty.points > 100
```
""",
    "PQL0802": """
A schema refers to another one with `$ref`, and that one was not found among the files at hand. PQL never fetches
schemas from the network: what a segment means must not depend on who is online. Here `homeAddress` is a reference:

```json
{"properties": {"homeAddress": {"$ref": "https://ns.example/address"}}}
```

```pql
homeAddress.country = "US"
```

Instead: put the schema with that `$id` beside the others, or correct the reference. Fields that need no reference
go on working:

```pql
person.age > 18
```
""",
    "PQL0803": """
Two parts of the schema give one path two different types. A schema is put together from classes and field groups; where
they meet they must agree, or nobody could say what a comparison means. Say one group has `loyalty.points` as an
integer and another as a string:

```pql
loyalty.points > 100
```

Instead: change one of the groups, or move its field to a path of its own, such as one below your tenant's name.
Paths on which all groups agree are not affected:

```pql
loyalty.tier = "gold"
```
""",
    "PQL0804": """
The schema, or the short form of one in a test case, names a type that PQL does not have. There are `string`, `boolean`,
`integer` (also `byte`, `short`, `long`), `number`, `date`, `date-time`, lists, maps and objects. Say the short form has
`person.age: int`:

```pql
person.age > 18
```

Instead: write `person.age: integer`. `T[]` is a list and `map<T>` a map. The expression stays as it is:

```pql
person.age > 18
```
""",
    "PQL0811": """
A document (a profile, an event, or the data of a test) does not fit the schema: a value has another type, or a field is
not there. The path in the message leads to the place. PQL does not guess at data, for a guess would end in an audience.

```pql
test "points decide" {
  given profile { "loyalty": {"points": "many"} }
  expect in vip
}
```

Instead: put the value right. Whole numbers have no fraction, and moments look like `2026-03-01T10:00:00Z`.

```pql
test "points decide" {
  given profile { "loyalty": {"points": 1200} }
  expect in vip
}
```
""",
    "PQL0812": """
The document is no valid `pql/json`: it is not JSON, a node has a `nodeType` that does not exist, or a part is missing
that its kind needs, such as `params` of an `fnApply`. This one lacks the right side of a comparison, as this text does:

```pql
homeAddress.country =
```

```json
{"nodeType": "fnApply", "fnName": "=", "params": [{"nodeType": "fieldLookup", "fieldName": "country"}]}
```

Instead: complete the node. The quickest way to a right document is to convert the text:

```pql
homeAddress.country = "US"
```
""",
    "PQL0813": """
A conformance case is not well formed: a key is not known, `id` is missing or used twice, or nothing says what should
come out. Unknown keys are errors, because a misspelt `expect` would make a case that always passes.

```yaml
- {id: age.adult, pql: person.age >= 18, profile: {person: {age: 20}}, at: 2026-03-01T00:00:00Z, expects: true}
```

```pql
person.age >= 18
```

Instead: the expression is fine; put the key right.

```yaml
- {id: age.adult, pql: person.age >= 18, profile: {person: {age: 20}}, at: 2026-03-01T00:00:00Z, expect: true}
```

```pql
person.age >= 18
```
""",
    "PQL0901": """
The file cannot be read. It is not there, it is a folder, or you may not open it; the message says which. Paths on the
command line count from the current folder. The two ways to hand over an expression are easily mixed up; this, given
where a file's name is expected, is looked for as a file:

```pql
person.age > 18
```

Instead: check the path, or save the expression in a file that ends in `.pql`. A file with a single expression is a
segment with the file's name; saved as `adults.pql`, that is short for

```pql
segment adults { where person.age > 18 }
```
""",
    "PQL0902": """
The project file has a mistake: it cannot be read, a key is not known, or a value is of the wrong kind. PQL
stops at once, because settings such as the time zone and the week's first day decide what expressions mean:

```pql
loyalty.joined occurs this week   // from Monday, unless the project says otherwise
```

Instead: put the place right that the finding names, or take the key out to get its default. An expression that
names its days does not hang on the week's first day:

```pql
loyalty.joined occurs <= 7 days before today
```
""",
    "PQL0903": """
There is nothing to work on: the folder holds no `.pql` file, the pattern matches none, or the files hold nothing of the
kind that the command needs, say no test to run. A green result for no work would hide a wrong path, hence an error.
`pql test` on this file alone finds no test:

```pql
segment vip { where loyalty.tier = "gold" }
```

Instead: name the right folder, or add what is missing.

```pql
segment vip { where loyalty.tier = "gold" }

test "gold is VIP" {
  given profile { "loyalty": {"tier": "gold"} }
  expect in vip
}
```
""",
    "PQL0904": """
The store, the database file that holds profiles and events, cannot be opened. Another process may hold it (only one may
write at a time), the folder may not exist, or the file comes from another version. Nothing that reads profiles can run:

```pql
xEvent.count() > 0
```

Instead: end the other process, or open the store for reading only; check the path and the permissions. Expressions
can be checked without a store, and ones that read no data can be run:

```pql
1 + 1 = 2
```
""",
    "PQL0905": """
`pql fmt` reads what it has laid out once more, and compares. Here the new text would not say the same as the old one,
so the file was left as it is. That is a defect of the formatter, not of the file: please report it, with the file. An
expression such as this is formatted with its meaning unchanged:

```pql
person.age>18 AND loyalty.tier='gold'
```

Instead: until the defect is mended, lay out this file by hand. The rest of the run was not held up by it.

```pql
person.age > 18 and loyalty.tier = "gold"
```
""",
}
