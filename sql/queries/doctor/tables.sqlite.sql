-- SQLite writes over freed pages; what is free in the file stands here as dead.
SELECT 'database' AS name, (SELECT page_count FROM pragma_page_count) AS live,
  (SELECT freelist_count FROM pragma_freelist_count) AS dead,
  (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS bytes
