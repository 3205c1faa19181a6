"""Ingestion: source files, mappings, and loading them into the store's datasets, losing nothing. docs/INGESTION.md.

| stage | in → out | module |
| --- | --- | --- |
| declare | `sources/*.yaml`, schema → source with a checked mapping | `source_file`, `lower`, `tree` |
| read | file → chunks of Arrow rows, refused records | `files`, `arrays`, `csv_rows` |
| map | chunk → typed rows, doubtful ones | `compile`, `fit_sql`, `shapes` (SQL); `evaluate`, `fit` (Python, has the last word) |
| settle | typed rows → dataset, duplicates, quarantine | `pql.store.datasets` |

Must not know the language's meaning nor how identities are stitched. Read `project.SourceProject`, then `load.load_file`.
"""
