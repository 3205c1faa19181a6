"""Texts of the shapes that the live engine keeps event by event, with windows and thresholds that meet the events' instants."""

from __future__ import annotations

import random


def text(r: random.Random) -> str:
    """A test over the schema of `segment_texts`."""
    kinds = [
        _count, _count, _sum, _sum, _then, _then, _steps, _steps, _without, _without, _closing, _first, _items,
        _dated, _dated, _dated, _dated, _extreme, _extreme,
    ]  # fmt: skip
    made = r.choice(kinds)(r)
    if r.random() < 0.25:
        return f"not ({made})"
    if r.random() < 0.35:
        return f"({made} {r.choice(('and', 'or'))} {text(r)})"
    return made


def _span(r: random.Random) -> str:
    return r.choice(("0 hours", "1 hour", "12 hours", "24 hours", "36 hours", "2 days", "3 days", "168 hours"))


def _calendar(r: random.Random) -> str:
    """A window whose ends are units of the calendar, or one of them."""
    unit = r.choice(("day", "week", "month", "month", "year", "hour"))
    word = r.choice(
        (f"this {unit}", f"this {unit}", f"last {unit}", f"next {unit}", "today", "today", "yesterday", "tomorrow")
    )
    return r.choice(
        (
            word,
            word,
            word,
            f"{r.choice(('before', 'after', 'from'))} {word}",
            f"between {word} and {r.choice(('now', 'now', 'tomorrow', 'this month', 'next year'))}",
            f"{r.choice(('<=', '<', '>=', '>', '='))} {r.choice((0, 1, 1, 2, 7))} {unit} {r.choice(('before', 'after', 'from'))} {r.choice((word, word, 'now'))}",
        )
    )


def _window(r: random.Random) -> str:
    if r.random() < 0.4:
        return _calendar(r)
    return r.choice(
        (
            f"<= {_span(r)} before now",
            f"< {_span(r)} before now",
            f">= {_span(r)} before now",
            f"> {_span(r)} before now",
            f"<= {_span(r)} after now",
            f">= {_span(r)} after now",
            "before now",
            "after now",
        )
    )


def _kind(r: random.Random) -> str:
    test = f'eventType = "{r.choice("abc")}"'
    more = r.choice(("", "", "", ' and web.device = "ios"', " and commerce.total > 1", " and commerce.total <= 2.5"))
    return test + more


def _events(r: random.Random) -> str:
    windows = [f" and timestamp occurs {_window(r)}" for _ in range(r.choice((0, 1, 1, 1, 2)))]
    return f"xEvent[{_kind(r)}{''.join(windows)}]"


def _op(r: random.Random) -> str:
    return r.choice((">=", ">=", ">", "=", "<", "<=", "!="))


def _count(r: random.Random) -> str:
    return f"{_events(r)}.count() {_op(r)} {r.choice((0, 1, 1, 2, 3))}"


def _sum(r: random.Random) -> str:
    return f"{_events(r)}.sum(commerce.total) {_op(r)} {r.choice((0, 1, 2.5, 10, 12.5))}"


def _items(r: random.Random) -> str:
    return f"{_events(r)}.productListItems[quantity > 1].{r.choice(('count()', 'sum(quantity)'))} {_op(r)} {r.choice((1, 2, 4))}"


def _dated(r: random.Random) -> str:
    """A count or a sum whose window is one of the calendar, for few events and small thresholds: it turns often."""
    events = f"xEvent[{r.choice((_kind(r), 'true', 'true'))} and timestamp occurs {_calendar(r)}]".replace(
        "true and ", ""
    )
    return f"{events}.{r.choice(('count()', 'count()', 'sum(commerce.total)'))} {_op(r)} {r.choice((1, 1, 2, 3))}"


def _extreme(r: random.Random) -> str:
    """A largest or a smallest value against a constant; of some values, the same as others and null ones among them."""
    value, bound = r.choice(
        (("commerce.total", r.choice(("0", "1", "2.5", "10"))), ("web.device", r.choice(('"ios"', '"j"', '"web"'))))
    )
    test = f"{_events(r)}.{r.choice(('max', 'min'))}({value})"
    return f"{bound} {_op(r)} {test}" if r.random() < 0.2 and value != "web.device" else f"{test} {_op(r)} {bound}"


def _then(r: random.Random) -> str:
    gap = r.choice((f"<= {_span(r)} after A", f"< {_span(r)} after A", f">= {_span(r)} after A", ""))
    when = " and ".join(x for x in (gap, r.choice(("", _window(r)))) if x)
    return f"chain(xEvent, timestamp, [A: WHAT({_kind(r)}), B: WHAT({_kind(r)}){f' WHEN({when})' if when else ''}])"


def _steps(r: random.Random) -> str:
    """Two to four steps one after the other, with gaps, some with a window for each; most events are some step."""
    steps, dated = [], r.random() < 0.6
    for number in range(r.choice((2, 3, 3, 4))):
        kind = r.choice(("true", f'eventType != "{r.choice("abc")}"', _kind(r)))
        before = f"{r.choice(('<=', '<', '>=', '>'))} {_span(r)} after S{number - 1}"
        when = [r.choice(("", before, before))] if number else []
        if dated and r.random() < 0.8:
            when.append(f"{r.choice(('<=', '<'))} {_span(r)} before now")
        elif r.random() < 0.2:
            when.append(_window(r))
        if number and r.random() < 0.25:
            steps.append(f"X{number}: not WHAT({_kind(r)})")
        found = " and ".join(w for w in when if w)
        steps.append(f"S{number}: WHAT({kind}){f' WHEN({found})' if found else ''}")
    if r.random() < 0.25:
        gap = r.choice(("", f" WHEN({r.choice(('<', '<='))} {_span(r)} after {steps[-1].split(':')[0]})"))
        steps.append(f"Z: not WHAT({_kind(r)}){gap}")
    return f"chain(xEvent, timestamp, [{', '.join(steps)}])"


def _without(r: random.Random) -> str:
    windows = " and ".join(_window(r) for _ in range(r.choice((1, 1, 2))))
    when = r.choice(("", f" WHEN({windows})", f" WHEN({windows})"))
    return f"chain(xEvent, timestamp, [A: WHAT({_kind(r)}){when}, B: not WHAT({_kind(r)})])"


def _closing(r: random.Random) -> str:
    when = r.choice(("", f" WHEN({_window(r)})"))
    gap = f"{r.choice(('<', '<='))} {_span(r)} after A"
    return f"chain(xEvent, timestamp, [A: WHAT({_kind(r)}){when}, B: not WHAT({_kind(r)}) WHEN({gap})])"


def _first(r: random.Random) -> str:
    return f'(exists E from xEvent where E.eventType = "{r.choice("abc")}" and E.timestamp occurs {_window(r)})'


def value(r: random.Random) -> str:
    """An attribute over the schema of `segment_texts`: what people compute, and what the clock moves."""
    events = "xEvent" if r.random() < 0.15 else f"xEvent[{r.choice((_kind(r), f'timestamp occurs {_window(r)}', ''))}]"
    events = events.replace("[]", "")
    if r.random() < 0.4:
        events += f"[timestamp occurs {_window(r)}]"
    return r.choice(
        (
            f"{events}.count()",
            f"{events}.sum(commerce.total)",
            f"{events}.average(commerce.total)",
            f"{events}.max(timestamp)",
            f"{events}.min(commerce.total)",
            f"{events}.topN(timestamp, 1).head().productListItems.SKU",
            f"{events}.topN(timestamp, 2).map(_id)",
            f"{events}.productListItems.category.distinct()",
            f"{events}.productListItems.groupBy(category).map((K, G) => mapEntry(K, G.count()))",
            f"{events}.bottomN(timestamp, 1).head()",
            f"{events}.exists(timestamp occurs {_window(r)}) and loyalty.points > 0",
            f'if({text(r)}, loyalty.tier, "none")',
            "today",
        )
    )
