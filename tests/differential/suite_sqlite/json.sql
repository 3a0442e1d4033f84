CREATE TABLE doc (id INTEGER PRIMARY KEY, body JSON);
INSERT INTO doc VALUES (1, '{"name": "a", "tags": ["x", "y"], "n": 1, "f": 1.50, "z": null, "b": true}'), (2, '[1, 2.0, "three", {"four": 4}]'), (3, '"text"'), (4, NULL), (5, '17'), (6, '1.0');
SELECT id, body FROM doc ORDER BY id;
SELECT json(body), json_valid(body), json_type(body) FROM doc WHERE id < 4 ORDER BY id;
SELECT body -> '$.name', body ->> '$.name', body ->> 'n', body -> 'tags', body ->> '$.f', body ->> '$.z', body ->> '$.b', json_extract(body, '$.tags[1]', '$.n') FROM doc WHERE id = 1;
SELECT json_extract(body, '$[0]'), typeof(json_extract(body, '$[1]')), json_extract(body, '$[3].four'), json_array_length(body), json_extract(body, '$[#-1]') FROM doc WHERE id = 2;
SELECT key, value, type, atom, fullkey, path FROM doc, json_each(doc.body) WHERE doc.id <= 2 ORDER BY doc.id, json_each.id;
SELECT fullkey, atom FROM json_tree('{"a": [1, {"b": 2}]}') WHERE atom IS NOT NULL;
SELECT json_object('a', 1, 'b', json('[1]'), 'c', NULL), json_array(1, 'x', NULL, 2.5, json('{}')), json_quote('it"s'), json_quote(1.5);
SELECT json_set('{"a": 1}', '$.b', 2, '$.a', 'x'), json_insert('{"a": 1}', '$.a', 2, '$.c', 3), json_replace('{"a": 1}', '$.a', 2, '$.c', 3), json_remove('{"a": 1, "b": 2}', '$.a'), json_patch('{"a": 1}', '{"a": null, "b": 2}');
SELECT json_group_array(id), json_group_object(id, json_type(body)) FROM doc;
SELECT json('{bad'), json_valid('{bad');
SELECT json_extract('{bad', '$.a');
SELECT json_extract('{}', 'no path');
SELECT json_array(x'00');
SELECT json_extract('{"a": 9223372036854775807, "b": 9223372036854775808, "c": 1e400}', '$.a', '$.b', '$.c');
-- Columns, indexes and checks that are made of JSON.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  data TEXT NOT NULL CHECK (json_valid(data)),
  kind TEXT GENERATED ALWAYS AS (json_extract(data, '$.kind')) VIRTUAL,
  size INTEGER AS (data ->> 'size') STORED
);
CREATE INDEX event_kind ON event (kind);
CREATE INDEX event_when ON event (json_extract(data, '$.when'));
INSERT INTO event (data) VALUES ('{"kind": "a", "size": 3, "when": "2024"}'), ('{"kind": "b", "size": "4"}');
INSERT INTO event (data) VALUES ('not json');
SELECT id, kind, size, typeof(size) FROM event WHERE kind = 'a';
SELECT id FROM event WHERE json_extract(data, '$.when') = '2024';
SELECT * FROM event ORDER BY id;
CREATE VIEW event_tags AS SELECT event.id, j.key, j.value FROM event, json_each(event.data) j;
SELECT * FROM event_tags ORDER BY id, key;
CREATE TABLE defaults (id INTEGER PRIMARY KEY, d TEXT DEFAULT (json_array(1, 2)), p TEXT DEFAULT (printf('%03d', 7)));
INSERT INTO defaults (id) VALUES (1) RETURNING *;
CREATE TRIGGER event_log AFTER UPDATE ON event BEGIN UPDATE defaults SET d = json_insert(d, '$[#]', new.id); END;
UPDATE event SET data = json_set(data, '$.size', 9) WHERE id = 2;
SELECT * FROM defaults;
SELECT kind, size FROM event ORDER BY id;
ALTER TABLE event ADD COLUMN extra TEXT AS (json_extract(data, '$.extra'));
SELECT id, extra FROM event ORDER BY id;
