-- What SQLite stores, whatever a column is declared to be.
CREATE TABLE kinds (
  id INTEGER PRIMARY KEY, b BOOLEAN, i INTEGER, big BIGINT, r REAL, d DOUBLE PRECISION, t TEXT,
  v VARCHAR(20), n NUMERIC, dec DECIMAL(10, 2), bl BLOB, ts TIMESTAMP, dt DATE, tm TIME,
  iv INTERVAL, u UUID, j JSON, missing
);
INSERT INTO kinds VALUES (1, 1, 1, 9223372036854775807, 1, 0.1, 'one', 'un', 1, 1.5, x'00ff',
  '2024-02-29 12:34:56', '2024-02-29', '23:59:59.5', 'P1DT2H', '123e4567-e89b-12d3-a456-426614174000',
  '{"a": [1, 2.50]}', 1);
INSERT INTO kinds VALUES (2, 0, -1, -9223372036854775808, -0.0, 1e308, '', '', '12', '12.50', x'',
  '2024-01-01T00:00:00Z', '0001-01-01', '00:00:00', 'P0D', 'not a uuid', 'not json', '1');
INSERT INTO kinds (id) VALUES (3);
INSERT INTO kinds VALUES (4, 2, 'text', 1.5, 'text', x'01', 1, 1.0, 'text', 'text', 'text',
  'no time', 20240229, 12, 1, 1, 17, x'0102');
INSERT INTO kinds VALUES (5, 'true', '17', '9223372036854775808', '1e3', '0x10', 12345678901234567890,
  'é世界🌍', '1e2', '00123', 'abc', '2024-01-01 00:00:00.123456789', '2024-02-30', '25:00', '', '', '', 1.0);
SELECT * FROM kinds ORDER BY id;
SELECT id, typeof(b), typeof(i), typeof(big), typeof(r), typeof(d), typeof(t), typeof(v), typeof(n),
  typeof(dec), typeof(bl), typeof(ts), typeof(dt), typeof(tm), typeof(iv), typeof(u), typeof(j),
  typeof(missing) FROM kinds ORDER BY id;
SELECT b, dec, ts FROM kinds WHERE id = 2;
SELECT max(b), min(dec), count(ts), coalesce(dt, 'x') FROM kinds;
UPDATE kinds SET i = i + 1, r = r * 2 WHERE typeof(i) = 'integer';
SELECT i, r FROM kinds ORDER BY id;
-- Integers at their edges.
SELECT 9223372036854775807, -9223372036854775808, 9223372036854775808, 0x7fffffffffffffff, 0xffffffffffffffff;
SELECT 9223372036854775807 + 1, -9223372036854775808 - 1, 9223372036854775807 * 2, -(-9223372036854775808);
SELECT abs(-9223372036854775808);
SELECT 9223372036854775807 / -1, -9223372036854775808 / -1, -9223372036854775808 % -1, 5 / 0, 5 % 0, 5.0 / 0;
SELECT 1 << 63, 1 << 64, -1 >> 63, -1 >> 64, 1 << -1, ~0, 6 & 3, 6 | 3;
SELECT sum(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1);
SELECT total(x), avg(x) FROM (SELECT 9223372036854775807 AS x UNION ALL SELECT 1);
-- Reals at their edges.
SELECT 1.7976931348623157e308, 2.2250738585072014e-308, 4.9e-324, -4.9e-324, 1e-400, 1e400, -1e400;
SELECT 0.1 + 0.2, 1e15, 1e16, 123456789012345678, 1234567890123456789.0, 0.1, 1/3.0, -0.0, 0.0;
SELECT 9007199254740993, 9007199254740993.0, CAST(9007199254740993 AS REAL), CAST(9007199254740993.0 AS INTEGER);
SELECT 1e400 - 1e400, 1e400 * 0, typeof(1e400), typeof(1e400 - 1e400);
SELECT round(2.5), round(-2.5), round(1.005, 2), round(1e300, 5), round(123.456, -1);
CREATE TABLE reals (r REAL, n NUMERIC, x);
INSERT INTO reals VALUES (9007199254740992, 9007199254740992, 9007199254740992), (-0.0, -0.0, -0.0),
  (1e308 * 10, 1e308 * 10, 1e308 * 10), (1, 1.0, 1.0), ('0.1', '0.1', '0.1'), (0.30000000000000004, 1e20, 1e-20);
SELECT r, n, x, typeof(r), typeof(n), typeof(x) FROM reals ORDER BY rowid;
-- Casts.
SELECT CAST('12abc' AS INTEGER), CAST('abc' AS INTEGER), CAST('1e3' AS INTEGER), CAST('1e3' AS NUMERIC),
  CAST(12.9 AS INTEGER), CAST(-12.9 AS INTEGER), CAST(1e300 AS INTEGER), CAST(x'3132' AS TEXT),
  CAST(x'3132' AS INTEGER), CAST(12 AS BLOB), CAST(NULL AS TEXT), CAST('  12  ' AS REAL), CAST('0x10' AS INTEGER);
SELECT CAST('9223372036854775808' AS INTEGER), CAST('-9223372036854775809' AS INTEGER), CAST('1.0' AS NUMERIC);
-- Comparisons between types.
SELECT 1 = 1.0, 1 = '1', '1' = 1, x'31' = '1', NULL = NULL, NULL IS NULL, 1 < 'a', 'a' < x'00', '' < x'';
SELECT i FROM kinds WHERE t = 1 ORDER BY id;
SELECT id FROM kinds WHERE n = '12' OR t = 1 OR missing = '1' ORDER BY id;
-- Blobs.
SELECT x'', x'00', zeroblob(4), length(zeroblob(1000)), hex(x'0aff'), x'00' || x'01', substr(x'010203', 2, 1), quote(x'00ff');
SELECT length(x'0001'), typeof(x'00' || x'01'), CAST('a' || char(0) || 'b' AS BLOB), length('a' || char(0) || 'b');
SELECT 'a' || char(0) || 'b', hex('a' || char(0) || 'b');
SELECT length(randomblob(16)), typeof(random());
-- What cannot travel.
SELECT CAST(x'ff' AS TEXT);
SELECT length(zeroblob(70000000));
SELECT random(), randomblob(4), CURRENT_TIMESTAMP, datetime('now');
CREATE TABLE chance (r INTEGER DEFAULT (random()), b BLOB);
INSERT INTO chance VALUES (random(), randomblob(10));
SELECT typeof(r), length(b) FROM chance;
