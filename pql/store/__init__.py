"""The profile store in DuckDB. Read `store.Store`."""
