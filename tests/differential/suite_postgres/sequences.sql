-- Numbers that a session has in advance.
CREATE SEQUENCE tens CACHE 10;
SELECT nextval('tens');
SELECT nextval('tens');
SELECT nextval('tens');
DROP SEQUENCE tens;
