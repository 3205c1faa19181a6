"""Schemas: loading XDM and the short form, values. Must not know the language. Read `schema.make_schema`."""
