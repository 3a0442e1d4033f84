CREATE VIRTUAL TABLE mail USING fts5(subject, body, tokenize = 'porter unicode61');
INSERT INTO mail (rowid, subject, body) VALUES (1, 'Hello world', 'running runners run'), (2, 'Grüße', 'Ärger über Öl'), (3, 'missing', 'here');
SELECT rowid, subject FROM mail WHERE mail MATCH 'run' ORDER BY rank;
SELECT rowid FROM mail WHERE mail MATCH 'subject:hello OR arger' ORDER BY rowid;
SELECT rowid, highlight(mail, 1, '<', '>'), snippet(mail, 1, '[', ']', '…', 4) FROM mail('run*');
SELECT rowid, round(bm25(mail), 4) FROM mail WHERE mail MATCH 'hello NEAR world';
SELECT rowid FROM mail WHERE mail MATCH '"hello world"';
SELECT rowid FROM mail WHERE mail MATCH 'hello AND';
UPDATE mail SET body = 'walking' WHERE rowid = 3;
DELETE FROM mail WHERE rowid = 1;
SELECT count(*) FROM mail WHERE mail MATCH 'walk';
INSERT INTO mail (mail) VALUES ('optimize');
INSERT INTO mail (mail) VALUES ('integrity-check');
INSERT INTO mail (mail) VALUES ('rebuild');
INSERT INTO mail (mail, rank) VALUES ('automerge', 8);
-- External content, kept by triggers, as SQLite's documentation has it.
CREATE TABLE post (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
CREATE VIRTUAL TABLE post_index USING fts5(title, body, content = 'post', content_rowid = 'id');
CREATE TRIGGER post_ai AFTER INSERT ON post BEGIN
  INSERT INTO post_index (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
CREATE TRIGGER post_ad AFTER DELETE ON post BEGIN
  INSERT INTO post_index (post_index, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
END;
CREATE TRIGGER post_au AFTER UPDATE ON post BEGIN
  INSERT INTO post_index (post_index, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
  INSERT INTO post_index (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
INSERT INTO post (title, body) VALUES ('first', 'the quick brown fox'), ('second', 'jumps over');
UPDATE post SET body = 'the slow red fox' WHERE id = 1;
DELETE FROM post WHERE id = 2;
SELECT rowid, title, body FROM post_index WHERE post_index MATCH 'fox';
SELECT rowid FROM post_index WHERE post_index MATCH 'quick OR jumps';
CREATE VIRTUAL TABLE words USING fts5vocab('mail', 'row');
SELECT term, doc, cnt FROM words ORDER BY term;
CREATE VIRTUAL TABLE trig USING fts5(t, tokenize = 'trigram');
INSERT INTO trig VALUES ('abcdef'), ('xbcdx');
SELECT t FROM trig WHERE t LIKE '%bcd%' ORDER BY rowid;
-- The older ones.
CREATE VIRTUAL TABLE old USING fts4(title, body, tokenize = unicode61);
INSERT INTO old (docid, title, body) VALUES (1, 'one', 'some words here'), (2, 'two', 'other words there');
SELECT docid, offsets(old), snippet(old) FROM old WHERE old MATCH 'words' ORDER BY docid;
SELECT docid, hex(matchinfo(old)) FROM old WHERE old MATCH 'body:some';
INSERT INTO old (old) VALUES ('optimize');
UPDATE old SET body = 'changed words' WHERE docid = 2;
SELECT docid FROM old WHERE body MATCH 'changed';
DELETE FROM old;
DROP TABLE old;
DROP TABLE words;
SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name;
-- The tables behind it are not for callers.
UPDATE mail_content SET c0 = 'x';
DROP TABLE mail_idx;
CREATE TABLE mail_stat (a);
INSERT INTO mail (mail) VALUES ('integrity-check');
CREATE VIRTUAL TABLE absent USING no_such_module(a);
SELECT * FROM absent;
CREATE VIRTUAL TABLE seg USING fts4(x);
BEGIN;
INSERT INTO seg VALUES ('a b');
INSERT INTO seg VALUES ('c d');
COMMIT;
SELECT x FROM seg WHERE seg MATCH 'c';
SELECT count(*) FROM seg_segdir;
CREATE VIRTUAL TABLE ranked USING fts5(x);
INSERT INTO ranked VALUES ('a b'), ('b a a');
SELECT rowid FROM ranked('a') ORDER BY rank;
INSERT INTO ranked(ranked, rank) VALUES ('rank', 'not_a_function()');
SELECT rowid FROM ranked('a') ORDER BY rank;
