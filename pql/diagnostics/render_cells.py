"""How characters look: which are shown escaped, and how many terminal columns the others take.

Every renderer passes what users wrote (source lines, names, messages) through `safe`, so that a source can neither
move the cursor, nor colour the screen, nor show text in another order than it has. Read `shown` first.
"""

from __future__ import annotations

import unicodedata

TAB = 4
_JOINER, _NON_JOINER = "\u200d", "\u200c"
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_MARKS = frozenset(("Mn", "Me"))


def shown(char: str, before: str = "") -> str:
    """A character as it is printed: itself, or an escape when it is a control, a lone surrogate or invisible.

    The two joiners are kept after a non-ASCII character, where emoji and several scripts need them.
    """
    if " " <= char <= "~":
        return char
    if char in _NAMED:
        return _NAMED[char]
    if char in (_JOINER, _NON_JOINER) and before > "~":
        return char
    code = ord(char)
    if unicodedata.category(char) in _HIDDEN or code & 0xFFFE == 0xFFFE:
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"
    return char


def safe(text: str, keep: str = "") -> str:
    """`text` on one line with nothing in it that a terminal would obey; characters of `keep` stay as they are."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep else shown(c, text[i - 1 : i]) for i, c in enumerate(text))


def columns(char: str, before: str = "") -> int:
    """Terminal columns of a printed character: 0 for what combines with the one before it, 2 for wide ones."""
    if " " <= char <= "~":
        return 1
    if char in (_JOINER, _NON_JOINER) or before == _JOINER or unicodedata.category(char) in _MARKS:
        return 0
    if "\u1160" <= char <= "\u11ff":  # Hangul vowels and finals join the syllable before them
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cells(line: str) -> list[tuple[str, int]]:
    """Each character of a line as what is printed for it and its width; tabs go to the next multiple of `TAB`."""
    out: list[tuple[str, int]] = []
    at, before = 0, ""
    for char in line:
        if char == "\t":
            width = TAB - at % TAB
            out.append((" " * width, width))
        else:
            text = shown(char, before)
            width = len(text) if text != char else columns(char, before)
            out.append((text, width))
        at += width
        before = char
    return out
