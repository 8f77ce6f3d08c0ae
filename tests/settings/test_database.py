"""However a database is named, it ends as one URL, with TLS verified where it leaves the machine."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchanator.settings.database import connection_url, normal_url

POSTGRES_URLS = [
    ("postgresql://localhost/d", "postgresql://localhost/d"),
    ("postgres://u@127.0.0.1:5433/d", "postgresql://u@127.0.0.1:5433/d"),
    ("postgresql+asyncpg://u:p@[::1]/d", "postgresql://u:p@[::1]/d"),
    ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=%2Frun%2Fpostgresql"),
    ("postgresql://u:p@ss/w#rd@localhost/d", "postgresql://u:p%40ss%2Fw%23rd@localhost/d"),
    ("postgresql://u:p%40ss@localhost/d", "postgresql://u:p%40ss@localhost/d"),
    (
        "postgresql://u:p@localhost/d?application_name=a@b",
        "postgresql://u:p@localhost/d?application_name=a%40b",
    ),
    ("postgresql://db.example.com/d", "postgresql://db.example.com/d?sslmode=verify-full"),
    ("postgresql://db.example.com/d?sslmode=disable", "postgresql://db.example.com/d?sslmode=disable"),
    ("postgresql://localhost,db2:5433/d", "postgresql://localhost,db2:5433/d?sslmode=verify-full"),
    ("postgresql:///d?host=db.example.com", "postgresql:///d?host=db.example.com&sslmode=verify-full"),
]

NPGSQL = [
    ("Host=localhost;Port=5433;Database=d;Username=u;Password=p", "postgresql://u:p@localhost:5433/d"),
    ("server = localhost ; user id = u ; DATABASE = a b ;", "postgresql://u@localhost/a%20b"),
    (
        'Host=localhost;Database=d;Username=u@x;Password="a;b\'c""=d"',
        "postgresql://u%40x:a%3Bb%27c%22%3Dd@localhost/d",
    ),
    ("Host=localhost;Database=d;Password='it''s %40'", "postgresql://:it%27s%20%2540@localhost/d"),
    ("Host=db;Database=d;SSL Mode=Require", "postgresql://db/d?sslmode=require"),
    (
        "Host=db;Database=d;SslMode=VerifyCA;Root Certificate=/ca.pem",
        "postgresql://db/d?sslmode=verify-ca&sslrootcert=%2Fca.pem",
    ),
    ("Host=db;Database=d", "postgresql://db/d?sslmode=verify-full"),
    ("Host=db;Database=d;Trust Server Certificate=true", "postgresql://db/d?sslmode=require"),
    ("Host=::1;Port=1;Database=d;Pooling=true;Maximum Pool Size=5", "postgresql://[::1]:1/d"),
    ("Host=/run/postgresql;Port=5433;Database=d", "postgresql:///d?host=%2Frun%2Fpostgresql&port=5433"),
    ("Host=localhost:1,127.0.0.1;Port=2;Database=d", "postgresql://localhost:1,127.0.0.1:2/d"),
    ("postgresql://localhost/d", "postgresql://localhost/d"),
]


@pytest.mark.parametrize(("url", "normal"), POSTGRES_URLS)
def test_a_postgres_url_has_one_form(url, normal):
    assert normal_url(url, Path("/here")) == normal
    assert normal_url(normal, Path("/here")) == normal


@pytest.mark.parametrize(("words", "url"), NPGSQL)
def test_npgsqls_words_become_a_url(words, url):
    assert connection_url(words) == url


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("Database=d", 'has no word "Host"'),
        ("Host=h;Database=d;Datenbank=x", 'unknown word "Datenbank"; the nearest known one is "Database"'),
        ("Host=h;Password=can;ary=x", "an unknown word after its password"),
        ("Host=h;Port=http", "has a port that is not a number"),
        ("Host=h;SSL Mode=Maybe", "must have an SSL Mode of Disable, Allow"),
        ("Host=h;Password='no end", "must be a postgresql:// URL or words"),
        ("just a text", "must be a postgresql:// URL or words"),
        ("mysql://h/d", "must look like postgresql://"),
        ("postgresql://h:99999/d", "has a port that is not a number"),
        ("postgresql://h/d?sslmode", "has a query that is not name=value"),
    ],
)
def test_a_connection_string_that_is_none_says_what_is_wrong_and_no_value(words, problem):
    with pytest.raises(ValueError, match=r".+") as caught:
        connection_url(words)
    assert problem in str(caught.value)
    assert "ary" not in str(caught.value)


@given(user=st.text(min_size=1), password=st.text(min_size=1), database=st.text(min_size=1))
def test_any_account_survives_the_way_into_a_url(user, password, database):
    user, password, database = (
        text.strip().replace("\0", "").encode(errors="ignore").decode() or "x"
        for text in (user, password, database)
    )
    words = ";".join(
        word + '="' + value.replace('"', '""') + '"'
        for word, value in {
            "Host": "localhost",
            "Database": database,
            "Username": user,
            "Password": password,
        }.items()
    )
    parts = urlsplit(connection_url(words))
    assert parts.hostname == "localhost"
    assert unquote(parts.path[1:]) == database
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (user, password)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///b.db", "/here/b.db"),
        ("sqlite:////data/b.db", "/data/b.db"),
        ("sqlite:///a b%20?#.db", "/here/a b%20?#.db"),
        ("sqlite+aiosqlite:///b.db", "/here/b.db"),
    ],
)
def test_a_sqlite_url_holds_its_path_as_it_is(url, path):
    assert normal_url(url, Path("/here")).removeprefix("sqlite:///") == path


def test_a_sqlite_url_without_a_path_is_refused():
    for url in ("sqlite:///", "sqlite://", "sqlite://b.db"):
        with pytest.raises(ValueError, match="must look like sqlite:///file"):
            normal_url(url, Path("/here"))


def test_a_postgres_url_as_connection_string_is_meant_unless_sqlite_is_chosen(load):
    strings = '"ConnectionStrings": {"DefaultConnection": "postgresql://localhost/d"}'
    assert load("{" + strings + "}").database_url == "postgresql://localhost/d"
    chosen = '{"Batchanator": {"DatabaseProvider": "Sqlite"}, ' + strings + "}"
    assert load(chosen).database_url.startswith("sqlite:///")
