"""Databases on the server that `BATCHANATOR_TEST_SQLSERVER` names, one a test: `mssql://user:password@host:port/master`."""

import os
from contextlib import closing
from itertools import count
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from batchanator.store.odbc import connection_string, find_driver, pyodbc

VARIABLE = "BATCHANATOR_TEST_SQLSERVER"
_NUMBERS = count(1)


class SqlServer:
    """A server that runs already; what is made on it is dropped again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.emptied: str | None = None
        """A migrated database that many tests have, one after the other."""
        self._string = connection_string(url, find_driver(pyodbc().drivers()))

    @property
    def version(self) -> str:
        return str(self._all("SELECT @@VERSION")[0][0]).partition("\n")[0]

    @property
    def emulated(self) -> bool:
        """It speaks the protocol, and is not SQL Server itself."""
        return "Microsoft SQL Server" not in self.version

    def create_database(self) -> str:
        name = f"batchanator_{os.getpid()}_{next(_NUMBERS)}"
        self._all(f"CREATE DATABASE [{name}]")
        return self.url(name)

    def empty(self, url: str) -> None:
        """Take every row out of a migrated database: much sooner done than to make another one."""
        with closing(self._connect(connection_string(url, find_driver(pyodbc().drivers())))) as connection:
            names = {row[0] for row in connection.execute("SELECT name FROM sys.tables").fetchall()}
            for name in ("batches", "jobs", *sorted(names - {"batches", "jobs", "schema_migrations"})):
                connection.execute(f"DELETE FROM [{name}]")
            for name in ("job_types", "jobs", "pending_work", "actions"):
                connection.execute(f"DBCC CHECKIDENT ('{name}', RESEED, 1)")

    def drop_database(self, url: str) -> None:
        name = urlsplit(url).path[1:]
        if not self.emulated:
            self._all(f"ALTER DATABASE [{name}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        self._all(f"DROP DATABASE [{name}]")

    def url(self, database: str) -> str:
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{database}"))

    def _connect(self, string: str) -> Any:
        return pyodbc().connect(string, autocommit=True, timeout=30)

    def _all(self, statement: str) -> list[Any]:
        with closing(self._connect(self._string)) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
