SELECT date('2024-02-29'), time('12:34:56.789'), datetime('2024-02-29 12:34:56'), julianday('2024-02-29'), unixepoch('2024-02-29'), strftime('%Y-%m-%d %H:%M:%f %j %w %W %s %J', '2024-02-29 12:34:56.789');
SELECT date('2024-01-31', '+1 month'), date('2024-02-29', '+1 year'), date('2024-03-15', 'start of month', '-1 day'), date('2024-03-15', 'weekday 0'), datetime('2024-01-01', '+36 hours', '-1.5 seconds'), time('00:00', '-1 minutes');
SELECT datetime(0, 'unixepoch'), datetime(1e9, 'unixepoch'), datetime(2460000.5), datetime(1700000000, 'auto'), datetime(2460000.5, 'auto'), date(-1, 'unixepoch');
SELECT date('2024-02-30'), date('nonsense'), date('2024-13-01'), date(NULL), datetime('2024-01-01T00:00:00Z'), datetime('2024-01-01 00:00:00+02:00'), datetime('9999-12-31 23:59:59', '+1 second'), date('0000-01-01'), date('-0001-01-01');
SELECT strftime('%Q', '2024-01-01'), strftime('%d', '2024-01-01'), strftime('100%%', '2024-01-01'), julianday('12:00'), date(2460000), date('2024-060');
CREATE TABLE stamps (id INTEGER PRIMARY KEY, ts TIMESTAMP, dt DATETIME, d DATE, t TIME, plain TEXT);
INSERT INTO stamps VALUES (1, '2024-01-01 00:00:00', '2024-01-01T00:00:00Z', '2024-01-01', '12:00:00', '2024-01-01 00:00:00'),
  (2, '2024-01-01 00:00:00+02:00', '2024-01-01T12:34:56.789+00:00', '2024-02-30', '12:00', NULL),
  (3, 1704067200, 1704067200.5, 20240101, 43200, NULL), (4, '2024-01-01', 'now and then', '', '24:00:00', NULL),
  (5, '1969-12-31 23:59:59.999999999', '0001-01-01 00:00:00', '9999-12-31', '23:59:59.123456789', NULL),
  (6, '2024-01-01 00:00', '2024-1-1 0:0:0', '2024-1-1', '1:2:3', NULL);
SELECT * FROM stamps ORDER BY id;
SELECT id, date(ts), datetime(dt), strftime('%s', d) FROM stamps ORDER BY id;
SELECT id FROM stamps WHERE ts = '2024-01-01 00:00:00' OR dt = '2024-01-01T00:00:00Z' ORDER BY id;
SELECT id FROM stamps WHERE ts < '2024' ORDER BY id;
SELECT max(ts), min(d), count(t) FROM stamps;
SELECT datetime('now') IS NOT NULL, typeof(CURRENT_TIMESTAMP), length(CURRENT_DATE), length(CURRENT_TIME);
CREATE TABLE made (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP);
INSERT INTO made (id, at) VALUES (1, '2024-01-01 00:00:00');
SELECT * FROM made;
