"""Syntax: text to tree and back, and nothing about what it means.

`pql/grammar.lark` is the only syntax truth; `ast` has the nodes, `scan` and `parser` make them, `format` prints them,
`json_form` reads and writes pql/json. Must not know schemas. Read `parser.parse_file`, then `ast.Expr`.
"""

from pql.syntax.parser import parse_expression, parse_file

__all__ = ["parse_expression", "parse_file"]
