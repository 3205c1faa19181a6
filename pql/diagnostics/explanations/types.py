"""Explanations of PQL03xx: types."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "PQL0301": """
The two sides have types that cannot be compared. The right side is brought to the left side's type where that makes
sense (text to a number or a date, a whole number to a decimal); for other pairs there is no answer that is not a
surprise, so PQL asks you. Objects and maps cannot be compared at all.

```pql
homeAddress = workAddress
```

Instead: compare the fields that you mean.

```pql
homeAddress.city = workAddress.city and homeAddress.country = workAddress.country
```
""",
    "PQL0302": """
The right side of a comparison is brought to the type of the left, and this literal cannot become one. For a field the
answer would be "missing"; for a literal it would be so for every profile, which can only be a slip.

```pql
person.birthDate = "yesterday"
```

Instead: write a value of the left side's type: a date is `YYYY-MM-DD`, a whole number has digits only.

```pql
person.birthDate = "1990-06-01"
```
""",
    "PQL0303": """
The function takes something else at this place. The message names what it takes and what it was given; an argument is
brought to the type of its parameter by the same rules as the right side of a comparison.

```pql
orders.topN(price, "cheap")
```

Instead:

```pql
orders.topN(price, 3)
```
""",
    "PQL0304": """
The function takes another number of arguments. With a method the receiver does not count: `name.contains("x")` has one
argument, while the same call written `contains(name, "x")` has two.

```pql
person.name.contains()
```

Instead:

```pql
person.name.contains("ann")
```
""",
    "PQL0305": """
A condition must be true or false, and this part is neither. A list may stand there, it is true when it has an element;
a number or a text may not, because whether `0` or `""` counts as true is different in every language.

```pql
orders[quantity].count() > 0
```

Instead: write the comparison out.

```pql
orders[quantity > 0].count() > 0
```
""",
    "PQL0306": """
This function, quantifier or filter works on a list, and what it was given is a single value.

```pql
person.age.count() > 0
```

Instead: ask a list; to learn whether a single value is there, use `isNotNull()`.

```pql
person.age.isNotNull() and orders.count() > 0
```
""",
    "PQL0307": """
Only an object, a map, or a list of objects has fields. What stands before this dot is a plain value.

```pql
person.age.years > 18
```

Instead: end the path at the value, or call a function of it.

```pql
person.age > 18 and person.birthDate.getYear() < 2008
```
""",
    "PQL0308": """
These values have to be of one type: the two branches of `if`, or the elements of one list. Whole numbers and decimals
go together; a number and a text do not, as nobody could say what the result is.

```pql
if(person.active, "yes", 5) = "yes"
```

Instead: write them all as the same type.

```pql
if(person.active, "yes", "no") = "yes"
```
""",
    "PQL0309": """
There is no order among these values, so neither `<` nor sorting nor `min` and `max` can work on them. Numbers, texts,
dates and moments have an order; booleans, lists, maps and objects have none.

```pql
person.active > false
```

Instead: ask for equality, or compare a field that has an order.

```pql
person.active = true
```
""",
    "PQL0310": """
The pattern is no regular expression that PQL takes. PQL uses RE2, whose patterns need time in proportion to the text
however they are written. Look-ahead, look-behind and back-references cannot promise that, and RE2 refuses them.

```pql
person.name.matches("(")
```

Instead: close or escape the bracket. What a look-ahead was for can mostly be said with two tests.

```pql
person.name.matches("\\\\(")
```
""",
    "PQL0311": """
Arithmetic, and `sum` and `average`, need numbers here. `+` does not join texts in PQL.

```pql
person.name + 1
```

Instead: count with a number.

```pql
person.age + 1
```
""",
    "PQL0312": """
`occurs` and the date functions work on a date or a moment, and this is neither. A text that looks like a date is a text
until it stands on the right of a date.

```pql
person.age occurs <= 7 days before now
```

Instead: name a field with a date or a moment.

```pql
loyalty.joined occurs <= 7 days before now
```
""",
    "PQL0313": """
There is no such day in the calendar. `date(year, month, day)` takes years 1 to 9999, months 1 to 12 and the days that
the month has in that year; 29 February exists in leap years only.

```pql
person.birthDate = date(2026, 2, 30)
```

Instead:

```pql
person.birthDate = date(2026, 2, 28)
```
""",
    "PQL0314": """
Counted from any day that PQL can hold (years 1 to 9999), this distance leads outside the calendar, and the condition
would be false for everyone. Mostly the unit is not the one that was meant.

```pql
loyalty.joined occurs <= 100000 years before now
```

Instead:

```pql
loyalty.joined occurs <= 100000 minutes before now
```
""",
    "PQL0315": """
A lambda, `(K, G) => …`, may stand where a function asks for one, such as `map` over groups, and at the very top of an
expression. It is no value that could be compared, stored or put into a list.

```pql
person.age = ((P) => P.person.age)
```

Instead: write the expression itself.

```pql
orders.groupBy(storeId).map((K, G) => G.count())
```
""",
    "PQL0316": """
A segment decides whether a profile is in it, so its condition must be true or false, or a list, which is true when
it has an element. This one is another kind of value.

```pql
segment buyers {
  where orders.sum(price)
}
```

Instead: compare the value with something. To keep the value itself, declare an `attribute`.

```pql
segment buyers {
  where orders.sum(price) > 100
}
```
""",
    "PQL0317": """
The schema lists every value that this field may have, and this is none of them, so the test could never be true. Case
counts. Suppose the schema allows `female`, `male` and `not_specified`:

```pql
person.gender = "woman"
```

Instead: use a value of the list; if the list is out of date, the schema is the place to put it right.

```pql
person.gender = "female"
```
""",
    "PQL0318": """
In a pattern of `like`, a backslash takes away the meaning of the sign after it: `\\%`, `\\_` and `\\\\` stand for `%`, `_`
and a backslash. Before anything else, and at the end, it means nothing, so it is more likely a slip than a wish. In a
string of PQL a backslash is itself written twice.

```pql
person.name like "100\\\\q"
```

Instead: leave the backslash out, or write it twice for a backslash.

```pql
person.name like "100\\\\%"
```
""",
}
