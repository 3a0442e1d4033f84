-- Texts in double quotes, which SQLite takes for names first.
CREATE TABLE q (a TEXT, b INTEGER DEFAULT "five", c TEXT CHECK (c <> "bad"));
INSERT INTO q (a) VALUES ("double");
INSERT INTO q VALUES ("a", "b", "c");
INSERT INTO q VALUES ("x", 1, "bad");
SELECT a, b, c FROM q ORDER BY rowid;
SELECT "a", "missing", 'a' FROM q ORDER BY rowid;
SELECT a FROM q WHERE a = "double";
SELECT a FROM q WHERE "a" = 'double';
SELECT a FROM q WHERE a IN ("double", "x");
UPDATE q SET c = "set" WHERE a = "double";
DELETE FROM q WHERE a = "nobody";
CREATE INDEX q_odd ON q ("a");
CREATE INDEX q_text ON q ("no such column");
SELECT "it""s", 'it''s', "";
CREATE VIEW qv AS SELECT "literal" AS l, a FROM q;
SELECT * FROM qv;
SELECT count(*) AS "n", 'x' "y" FROM q;
SELECT strftime("%Y", '2024-01-01'), json_extract('{"a": 1}', "$.a");
