"""What a database's error means: two transactions met, it is away or full, an answer was lost."""

from __future__ import annotations

import sqlite3

import pymysql
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolExhausted

DATABASE_ERRORS = (DBAPIError, PoolExhausted, pymysql.MySQLError, sqlite3.Error)
_DUPLICATE = 1062
_MET = {1205, 1213, 1020}
_REFUSED = {1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 2002, 2003, 2005, 2006, 2026}
"""It did not take the statement: too many connections, a wrong password, nobody there."""
_LOST = {1053, 1158, 1159, 1160, 1161, 1180, 1317, 1927, 1969, 2013, 2014, 2055}
"""It ended the connection or the statement; whether a commit was carried out is not said."""
_FULL = {3, 1021, 1026, 1030, 1037, 1041, 1114, 1290, 1792, 1836}
"""It has no room left to write, or may only be read."""
_SQLITE_AWAY = ("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_LOCKED")
_SQLITE_FULL = ("SQLITE_FULL", "SQLITE_READONLY")


def may_repeat(error: BaseException) -> bool:
    """Whether two transactions met and the second may simply try again."""
    text = str(getattr(error, "orig", error))
    if isinstance(error, IntegrityError | sqlite3.IntegrityError | pymysql.err.IntegrityError):
        # Two writers inserted the same key: the second sees the first's row on its next try.
        return _number(error) == _DUPLICATE or "UNIQUE" in text
    return _number(error) in _MET or "database is locked" in text


def is_away(error: BaseException) -> bool:
    """Whether the database does not answer."""
    if isinstance(error, PoolExhausted):
        return True
    cause = getattr(error, "orig", error)
    if isinstance(cause, sqlite3.Error):
        return _name(cause).startswith(_SQLITE_AWAY)
    if isinstance(cause, pymysql.err.InterfaceError) or _is_garbled(cause):
        return True
    known = isinstance(cause, pymysql.MySQLError)
    return known and _number(cause) in _REFUSED | _LOST


def is_full(error: BaseException) -> bool:
    """Whether the database has no room left, or may only be read; nothing was written then."""
    cause = getattr(error, "orig", error)
    if isinstance(cause, sqlite3.Error):
        return _name(cause).startswith(_SQLITE_FULL)
    return isinstance(cause, pymysql.MySQLError) and _number(cause) in _FULL


def is_lost(error: BaseException) -> bool:
    """Whether what was sent may have been carried out although this error came back."""
    cause = getattr(error, "orig", error)
    if isinstance(cause, pymysql.err.InterfaceError):
        return False  # the driver knew that the connection was closed
    known = isinstance(cause, pymysql.MySQLError)
    return _is_garbled(cause) or (known and _number(cause) in _LOST)


def _is_garbled(cause: object) -> bool:
    """The driver could not make sense of an answer; its error has no number then."""
    return isinstance(cause, pymysql.err.InternalError) and _number(cause) is None


def _name(cause: sqlite3.Error) -> str:
    return str(getattr(cause, "sqlite_errorname", ""))


def _number(error: object) -> int | None:
    args = getattr(getattr(error, "orig", error), "args", ())
    return args[0] if args and isinstance(args[0], int) else None
