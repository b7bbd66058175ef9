"""The connector ``sql``: one query of a database the operator has named, which it cannot change."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from api.connectors.environment import Environment
from engine.domain.connector import Call, ConnectorFailed, Description, Setting

LONGEST_SECONDS = 60
MOST_ROWS = 1_000
DRIVERS = frozenset({"sqlite", "mysql+pymysql", "mariadb+pymysql"})
_TOO_SLOW = frozenset({1969, 3024, 2013, 1317})
_BUSY = frozenset({1040, 1205, 1213, 2002, 2003, 2006})
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`")
_STEPS = 10_000
"""Instructions of SQLite between two looks at the clock."""

DESCRIPTION = Description(
    "sql",
    {"zh-CN": "查询数据库", "en": "Query a database"},
    (
        Setting("database", "name", required=True, literal=True),
        Setting("statement", required=True, literal=True),
        Setting("parameter.*", "any"),
        Setting("max_rows", "number", literal=True, least=1, most=MOST_ROWS),
        Setting("timeout", "number", literal=True, least=1, most=LONGEST_SECONDS),
        Setting("result_format", "choice", literal=True, choices=("rows", "row", "value")),
    ),
)


class SqlConnector:
    """Runs one SELECT; its rows are the result."""

    description = DESCRIPTION

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def run(self, call: Call) -> Any:
        statement = checked(call.text("statement"))
        shape = call.text("result_format", "rows")
        most = int(call.number("max_rows", 100)) if shape == "rows" else 1
        url = self._url(call.text("database"))
        with (
            _opened(url, call.number("timeout", 10), most + 1) as connection,
            connection.execute(text(statement), _bound(call)) as result,
        ):
            names = list(result.keys())
            found = result.fetchmany(most + 1)
        if len(found) > most:
            raise ConnectorFailed(f"more than {most} rows", kinds=["too_many"])
        rows = [dict(zip(names, (_plain(each) for each in row), strict=True)) for row in found]
        if shape == "rows":
            return rows
        if not rows:
            if "empty" in call.errors:
                raise ConnectorFailed("no row", kinds=["empty"])
            return None
        return rows[0] if shape == "row" else next(iter(rows[0].values()))

    def _url(self, name: str) -> URL:
        try:
            url = make_url(self._environment.database(name))
        except ArgumentError as error:
            raise ConnectorFailed(f"the address of {name} cannot be read") from error
        if url.drivername not in DRIVERS:
            raise ConnectorFailed(f"databases of the kind {url.drivername} are not queried")
        return url


def checked(statement: str) -> str:
    """The statement, if it is one query. Raises ConnectorFailed.

    This tells a designer early; what keeps the database unchanged is the transaction.
    """
    bare = statement.strip().rstrip(";").strip()
    words = _QUOTED.sub("''", bare)
    if not re.match(r"(select|with)\b", words, re.IGNORECASE):
        raise ConnectorFailed("the statement has to be a SELECT")
    if ";" in words or "/*" in words or "--" in words:
        raise ConnectorFailed("the statement has to be one, without comments")
    if re.search(r"\binto\b|\bfor\s+(update|share)\b|\block\s+in\b", words, re.IGNORECASE):
        raise ConnectorFailed("the statement may only read")
    return bare


def _bound(call: Call) -> dict[str, Any]:
    bound = call.group("parameter.")
    for name, value in bound.items():
        if isinstance(value, dict | list):
            raise ConnectorFailed(f"the parameter {name} has to be one value")
    return bound


@contextmanager
def _opened(url: URL, seconds: float, most: int) -> Iterator[Connection]:
    """A connection that only reads, for `seconds`."""
    engine = _sqlite(url, seconds) if url.drivername == "sqlite" else _mysql(url, seconds, most)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise _failure(error) from error
    except SQLAlchemyError as error:
        raise ConnectorFailed(f"the query cannot be run: {error}"[:500]) from error
    finally:
        engine.dispose()


def _sqlite(url: URL, seconds: float) -> Engine:
    deadline = time.monotonic() + seconds
    file = url.database or ""
    engine = create_engine(
        URL.create("sqlite", database=f"file:{quote(file)}", query={"mode": "ro", "uri": "true"}),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": min(seconds, 5.0)},
    )

    def prepare(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA query_only=ON")
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)

    event.listen(engine, "connect", prepare)
    return engine


def _mysql(url: URL, seconds: float, most: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        execution_options={"stream_results": True, "max_row_buffer": 100},
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": max(1, int(min(seconds, 5))),
            "read_timeout": int(seconds) + 2,
            "write_timeout": int(seconds) + 2,
        },
    )

    def prepare(connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            # What is not fetched would be read to its end when the connection is closed.
            cursor.execute("SET SESSION sql_select_limit = %s", (most,))
            if "mariadb" in str(connection.server_version).lower():
                cursor.execute("SET SESSION max_statement_time = %s", (seconds,))
            else:
                cursor.execute("SET SESSION max_execution_time = %s", (int(seconds * 1000),))

    event.listen(engine, "connect", prepare)
    return engine


def _failure(error: DBAPIError) -> ConnectorFailed:
    """Without the statement's parameters: they are people's data."""
    args = getattr(error.orig, "args", ())
    number = args[0] if args and isinstance(args[0], int) else 0
    words = str(args[-1] if args else error.orig)[:300]
    if number in _TOO_SLOW or "interrupted" in words:
        return ConnectorFailed("the query takes too long", kinds=["timeout"], again=True)
    away = number in _BUSY or "locked" in words
    kinds = ["unreachable"] if away else []
    return ConnectorFailed(f"the database said: {words}", kinds=kinds, again=away)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | time_of_day):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            raise ConnectorFailed("a column holds bytes that are no text") from None
    return str(value)
