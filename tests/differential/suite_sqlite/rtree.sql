CREATE VIRTUAL TABLE box USING rtree(id, minx, maxx, miny, maxy, +label TEXT);
INSERT INTO box VALUES (1, 0, 10, 0, 10, 'a'), (2, 5, 6, 5, 6, 'b'), (3, -100.5, -99.25, 0, 0.1, NULL);
SELECT * FROM box ORDER BY id;
SELECT id, label FROM box WHERE minx <= 5.5 AND maxx >= 5.5 AND miny <= 5.5 AND maxy >= 5.5 ORDER BY id;
UPDATE box SET label = 'c', maxx = 20 WHERE id = 2;
DELETE FROM box WHERE id = 1;
INSERT INTO box VALUES (4, 10, 0, 0, 0, 'backwards');
INSERT INTO box VALUES (2, 0, 1, 0, 1, 'again');
INSERT OR REPLACE INTO box VALUES (2, 0, 1, 0, 1, 'again');
SELECT id, minx, maxx, label, typeof(minx) FROM box ORDER BY id;
SELECT rtreecheck('box');
CREATE VIRTUAL TABLE grid USING rtree_i32(id, x0, x1);
INSERT INTO grid VALUES (NULL, 1, 2), (NULL, -2147483648, 2147483647);
SELECT * FROM grid WHERE x0 < 2 ORDER BY id;
SELECT rtreedepth(data) FROM box_node WHERE nodeno = 1;
-- A table with the triggers that keep an index of it.
CREATE TABLE place (id INTEGER PRIMARY KEY, x REAL, y REAL);
CREATE VIRTUAL TABLE place_index USING rtree(id, x0, x1, y0, y1);
CREATE TRIGGER place_ai AFTER INSERT ON place BEGIN
  INSERT INTO place_index VALUES (new.id, new.x, new.x, new.y, new.y);
END;
CREATE TRIGGER place_ad AFTER DELETE ON place BEGIN DELETE FROM place_index WHERE id = old.id; END;
INSERT INTO place (x, y) VALUES (1.5, 2.5), (3, 4), (1.1, 1.2);
DELETE FROM place WHERE x = 3;
SELECT p.* FROM place p JOIN place_index i ON p.id = i.id WHERE i.x0 >= 1.4;
