"""Functions on strings. Rules: SEMANTICS section 12. Read `lower_sql`, then the table at the end."""

from __future__ import annotations

import re

import re2

from pql.functions.record import Example, Function, SqlBuilder, call, cast, number, overload, text
from pql.functions.trees import exp
from pql.types import BOOLEAN, INTEGER, STRING

LIKE_ESCAPE = "\\"

_CASED = r"\p{Lu}\p{Ll}\p{Lt}\x{aa}\x{ba}\x{2160}-\x{217f}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189}"
_IGNORABLE = (
    r"\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}'.:\x{b7}\x{387}\x{55f}\x{5f4}\x{2018}\x{2019}\x{2024}\x{2027}"
    r"\x{fe13}\x{fe52}\x{fe55}\x{ff07}\x{ff0e}\x{ff1a}"
)
FINAL_SIGMA = rf"([{_CASED}][{_IGNORABLE}]*)\x{{3a3}}([{_IGNORABLE}]*(?:[^{_CASED}{_IGNORABLE}]|$))"
"""A `Σ` that ends a word, between its two groups: after a cased letter and before none, passing over what is
case-ignorable (Unicode, SpecialCasing, Final_Sigma)."""


def lower(value: str) -> str:
    """Unicode's full lower-casing: `İ` becomes two characters, and a `Σ` that ends a word becomes `ς`."""
    return value.lower()


def lower_sql(value: exp.Expression, sigma: bool = True) -> exp.Expression:
    """The same in SQL: the database folds by simple mappings, from which the full ones differ in `İ` and `Σ`.

    `sigma`: whether it matters which of its two small forms a `Σ` becomes.
    """
    if isinstance(value, exp.Literal):
        return text(lower(value.name))
    plain = exp.Lower(this=call("replace", value.copy(), text("\u0130"), text("i\u0307")))
    if not sigma:
        return plain
    ended = call("regexp_replace", value.copy(), text(FINAL_SIGMA), text("\\1\u03c2\\2"), text("g"))
    exact = exp.Lower(this=call("replace", ended, text("\u0130"), text("i\u0307")))
    has = call("contains", value, text("\u03a3"))
    return exp.Case(ifs=[exp.If(this=has, true=exact)], default=plain)


def without_sigma(value: exp.Expression) -> bool:
    """Is it a literal to which no sigma can be equal?"""
    return isinstance(value, exp.Literal) and not set(lower(value.name)) & set("\u03c3\u03c2")


def _folded(args: tuple[exp.Expression, ...]) -> tuple[exp.Expression, exp.Expression]:
    receiver, argument, *flag = args
    if not flag or (isinstance(flag[0], exp.Boolean) and flag[0].this):
        return receiver, argument
    sigma = not any(map(without_sigma, (receiver, argument)))  # where one side has none, the other's do not matter
    if isinstance(flag[0], exp.Boolean):
        return lower_sql(receiver, sigma), lower_sql(argument, sigma)
    fold = flag[0]
    folds = exp.Not(this=exp.Paren(this=fold.copy()))

    def choose(x: exp.Expression) -> exp.Expression:
        """As it is, or folded; null when the flag is."""
        return exp.Case(
            ifs=[exp.If(this=fold.copy(), true=x.copy()), exp.If(this=folds.copy(), true=lower_sql(x.copy(), sigma))]
        )

    return choose(receiver), choose(argument)


def _starts(*args: exp.Expression) -> exp.Expression:
    return call("starts_with", *_folded(args))


def _ends(*args: exp.Expression) -> exp.Expression:
    return call("suffix", *_folded(args))


def _contains(*args: exp.Expression) -> exp.Expression:
    return call("contains", *_folded(args))


def _equals(*args: exp.Expression) -> exp.Expression:
    left, right = _folded(args)
    return exp.EQ(this=left, expression=right)


def _differs(*args: exp.Expression) -> exp.Expression:
    left, right = _folded(args)
    return exp.NEQ(this=left, expression=right)


def unknown_escape(pattern: str) -> str | None:
    """The first backslash of a `like` pattern, with what follows it, that escapes nothing."""
    found = next(
        (m.group() for m in re.finditer(r"\\(.?)", pattern, re.DOTALL) if m.group(1) not in ("%", "_", "\\")), None
    )
    return found


def normal_pattern(pattern: str) -> str:
    """A `like` pattern in which every backslash is an escape: others are doubled."""
    out, i = [], 0
    while i < len(pattern):
        c = pattern[i]
        following = pattern[i + 1 : i + 2]
        if c == "\\" and following and following in "%_\\":
            out.append(c + following)
            i += 2
        else:
            out.append("\\\\" if c == "\\" else c)
            i += 1
    return "".join(out)


def _like(value: exp.Expression, pattern: exp.Expression) -> exp.Expression:
    if isinstance(pattern, exp.Literal):
        pattern = text(normal_pattern(pattern.name))
    else:
        pattern = call("regexp_replace", pattern, text(r"(\\[\\%_])|(\\)"), text(r"\1\2\2"), text("g"))
    return exp.Escape(this=exp.Like(this=value, expression=pattern), expression=text(LIKE_ESCAPE))


def _matches(value: exp.Expression, pattern: exp.Expression) -> exp.Expression:
    return call("regexp_matches", value, pattern)


def _group(value: exp.Expression, pattern: exp.Expression, group: exp.Expression | None = None) -> exp.Expression:
    index = int(group.name) if group is not None else 1
    if index > groups_of(pattern.name):
        return cast(exp.Null(), "TEXT")
    if index <= 9:
        found = call("regexp_extract", value.copy(), pattern.copy(), number(index))
    else:  # the database counts to nine; beyond, groups are asked for by name
        names = exp.Array(expressions=[text(f"g{i + 1}") for i in range(index)])
        found = call("struct_extract", call("regexp_extract", value.copy(), pattern.copy(), names), text(f"g{index}"))
    matched = call("regexp_matches", value, pattern)
    if not always_takes_part(pattern.name, index):
        found = call("nullif", found, text(""))  # the database gives "" for a group that took no part
    return exp.Case(ifs=[exp.If(this=matched, true=found)])


def groups_of(pattern: str) -> int:
    """How many groups a regular expression has."""
    return int(re2.compile(pattern).groups)


def always_takes_part(pattern: str, group: int) -> bool:
    """Does the group take part in every match? It does outside of alternatives and optional parts."""
    if group == 0:
        return True
    plain = re.sub(r"\\Q.*?(\\E|$)|\\.|\[\^?\]?(\\.|\[:\w+:\]|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
    open_at: list[int] = []
    wraps: list[tuple[int, int]] = []
    wanted, seen = -1, 0
    for i, c in enumerate(plain):
        if c == "(":
            open_at.append(i)
            if plain[i + 1 : i + 2] != "?" or plain[i + 2 : i + 4] == "P<" or plain[i + 2 : i + 3] == "<":
                seen += 1
                wanted = i if seen == group else wanted
        elif c == ")" and open_at:
            wraps.append((open_at.pop(), i))
    around = [(-2, len(plain)), *((a, b) for a, b in wraps if a <= wanted <= b)]
    return not any(
        (a != wanted and _has_choice(plain, a, b)) or re.match(r"[?*]|\{0", plain[b + 1 :]) for a, b in around
    )


def _has_choice(plain: str, start: int, end: int) -> bool:
    depth = 0
    for c in plain[max(start, -1) + 1 : end]:
        depth += (c == "(") - (c == ")")
        if c == "|" and depth == 0:
            return True
    return False


def _not(build: SqlBuilder) -> SqlBuilder:
    def negated(*args: exp.Expression) -> exp.Expression:
        return exp.Not(this=exp.Paren(this=build(*args)))

    return negated


def position(value: exp.Expression) -> exp.Expression:
    """A position that `substr` takes: not before the text, and beyond any text's end is as good as at it."""
    low = exp.If(this=exp.LT(this=value.copy(), expression=number(0)), true=number(0))
    high = exp.If(this=exp.GT(this=value.copy(), expression=number(2_000_000_000)), true=number(2_000_000_000))
    return exp.Case(ifs=[low, high], default=value)


def _substring(value: exp.Expression, start: exp.Expression, end: exp.Expression | None = None) -> exp.Expression:
    first = exp.Add(this=position(start.copy()), expression=number(1))
    if end is None:
        return call("substr", value, first)
    size = exp.Sub(this=position(end), expression=position(start))
    return call("substr", value, first, position(exp.Paren(this=size)))


_CS = (("text", STRING), ("part", STRING), ("caseSensitive", BOOLEAN))
_FLAGGED = (overload(_CS, BOOLEAN, optional=1),)
_ONE = (overload((("text", STRING),), STRING),)


def _test(name: str, doc: str, sql: SqlBuilder, example: Example) -> Function:
    return Function(name, doc, "string", _FLAGGED, sql, test=True, examples=(example,))


TEXT = (
    _test("startsWith", "Does the text begin with the part?", _starts, Example('"Joe".startsWith("jo", false)', True)),
    _test("doesNotStartWith", "Present, and does not begin with the part.", _not(_starts), Example('"Joe".doesNotStartWith("x")', True)),
    _test("endsWith", "Does the text end with the part?", _ends, Example('"a.com".endsWith(".com")', True)),
    _test("doesNotEndWith", "Present, and does not end with the part.", _not(_ends), Example('"a.com".doesNotEndWith(".com")', False)),
    _test("contains", "Does the part occur in the text?", _contains, Example('"John".contains("oh")', True)),
    _test("doesNotContain", "Present, and the part does not occur in it.", _not(_contains), Example('"John".doesNotContain("x")', True)),
    _test("equals", "Equal to any of the texts.", _equals, Example('"VA".equals("VT", "VA")', True)),
    _test("notEqualTo", "Present, and different.", _differs, Example('"a".notEqualTo("b")', True)),
    Function("like", "Matches a pattern as a whole; `%` any run, `_` one character.", "string",
             (overload((("text", STRING), ("pattern", STRING)), BOOLEAN),), _like, test=True, examples=(Example('"Bremen" like "%em%"', True),)),
    Function("matches", "Is there a match of the RE2 regular expression anywhere in the text?", "string",
             (overload((("text", STRING), ("regex", STRING)), BOOLEAN),), _matches, test=True, literal=(1,),
             examples=(Example('"johnny".matches("(?i)^John")', True),)),
    Function("regexGroup", "The n-th group (1 unless told) of the first match; null when there is none.", "string",
             (overload((("text", STRING), ("regex", STRING), ("group", INTEGER)), STRING, optional=1),), _group, literal=(1, 2),
             examples=(Example('"joe@luma".regexGroup("@(\\\\w+)", 1)', "luma"),)),
    Function("lowerCase", "The text in lower case.", "string", _ONE, lower_sql, documented=False, examples=(Example('"ABC".lowerCase()', "abc"),)),
    Function("upperCase", "The text in upper case.", "string", _ONE, lambda x: exp.Upper(this=x), documented=False, examples=(Example('"abc".upperCase()', "ABC"),)),
    Function("trim", "The text without blanks at both ends.", "string", _ONE, lambda x: exp.Trim(this=x), documented=False, examples=(Example('" a ".trim()', "a"),)),
    Function("length", "How many characters.", "string", (overload((("text", STRING),), INTEGER),), lambda x: call("length", x), documented=False,
             examples=(Example('"abc".length()', 3),)),
    Function("isEmpty", "Present, and without a character.", "string", (overload((("text", STRING),), BOOLEAN),),
             lambda x: exp.EQ(this=x, expression=text("")), test=True, documented=False, examples=(Example('"".isEmpty()', True),)),
    Function("isNotEmpty", "Present, and with at least one character.", "string", (overload((("text", STRING),), BOOLEAN),),
             lambda x: exp.NEQ(this=x, expression=text("")), test=True, documented=False, examples=(Example('"".isNotEmpty()', False),)),
    Function("concat", "The texts joined; null if one is null.", "string", (overload((("text", STRING), ("more", STRING)), STRING, variadic=True),),
             lambda *x: _joined(x), documented=False, examples=(Example('"a".concat("b", "c")', "abc"),)),
    *(Function(n, "From position start (0 is the first) up to, not including, end.", "string",
               (overload((("text", STRING), ("start", INTEGER), ("end", INTEGER)), STRING, optional=1),), _substring, documented=False,
               examples=(Example(f'"Bremen".{n}(0, 2)', "Br"),)) for n in ("substring", "substr")),
)  # fmt: skip


def _joined(values: tuple[exp.Expression, ...]) -> exp.Expression:
    result = values[0]
    for value in values[1:]:
        result = exp.DPipe(this=result, expression=value)
    return exp.Paren(this=result)
