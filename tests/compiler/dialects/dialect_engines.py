"""Real engines for the optional dialect tests, each filled with the people of a DuckDB store. Read `Engine`.

ClickHouse runs inside Python (`chdb`), Spark locally (`pyspark`), PostgreSQL where `PQL_TEST_POSTGRES` is a connection string.
"""

import json
import os
from datetime import datetime

from pql.api import Store
from pql.types import ListType, MapType, ObjectType

SCALARS = {"boolean": "boolean", "integer": "bigint", "number": "numeric(18,6)", "double": "double precision", "string": "text",
           "date": "date", "date-time": "timestamp"}  # fmt: skip


def to_parquet(store: Store, folder) -> None:
    for name in ("profile", "event"):
        store.connection.execute(f"COPY {name} TO '{folder}/{name}.parquet' (FORMAT parquet)")


class ClickHouse:
    def __init__(self, store: Store, folder) -> None:
        from chdb.session import Session

        to_parquet(store, folder)
        self.session = Session()
        for name in ("profile", "event"):
            self.session.query(
                f"CREATE TABLE {name} ENGINE = Memory AS SELECT * FROM file('{folder}/{name}.parquet', Parquet)"
            )

    def members(self, sql: str, now: datetime) -> list[int]:
        text = self.session.query(sql, "TSV", params={"now": now.isoformat(sep=" ")})
        return sorted(int(line) for line in str(text).splitlines())

    def values(self, sql: str) -> list:
        rows = str(self.session.query(sql + " SETTINGS join_use_nulls = 1", "JSONCompactEachRow")).splitlines()
        return [json.loads(row)[0] for row in rows]


class Spark:
    def __init__(self, store: Store, folder) -> None:
        from pyspark.sql import SparkSession

        to_parquet(store, folder)
        builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        for name in ("profile", "event"):
            self.session.read.parquet(f"{folder}/{name}.parquet").cache().createOrReplaceTempView(name)

    def members(self, sql: str, now: datetime) -> list[int]:
        args = {"now": now.isoformat(sep=" ")} if ":now" in sql else {}
        return sorted(row[0] for row in self.session.sql(sql, args=args).collect())

    def values(self, sql: str) -> list:
        return [row[0] for row in self.session.sql(sql).collect()]


class Postgres:
    def __init__(self, store: Store, folder) -> None:
        import psycopg

        self.connection = psycopg.connect(os.environ["PQL_TEST_POSTGRES"], autocommit=True)
        self.cursor = psycopg.RawCursor(self.connection)
        self.types = 0
        self.run("DROP SCHEMA IF EXISTS pql_test CASCADE")
        self.run("CREATE SCHEMA pql_test")
        self.run("SET search_path TO pql_test, pg_catalog")
        profile = {n: f.type for n, f in store.schema.profile.fields.items() if n != "xEvent"}
        event = {n: f.type for n, f in store.schema.event.fields.items()}
        self._fill(store, "profile", {"_pid": None}, profile)
        self._fill(store, "event", {"_pid": None, "_seq": None}, event)

    def run(self, sql: str) -> None:
        self.connection.execute(sql)

    def type(self, kind) -> str:
        if kind is None:
            return "bigint"
        if isinstance(kind, ListType):
            return self.type(kind.element) + "[]"
        if isinstance(kind, MapType):
            return "jsonb"
        if isinstance(kind, ObjectType):
            fields = ", ".join(f'"{n}" {self.type(f.type)}' for n, f in kind.fields.items())
            self.types += 1
            self.run(f"CREATE TYPE t{self.types} AS ({fields})")
            return f"t{self.types}"
        return SCALARS[kind.name]

    def literal(self, value, kind, name: str) -> str:
        if value is None:
            return "NULL"
        if isinstance(kind, ListType):
            inner = name.removesuffix("[]")
            return f"ARRAY[{', '.join(self.literal(v, kind.element, inner) for v in value)}]::{name}"
        if isinstance(kind, MapType):
            return "'" + json.dumps(value, default=str).replace("'", "''") + "'::jsonb"
        if isinstance(kind, ObjectType):
            parts = ", ".join(
                self.literal(value.get(n), f.type, self.named[id(kind)][n]) for n, f in kind.fields.items()
            )
            return f"ROW({parts})::{name}"
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        return str(value) if isinstance(value, int | bool) or kind is None else f"'{value}'"

    def _fill(self, store: Store, table: str, keys: dict, columns: dict) -> None:
        self.named: dict = {}
        kinds = {**keys, **columns}
        names = {n: self._declare(k) for n, k in kinds.items()}
        self.run(f"CREATE TABLE {table} ({', '.join(f'{chr(34)}{n}{chr(34)} {t}' for n, t in names.items())})")
        chosen = ", ".join(f'"{n}"' for n in kinds)
        for row in store.connection.execute(f"SELECT {chosen} FROM {table}").fetchall():
            values = ", ".join(self.literal(v, kinds[n], names[n]) for n, v in zip(kinds, row, strict=True))
            self.run(f"INSERT INTO {table} VALUES ({values})")

    def _declare(self, kind) -> str:
        """The type, remembering the names of the parts of objects."""
        if isinstance(kind, ListType):
            return self._declare(kind.element) + "[]"
        if not isinstance(kind, ObjectType):
            return self.type(kind)
        parts = {n: self._declare(f.type) for n, f in kind.fields.items()}
        self.named[id(kind)] = parts
        self.types += 1
        self.run(f"CREATE TYPE t{self.types} AS ({', '.join(f'{chr(34)}{n}{chr(34)} {t}' for n, t in parts.items())})")
        return f"t{self.types}"

    def members(self, sql: str, now: datetime) -> list[int]:
        self.cursor.execute(sql, [now] if "$1" in sql else None)
        return sorted(row[0] for row in self.cursor.fetchall())

    def values(self, sql: str) -> list:
        return [row[0] for row in self.connection.execute(sql).fetchall()]


ENGINES = {"clickhouse": ("chdb", ClickHouse), "spark": ("pyspark", Spark), "postgres": ("psycopg", Postgres)}
