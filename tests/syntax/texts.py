"""Random valid texts in every construct of the language, and random comments between their words."""

import re

ATOMS = [
    "person.name", "person.age", "loyalty.points", "orders", "xEvent", "this", "^", "^name", "^^.name", "$1", "profile", "now", "today",
    '"x"', "'single'", "'it\\'s'", "'say \"hi\"'", '"tab\\t\\u00e9"', "1", "-2", "- 3", "--4", "2.50", "1E3", "56L", "true", "FALSE", "null",
    "[1,2]", '["a"]', "[]", "{}", '{"a": 1, \'b\': [2]}', "date(2020,2,3)", "`odd name`.`x y`", "@{offer;version=1}.rank", "xdm:tags",
    "xdm:@id", "count", "one", "select", "exists", "last", "((a))", "( (a = b) )", "^ .count()", "5 .abs()", "1.5 .x", "!a", "!!a.b",
    'inSegment("other")', "f()", "a.b.c.d.e", "averyveryverylongname.withaverylongfield.andanother_veryverylongfield",
]  # fmt: skip
METHODS = [
    "count()", "sum({})", "topN({},2)", "map((K, G) => mapEntry(K, G.count()))", "map(X => {})", "map((X) => {})", "filter({})",
    "equals({}, {}, false)", "from", "name", "last", "orElse({})", "regexGroup('(a)',1)", "get(\"a\")",
]  # fmt: skip
PHRASES = [
    "today", "ON now", "last week", "This Year", "<= 3 days before now", "= 1 year after {}", "!= 3 hours from now", "between {} and now",
    "on today ignoring year", "before {}", "from now", "> 2 centuries before yesterday Ignoring  Year", "between last month and next decade",
]  # fmt: skip
TIMES = [
    "today",
    "<= 3 days before now",
    "<= 1 hour after a",
    "between yesterday and now",
    "from last week ignoring year",
]
CLAUSES = [
    "", "COUNT(2)", "When({t})", "COUNT(= 1) WHEN({t} and {t})", "COUNT(all) WHERE({})", "where({}) when({t}) count(between 1 and 3)",
    "WHEN({t}) WHERE({}) WHEN({t}) COUNT(<= 4)",
]  # fmt: skip


def fill(template, r, n):
    while "{t}" in template:
        template = template.replace("{t}", r.choice(TIMES), 1)
    while "{}" in template:
        template = template.replace("{}", expression(r, n), 1)
    return template


def expression(r, n, whole=False):
    """A random expression of depth `n`; not well typed, but it parses. `whole`: no comma will follow it."""
    if n <= 0:
        return r.choice(ATOMS)
    below = n - 1

    def one():
        return expression(r, below)

    def atom():
        return r.choice(["({})", "a.b", "[{}]", "f({})", "orders[{}]"]).replace("{}", expression(r, below))

    kinds = {
        "method": lambda: f"{atom()}.{fill(r.choice(METHODS), r, below)}",
        "methods": lambda: atom() + "".join("." + fill(r.choice(METHODS), r, 0) for _ in range(r.randint(2, 5))),
        "binary": lambda: f"({one()}) {r.choice(['=', '!=', '<', '<=', '>', '>=', 'in', 'notIn', 'NOTIN', 'like'])} {atom()}",
        "sum": lambda: f"{atom()} {r.choice('+-*/%')} {atom()} {r.choice('+-*/%')} -{atom()}",
        "connected": lambda: r.choice([" and ", " or ", " AND ", " oR "]).join(f"({one()})" for _ in range(r.randint(2, 4))),
        "mixed": lambda: f"({one()}) and {atom()} or not {atom()} and {atom()} = 1 or {atom()}",
        "not": lambda: f"{r.choice(['not', 'NOT', 'not not'])} ({one()})",
        "bang": lambda: f"!({one()})",
        "filter": lambda: f"{atom()}[{one()}]",
        "occurs": lambda: f"{atom()} occurs {fill(r.choice(PHRASES).replace('{}', '(@)'), r, 0).replace('@', one())}",
        "quantifier": lambda: f"{r.choice(['exists', 'FORALL', 'none', 'one', 'some', 'all', 'select'])} {variables(r, below)}",
        "comprehension": lambda: f"{r.choice(['sum', 'min', 'count'])} {r.choice(['X.price', '({})']).replace('{}', one())} over {variables(r, below)}",
        "let": lambda: f"let X = ({one()}) in {one()}",
        "if": lambda: f"if ({one()}, {one()}, {one()})",
        "list": lambda: "[" + ", ".join(expression(r, r.choice([0, 0, below])) for _ in range(r.randint(1, 12))) + "]",
        "object": lambda: '{"a": ' + one() + ", 'b c': " + one() + "}",
        "lambda": lambda: f"({r.choice(['x', 'x, y'])}) => {one()}",
        "chain": lambda: f"chain({atom()}, timestamp, [{', '.join(step(r, below, s) for s in r.choice(['a', 'ab', 'abc']))}])",
    }  # fmt: skip
    kind = r.choice(sorted(kinds))
    text = kinds[kind]()
    return text if whole or kind not in ("quantifier", "comprehension") else f"({text})"


def variables(r, n):
    """`A from L`, with or without a condition; a condition with commas of its own stands in parentheses."""
    out = []
    for name in r.choice(["X", "X", "XY"]):
        condition = r.choice(["", " where ({})", ": ({})", " WHERE a.b = 1 and ({})"]).replace("{}", expression(r, n))
        out.append(f"{name} from ({expression(r, n)}){condition}")
    return ", ".join(out)


def step(r, n, name):
    return f"{name}: {r.choice(['', '', 'not '])}WHAT({expression(r, n)}) {fill(r.choice(CLAUSES), r, n)}"


def file(r, n):
    """A random `.pql` text: declarations of every kind, or one bare expression."""
    if r.random() < 0.2:
        return expression(r, n, True)
    kinds = {
        "define": lambda: f"define d{r.randint(0, 99)} = {expression(r, n, True)}",
        "attribute": lambda: f"Attribute `odd one` = {expression(r, n, True)}",
        "segment": lambda: (
            f"segment s {r.choice(['', chr(34) + 'A name' + chr(34)])} {{ {properties(r)} WHERE {expression(r, n, True)} }}"
        ),
        "test": lambda: f"test 'a test' {{ {' '.join(test_step(r) for _ in range(r.randint(0, 5)))} }}",
    }
    return "\n".join(kinds[r.choice(sorted(kinds))]() for _ in range(r.randint(1, 4)))


def properties(r):
    each = [
        "tags: []",
        "tags: [a, 'b', `c d`]",
        "owner: 'me'",
        "evaluate: batch",
        f"tags: [{', '.join(['aaaaaaaaaaaaaaaa'] * 12)}]",
    ]
    return " ".join(r.choice(each) for _ in range(r.randint(0, 3)))


def test_step(r):
    each = [
        'given profile {"a": [1, {"b": null}]}', "at 2026-03-01", 'at 2026-03-01T10:00:00Z event {"eventType": \'x\'}', "expect in s",
        "Expect NOT in s", "at 2026-03-01T10:00:00.5+01:00 expect in `s`", "after 7 days 1 Second expect not in s",
    ]  # fmt: skip
    return r.choice(each)


test_step.__test__ = False

TOKEN = re.compile(
    r"""//[^\n]*|/\*(?s:.)*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|@\{[^}]*\}
      |\d{4}-\d\d-\d\d(?:[Tt][\d:.]+(?:[Zz]|[+-][\d:]+)?)?|\d+\.\d+(?:[eE]\d+)?|(?:xdm:@?)?[\w$]+
      |=>|!=|<=|>=|\^+\.?|[^\s\w]""",
    re.VERBOSE,
)
GAPS = [" ", " ", " ", "\n", "\n\n", "\n\n\n  ", "\t", " // one\n", "//two\n", " /* three */ ", "/* four */", "\n/* five */\n", "\n// six  \n",
        "\n\n// seven\n\n", "/* eight\n   lines */", "\n/* nine\n * of\n */\n", " /* ten *//* ten */ // ten\n", "\n/* a */ /* b */"]  # fmt: skip


def scatter(text, r, much):
    """`text` with other white space, and comments, between its words."""
    out = []
    for match in TOKEN.finditer(text):
        spaced = text[: match.start()].endswith((" ", "\n"))
        out.append(r.choice(GAPS) if r.random() < much else (" " if spaced else ""))
        out.append(match.group())
    return "".join(out) + (r.choice(GAPS) if r.random() < much else "")


def comments(text):
    found = (m.group() for m in TOKEN.finditer(text))
    return ["\n".join(line.rstrip() for line in c.split("\n")) for c in found if c.startswith(("//", "/*"))]
