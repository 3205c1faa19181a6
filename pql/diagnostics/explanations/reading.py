"""Explanations of PQL00xx (bounds) and PQL01xx (syntax)."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0001": """
The text is longer than PQL reads in one piece. There is a bound so that one request, typed by hand or made by a
program, can never take up a whole server.

A text that long is nearly always a list of values that was pasted into an expression:

```pql
person.name in ["u000001", "u000002", "u000003"]   // … and a hundred thousand more
```

Instead: keep the list as data, for instance as an attribute of the profiles in it, and ask for that.

```pql
attributes.get("campaign_list") = "spring"
```
""",
    "PQL0002": """
Brackets, filters or conditions stand inside each other more deeply than PQL follows. Every level costs memory in all
the stages that come after, and beyond a certain depth no reader can follow either.
Quantifiers, filters and chains inside each other have a bound of their own, ten levels (`topN` counts as two, `groupBy`
and a chain as three): each goes through a list for every element of the list around it. The condition of a quantifier
reaches as far to the right as it can: `exists A … and exists B …` is one inside the other, while in brackets,
`(exists A …) and (exists B …)`, they stand side by side.

```pql
((((((((((((((((person.age > 18))))))))))))))))   // imagine some hundred of these
```

Instead: leave out brackets that change nothing, and give the inner parts names.

```pql
define adult = person.age > 18

segment adults_abroad {
  where adult and homeAddress.country != "US"
}
```
""",
    "PQL0003": """
The expression has more parts than PQL checks in one piece. Most often a program wrote it, one `or` for each value
that it knows.

```pql
homeAddress.city = "Aachen" or homeAddress.city = "Bonn" or homeAddress.city = "Köln"   // … thousands more
```

Instead: use one `in` with a list. It is shorter to read and quicker to run; very long lists belong into the data.

```pql
homeAddress.city in ["Aachen", "Bonn", "Köln"]
```
""",
    "PQL0004": """
The file holds bytes that are no UTF-8 text. PQL reads nothing else, so that a name or a value means the same on every
machine. Usual reasons: the file was saved in an older encoding (Latin-1, Windows-1252, UTF-16), or it is no text.

```pql
homeAddress.city = "K�ln"   // the ö was saved as the single byte F6
```

Instead: save the file as UTF-8; most editors offer it as "save with encoding". On a command line,
`iconv -f WINDOWS-1252 -t UTF-8 old.pql > new.pql` does the same.

```pql
homeAddress.city = "Köln"
```
""",
    "PQL0101": """
At this place the language expects something else. The message names what was found and, where it helps, what could
stand there. The mistake is often a little before the place that is marked: a missing operator, comma or bracket.

```pql
person.age > 18 homeAddress.country = "US"
```

Instead: join the two conditions with the word that you mean.

```pql
person.age > 18 and homeAddress.country = "US"
```
""",
    "PQL0102": """
The text ends in the middle of an expression: an operator has no right side, or a bracket is still open.

```pql
person.age =
```

Instead: write the missing part.

```pql
person.age = 18
```
""",
    "PQL0103": """
This character has no meaning in PQL outside a string. Typographic quotes and dashes that a word processor put in are
the usual cause, and characters that cannot be seen, such as a no-break space; those are shown as an escape.

```pql
homeAddress.country = “US”
```

Instead: use straight double quotes, and the plain minus sign.

```pql
homeAddress.country = "US"
```
""",
    "PQL0104": """
A string begins here and its closing quote is missing on the line. A string does not go on over a line's end, so that
one forgotten quote does not swallow the rest of the file. For a line break inside a string, write `\\n`.

```pql
homeAddress.country = "US
```

Instead: close the string with the quote it began with.

```pql
homeAddress.country = "US"
```
""",
    "PQL0105": r"""
In a string the backslash begins an escape: `\"`, `\\`, `\/`, `\n`, `\t`, `\r`, or `\u` and four hexadecimal digits.
Any other letter after it is an error rather than a guess. Regular expressions are where it happens, because they
have backslashes of their own, and each of these is written twice.

```pql
person.name.matches("^\w+$")
```

Instead: double the backslash. The pattern itself then has one.

```pql
person.name.matches("^\\w+$")
```
""",
    "PQL0106": """
A whole number must fit into 64 bits (up to 9223372036854775807), and a number with a fraction into twelve digits
before the point. A larger literal could not be kept exactly, and a rounded one would silently ask something else.

```pql
loyalty.points > 99999999999999999999
```

Instead: use a number in the range. For long identifiers made of digits use a string; nobody adds them up.

```pql
loyalty.points > 999999
```
""",
    "PQL0107": """
This operator belongs to another language. PQL has one spelling for each: `=` and `!=` for equality, the words `and`,
`or` and `not`, and `isNull()` and `isNotNull()` for what is missing.

```pql
person.age == 18 && homeAddress.country <> "US"
```

Instead:

```pql
person.age = 18 and homeAddress.country != "US"
```
""",
    "PQL0108": """
An opening bracket has no partner, or the bracket that closes is of another kind. The message points at the bracket
that is still open, because that is where to look first.

```pql
(person.age > 18 and homeAddress.country in ["US", "CA")
```

Instead: close each bracket with its own kind, innermost first.

```pql
(person.age > 18 and homeAddress.country in ["US", "CA"])
```
""",
    "PQL0109": """
A comment that begins with `/*` runs to the next `*/`, and here there is none before the end of the text: everything
behind it would be lost without a word.

```pql
person.age > 18 /* adults only
```

Instead: close the comment, or use `//`, which ends with the line.

```pql
person.age > 18   // adults only
```
""",
}
