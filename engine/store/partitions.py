"""Tables split by month, on MySQL and MariaDB: a partition for each month of a row's key.

The keys begin with the instant at which they were made (UUID version 7), so a month is a range of
keys, and a row is found in its partition by its key alone. The month is that of the case, or of
the row itself where that has the key. Only tables without foreign keys can be split; those of
cases with foreign keys stay small, as closed cases are archived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from engine.domain.schedule import add_months

SPLIT: Mapping[str, str] = {"events": "case_id", "archived_cases": "case_id", "access_log": "id"}
"""The tables that grow for ever and have no foreign keys, with the key of each."""
REST = "later"
"""The partition of everything after the last month."""
_DIGITS = 12
"""Of the key's hexadecimal digits, those that are the milliseconds since 1970."""


@dataclass(frozen=True)
class Partition:
    """`below` is the first key that is too large for it; None for that of everything later."""

    name: str
    below: str | None

    @property
    def definition(self) -> str:
        limit = "MAXVALUE" if self.below is None else f"'{self.below}'"
        return f"PARTITION `{self.name}` VALUES LESS THAN ({limit})"


def partition_of(month: datetime) -> Partition:
    """The partition of the month (UTC) in which the instant `month` is."""
    first = month.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = add_months(first, 1)
    return Partition(f"m{first:%Y%m}", f"{int(end.timestamp() * 1000):0{_DIGITS}x}")


def known_partitions(connection: Connection, table: str) -> list[Partition]:
    """The partitions that the table has, in order; none if it is not split."""
    rows = connection.execute(
        text(
            "SELECT partition_name, partition_description FROM information_schema.partitions "
            "WHERE table_schema = DATABASE() AND table_name = :table "
            "AND partition_name IS NOT NULL ORDER BY partition_ordinal_position"
        ),
        {"table": table},
    )
    return [
        Partition(name, None if limit == "MAXVALUE" else str(limit).strip("'"))
        for name, limit in rows
    ]


def oldest_month(connection: Connection, table: str, now: datetime) -> datetime:
    """The month in which the table's smallest key was made; that of `now` if it has no rows."""
    key = SPLIT[table]
    found = connection.execute(text(f"SELECT MIN({key}) FROM {table}")).scalar()  # noqa: S608
    try:
        made = datetime.fromtimestamp(int(str(found)[:_DIGITS], 16) / 1000, UTC)
    except (ValueError, OverflowError):
        return now
    return min(made, now)


def split_statement(
    table: str, known: Sequence[Partition], oldest: datetime, now: datetime, months: int
) -> str | None:
    """The statement that gives `table` every partition until `months` after `now`.

    None if it has them. The first time all rows are copied, from the month `oldest` on.
    """
    limits = [each.below for each in known if each.below is not None]
    month, last = oldest.astimezone(UTC).replace(day=1), add_months(now.replace(day=1), months)
    wanted: list[Partition] = []
    while (month.year, month.month) <= (last.year, last.month):
        partition = partition_of(month)
        if not limits or str(partition.below) > limits[-1]:
            wanted.append(partition)
        month = add_months(month, 1)
    if not wanted:
        return None
    listed = ", ".join(each.definition for each in [*wanted, Partition(REST, None)])
    if not known:
        return f"ALTER TABLE `{table}` PARTITION BY RANGE COLUMNS(`{SPLIT[table]}`) ({listed})"
    return f"ALTER TABLE `{table}` REORGANIZE PARTITION `{REST}` INTO ({listed})"
