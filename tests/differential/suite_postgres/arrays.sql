-- Arrays: elements of each kind, what has to be quoted, dimensions.
SELECT ARRAY[1, NULL, 3], ARRAY[]::int[], '{}'::text[], NULL::int[];
SELECT ARRAY['a', '', 'NULL', NULL, 'x,y', '{z}', 'qu"ote', E'back\\slash', ' sp ', E'new\nline'];
SELECT ARRAY[[1, 2], [3, 4]], ARRAY[[['a']], [['b']]], '{{1,NULL},{NULL,4}}'::int[];
SELECT ARRAY[true, false, NULL], ARRAY[1.50, 'NaN', -0.1], ARRAY[0.1::real, 1e20], ARRAY['Infinity'::float8, 5e-324];
SELECT ARRAY['\x00ff'::bytea, '\x'], ARRAY['{"a": [1, "b"]}'::jsonb], ARRAY['{"a": "q\"uote"}'::json];
SELECT ARRAY[timestamptz '2024-01-31 12:00+02', 'infinity', NULL], ARRAY[timestamp '0001-01-01 00:00 BC'];
SELECT ARRAY[date '2024-02-29', '-infinity'], ARRAY[time '12:00', '23:59:59.999999'], ARRAY[interval '1 day 2 hours'];
SELECT ARRAY['123e4567-e89b-12d3-a456-426614174000'::uuid], ARRAY[int4range(1, 5), 'empty'], ARRAY[point '(1,2)'];
SELECT '[2:3]={7,8}'::int[], '[0:0][-1:0]={{1,2}}'::int[];
SELECT ARRAY[ROW(1, 'a b'), NULL], ARRAY['a'::"char", 'b'], ARRAY['x'::name], ARRAY['ab'::char(3)];
SELECT array_agg(g) FROM generate_series(1, 2000) AS g;
SELECT unnest(ARRAY['a', NULL, 'c']) WITH ORDINALITY;
SELECT * FROM unnest(ARRAY['a', NULL, 'c'], ARRAY[1, 2]) AS u(x, y);
SELECT string_to_array('a,b,,d', ',', ''), regexp_split_to_array('a1b22c', '\d+'), array_fill(7, ARRAY[2, 3]);
