"""The typed tree that every engine reads. Must not know syntax or SQL. Read `nodes`."""
