"""However a SQL Server is named, it ends as one URL; what cannot be done here is refused in one line."""

from pathlib import Path

import pytest

from batchanator.settings.database import normal_url, sqlserver_connection_url
from batchanator.store.odbc import connection_string

SEED = "Server=localhost;Database=Batchanator;User Id=sa;Password=yourpassword;TrustServerCertificate=True"
WORDS = [
    (
        SEED,
        "mssql://sa:yourpassword@localhost/Batchanator?trust_server_certificate=yes&encrypt=yes",
    ),
    ("Server=tcp:db,1433;Initial Catalog=d;UID=u;PWD=p", "mssql://u:p@db:1433/d?encrypt=yes"),
    (
        "data source=DB\\SQLEXPRESS;database=d;Integrated Security=SSPI",
        "mssql://DB/d?instance=SQLEXPRESS&trusted_connection=yes&encrypt=yes",
    ),
    (
        "Server=.;Database=d;Trusted_Connection=True;MultipleActiveResultSets=true;Encrypt=False",
        "mssql://localhost/d?trusted_connection=yes&encrypt=no",
    ),
    ('Server=h;Database=d;User Id=u;Password="a;b""c"', "mssql://u:a%3Bb%22c@h/d?encrypt=yes"),
    ("Server=h;Database=d;User Id=u;Password={a;}}b}", "mssql://u:a%3B%7Db@h/d?encrypt=yes"),
    (
        "Server=h;Database=d;Encrypt=Strict;Trust Server Certificate=no",
        "mssql://h/d?trust_server_certificate=no&encrypt=strict",
    ),
    (
        "Server=h;Authentication=Active Directory Managed Identity;Database=d",
        "mssql://h/d?authentication=ActiveDirectoryMsi&encrypt=yes",
    ),
]
REFUSED = [
    ("Database=d", 'has no word "Server"'),
    ("Server=h;Datenbank=d", 'has the unknown word "Datenbank"; the nearest known one is "Database"'),
    ("Server=h;Password=can;ary=x", "has an unknown word after its password"),
    ("Server=h;AttachDbFilename=canary.mdf", 'has the word "AttachDbFilename", which attaches a file'),
    ("Server=h;Failover Partner=canary", 'has the word "Failover Partner"'),
    ("Server=np:\\\\h\\pipe;Database=d", "not reached over TCP"),
    ("Server=(localdb)\\MSSQLLocalDB;Database=d", "not reached over TCP"),
    ("Server=h,http;Database=d", "has a port that is not a number"),
    ("Server=h;Encrypt=canary", 'has an "Encrypt" that is none of'),
    ("Server=h;TrustServerCertificate=canary", "that is neither true nor false"),
    ("Server=h;ApplicationIntent=ReadOnly", "Batchanator writes"),
    ("Server=h;Authentication=canary", 'has an "Authentication" that is none of'),
    ("postgresql://h/d", "must look like mssql://"),
    ("just a text", "must be a mssql:// URL or words"),
]


@pytest.mark.parametrize(("words", "url"), WORDS)
def test_ado_nets_words_become_a_url(words: str, url: str) -> None:
    assert sqlserver_connection_url(words) == url
    assert normal_url(url, Path()) == url


@pytest.mark.parametrize(("words", "problem"), REFUSED)
def test_what_cannot_be_is_refused_by_its_word_and_without_its_value(words: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        sqlserver_connection_url(words)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "ary" not in str(caught.value).replace("binary", "")


def test_a_chosen_sql_server_reads_the_connection_string(load) -> None:
    settings = load(
        '{"Batchanator": {"DatabaseProvider": "SqlServer"}, "ConnectionStrings": {"DefaultConnection": "'
        + SEED
        + '"}}'
    )
    assert settings.database_url == WORDS[0][1]


def test_the_url_becomes_odbcs_words_with_every_value_in_braces() -> None:
    words = connection_string(
        "mssql://u:a%3Bb%7D@h:1500/d?encrypt=yes&trust_server_certificate=yes", "/lib/driver.so"
    )
    assert "PWD={a;b}}}" in words
    assert "SERVER={tcp:h,1500}" in words
    assert "Encrypt={yes}" in words
    assert "TrustServerCertificate={yes}" in words
