"""String functions in portable SQL. SEMANTICS section 12. A dialect overrides the few spellings that differ.

Lower-casing first replaces the two letters that engines treat differently (`İ`, and `Σ` at the end of a word), after
which simple and full mappings agree. Must not know lists. Read `Words.folded`.
"""

from __future__ import annotations

from sqlglot import exp

from pql.compiler.dialects.part import Part
from pql.compiler.dialects.scope import Sql
from pql.functions.record import call, number, paren, text
from pql.functions.text import lower, normal_pattern, without_sigma
from pql.ir import nodes as ir

ESCAPE = "!"


class Words(Part):
    def folded(self, e: ir.Call) -> tuple[Sql, Sql]:
        """Receiver and argument, both lower-cased when the flag says so."""
        left, right = self.value(e.args[0]), self.value(e.args[1])
        if len(e.args) < 3:
            return left, right
        flag = e.args[2]
        if not isinstance(flag, ir.Const):
            raise self.refuse(f"`{e.function}` with a computed case flag", "only a literal flag has a form", e)
        if flag.value:
            return left, right
        if not (without_sigma(left) or without_sigma(right)):
            raise self.refuse(f"`{e.function}` in any case", "engines lower a final `Σ` differently", e,
                              "compare with a literal that has no sigma")  # fmt: skip
        return self.lower(left), self.lower(right)

    def lower(self, value: Sql) -> Sql:
        if isinstance(value, exp.Literal):
            return text(lower(value.name))
        return self.fold_case(call("REPLACE", call("REPLACE", value, text("İ"), text("i̇")), text("Σ"), text("σ")))

    def fold_case(self, value: Sql) -> Sql:
        """Unicode lower-casing of text that has neither `İ` nor `Σ`."""
        return call("LOWER", value)

    def starts(self, value: Sql, part: Sql) -> Sql:
        return call("STARTS_WITH", value, part)

    def ends(self, value: Sql, part: Sql) -> Sql:
        return call("ENDS_WITH", value, part)

    def holds(self, value: Sql, part: Sql) -> Sql:
        return paren(exp.GT(this=call("STRPOS", value, part), expression=number(0)))

    def _part_test(self, e: ir.Call, build) -> Sql:  # type: ignore[no-untyped-def]
        value, part = self.folded(e)
        if isinstance(part, exp.Literal) and part.name == "":
            return paren(exp.Not(this=exp.Is(this=value, expression=exp.Null())))
        result: Sql = build(value, part)
        return result

    def call_startswith(self, e: ir.Call) -> Sql:
        return self._part_test(e, self.starts)

    def call_endswith(self, e: ir.Call) -> Sql:
        return self._part_test(e, self.ends)

    def call_contains(self, e: ir.Call) -> Sql:
        return self._part_test(e, self.holds)

    def call_doesnotstartwith(self, e: ir.Call) -> Sql:
        return paren(exp.Not(this=paren(self._part_or_null(e, self.starts))))

    def call_doesnotendwith(self, e: ir.Call) -> Sql:
        return paren(exp.Not(this=paren(self._part_or_null(e, self.ends))))

    def call_doesnotcontain(self, e: ir.Call) -> Sql:
        return paren(exp.Not(this=paren(self._part_or_null(e, self.holds))))

    def _part_or_null(self, e: ir.Call, build) -> Sql:  # type: ignore[no-untyped-def]
        """The test as SQL has it: null when the text is; so that its negation is null too, and false."""
        value, part = self.folded(e)
        if isinstance(part, exp.Literal) and part.name == "":
            return exp.EQ(this=value, expression=value.copy())
        result: Sql = build(value, part)
        return result

    def call_equals(self, e: ir.Call) -> Sql:
        left, right = self.folded(e)
        return paren(exp.EQ(this=left, expression=right))

    def call_notequalto(self, e: ir.Call) -> Sql:
        left, right = self.folded(e)
        return paren(exp.NEQ(this=left, expression=right))

    def call_like(self, e: ir.Call) -> Sql:
        pattern = e.args[1]
        if not isinstance(pattern, ir.Const):
            raise self.refuse("`like` with a computed pattern", "only a literal pattern has a form", e)
        return self.like(self.value(e.args[0]), normal_pattern(str(pattern.value)))

    def like(self, value: Sql, pattern: str) -> Sql:
        """`pattern` escapes with backslashes; engines disagree about those, so another sign is used."""
        out, i = "", 0
        while i < len(pattern):
            if pattern[i] == "\\":
                i += 1
                out += (ESCAPE if pattern[i] in "%_" else "") + pattern[i]
            else:
                out += ESCAPE * (pattern[i] == ESCAPE) + pattern[i]
            i += 1
        return paren(exp.Escape(this=exp.Like(this=value, expression=text(out)), expression=text(ESCAPE)))

    def call_matches(self, e: ir.Call) -> Sql:
        raise self.refuse("`matches`", "its regular expressions are not RE2", e,
                          "say it with `startsWith`, `contains` or `like`")  # fmt: skip

    def call_regexgroup(self, e: ir.Call) -> Sql:
        raise self.refuse("`regexGroup`", "its regular expressions are not RE2", e)

    def call_lowercase(self, e: ir.Call) -> Sql:
        return self.lower(self.value(e.args[0]))

    def call_uppercase(self, e: ir.Call) -> Sql:
        raise self.refuse("`upperCase`", "engines differ in letters such as `ß`", e, "compare in lower case")

    def call_trim(self, e: ir.Call) -> Sql:
        return self.trim(self.value(e.args[0]))

    def trim(self, value: Sql) -> Sql:
        return call("TRIM", value)

    def call_length(self, e: ir.Call) -> Sql:
        return self.length(self.value(e.args[0]))

    def length(self, value: Sql) -> Sql:
        """In code points."""
        return call("LENGTH", value)

    def call_isempty(self, e: ir.Call) -> Sql:
        return paren(exp.EQ(this=self.value(e.args[0]), expression=text("")))

    def call_isnotempty(self, e: ir.Call) -> Sql:
        return paren(exp.NEQ(this=self.value(e.args[0]), expression=text("")))

    def call_concat(self, e: ir.Call) -> Sql:
        result = self.value(e.args[0])
        for a in e.args[1:]:
            result = exp.DPipe(this=result, expression=self.value(a))
        return paren(result)

    def call_substring(self, e: ir.Call) -> Sql:
        if not all(isinstance(a, ir.Const) and isinstance(a.value, int) for a in e.args[1:]):
            raise self.refuse("`substring` with computed positions", "only literal positions have a form", e)
        first, *rest = (max(0, int(a.value)) for a in e.args[1:])  # type: ignore[union-attr,arg-type]
        size = [number(max(0, rest[0] - first))] if rest else []
        return self.substring(self.value(e.args[0]), [number(first + 1), *size])

    def substring(self, value: Sql, position: list[Sql]) -> Sql:
        return call("SUBSTR", value, *position)
