-- SQLite has no dead rows that a reader keeps; the parameter is there to be the same.
SELECT '' AS kind, '' AS name, '' AS whose, '' AS state, 0.0 AS seconds WHERE :age IS NULL
