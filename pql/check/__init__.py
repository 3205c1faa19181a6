"""Judges: names, types, and what a segment may refer to. Must not know engines. Read `expressions.Checker`."""
