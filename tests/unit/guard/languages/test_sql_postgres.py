from __future__ import annotations

import pytest

from cockpit.actions.command import Risk
from cockpit.guard.findings import riskiest
from cockpit.guard.languages.sql import judge_sql
from tests.helpers.risks import cases

QUERIES = cases(
    r"""
    R SELECT 1
    R select * from t where id = 5 limit 10;
    R SELECT version(), current_user, now()
    R SELECT pid, now() - query_start AS d, state, query FROM pg_stat_activity WHERE state <> 'idle' ORDER BY d DESC
    R SELECT relname, pg_size_pretty(pg_total_relation_size(relid)) FROM pg_stat_user_tables ORDER BY 2 DESC LIMIT 10
    R SELECT datname, age(datfrozenxid) FROM pg_database
    R SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity
    R SELECT slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots
    R SELECT client_addr, state, sent_lsn, replay_lag FROM pg_stat_replication
    R SELECT * FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 10
    R SELECT pg_is_in_recovery(), pg_last_xact_replay_timestamp()
    R SELECT count(*) FILTER (WHERE a), array_agg(x ORDER BY y) FROM t GROUP BY GROUPING SETS ((a), (b))
    R SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY z) FROM t
    R WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r
    R WITH x(a, b) AS (SELECT 1, 2) SELECT * FROM x
    R WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x
    R SELECT data->>'a', data #>> '{a,b}', data @> '{"x":1}' FROM t WHERE data ? 'k'
    R SELECT a::numeric(10,2), cast(b AS varchar(10)), interval '1 day', date_trunc('hour', ts) FROM t
    R SELECT substring(a FROM 1 FOR 2), position('a' IN b), trim(both 'x' FROM c), extract(epoch FROM now()) FROM t
    R SELECT overlay(a PLACING b FROM 1), coalesce(a, b), nullif(a, b), greatest(a, b) FROM t
    R SELECT row_number() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
    R SELECT rank() OVER w FROM t WINDOW w AS (PARTITION BY a)
    R SELECT * FROM a JOIN b USING (id) LEFT JOIN c ON c.id = a.id CROSS JOIN LATERAL (SELECT 1) x
    R SELECT * FROM generate_series(1, 10) g(a)
    R SELECT * FROM json_to_recordset('[]') AS x(a int, b text)
    R SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b
    R SELECT * FROM t TABLESAMPLE BERNOULLI (1)
    R SELECT * FROM t WHERE (a, b) IN (SELECT c, d FROM u) AND EXISTS (SELECT 1 FROM v)
    R SELECT CASE WHEN a THEN 1 ELSE 2 END, a BETWEEN 1 AND 2, b LIKE '%x%', c ILIKE 'y', d ~ 'z' FROM t
    R SELECT ARRAY[1,2], (ARRAY[1,2])[1], ARRAY(SELECT 1), x[1:2] FROM t
    R SELECT * FROM t FETCH FIRST 5 ROWS ONLY
    R (SELECT 1) UNION ALL (SELECT 2) ORDER BY 1
    R SELECT * FROM XMLTABLE('/a' PASSING x COLUMNS b int PATH 'c')
    R VALUES (1, 2), (3, 4)
    R TABLE pg_class
    R SELECT pg_catalog.now(), pg_catalog.pg_get_userbyid(1)
    R SELECT * FROM information_schema.tables
    R SELECT pg_read_file('postgresql.conf'), pg_ls_logdir()
    R SELECT has_table_privilege('a', 'b', 'select'), current_setting('work_mem')
    R SELECT pg_get_viewdef('v'::regclass), obj_description(1), format_type(1, 2)
    R SELECT to_tsvector('english', a) @@ plainto_tsquery('b') FROM t
    R SELECT md5(random()::text), gen_random_uuid()
    R SELECT "größe", straße FROM größen
    R SELECT 'DROP TABLE x; -- ' AS "delete from t"
    R SELECT $$ ; DROP TABLE x; $$, $tag$ $$ DELETE $$ $tag$
    R SELECT E'it\'s; DROP TABLE x', 'a\', 'b'
    R SELECT /* DROP TABLE x; /* nested */ still */ 1
    R SELECT 1 -- ; DROP TABLE x
    R -- a comment⏎SELECT 1
    R SELECT 1;;
    R ;
    R SELECT time_bucket('1 hour', ts), avg(v) FROM m GROUP BY 1
    R SELECT st_distance(a, b) FROM t
    C SELECT * FROM t FOR UPDATE
    C SELECT * FROM t FOR UPDATE SKIP LOCKED
    C SELECT * FROM t FOR NO KEY UPDATE
    C SELECT * FROM t FOR SHARE NOWAIT
    C SELECT * FROM t FOR KEY SHARE OF t
    C (SELECT 1) UNION (SELECT 2) FOR UPDATE
    C SELECT * FROM (SELECT * FROM t FOR UPDATE) x
    C SELECT * INTO x FROM t
    C SELECT 1 INTO TEMP x
    C SELECT a INTO UNLOGGED TABLE x FROM t
    C WITH n AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM n
    C WITH n AS (UPDATE t SET a = 1 WHERE b = 2 RETURNING *) SELECT * FROM n
    D WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d
    C WITH d AS (DELETE FROM t WHERE id = 1 RETURNING *) INSERT INTO u SELECT * FROM d
    C SELECT pg_terminate_backend(1)
    C SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    C SELECT pg_catalog.pg_terminate_backend(1)
    C SELECT "pg_terminate_backend"(1)
    C SELECT PG_TERMINATE_BACKEND /* x */ ⏎ (1)
    C SELECT 1 WHERE pg_terminate_backend(1)
    C SELECT * FROM pg_terminate_backend(1)
    C SELECT (SELECT pg_terminate_backend(1))
    C SELECT 1 ORDER BY pg_terminate_backend(1)
    C SELECT CASE WHEN true THEN pg_reload_conf() END
    C SELECT pg_rotate_logfile()
    C SELECT pg_promote()
    C SELECT pg_switch_wal()
    C SELECT pg_create_physical_replication_slot('a')
    C SELECT pg_create_logical_replication_slot('a', 'b')
    D SELECT pg_drop_replication_slot('a')
    C SELECT pg_logical_emit_message(true, 'a', 'b')
    C SELECT pg_logical_slot_get_changes('a', NULL, NULL)
    R SELECT pg_logical_slot_peek_changes('a', NULL, NULL)
    C SELECT pg_advisory_lock(1)
    C SELECT pg_try_advisory_xact_lock(1)
    C SELECT pg_advisory_unlock_all()
    C SELECT pg_notify('a', 'b')
    C SELECT pg_stat_reset()
    C SELECT pg_stat_statements_reset()
    C SELECT nextval('s')
    C SELECT setval('s', 5)
    R SELECT currval('s'), lastval()
    C SELECT set_config('work_mem', '1GB', false)
    C SELECT lo_import('/etc/passwd')
    C SELECT lo_export(1, '/tmp/x')
    D SELECT lo_unlink(1)
    C SELECT pg_sleep(10)
    U SELECT dblink('host=x', 'DROP TABLE t')
    U SELECT * FROM dblink_exec('DROP TABLE t')
    U SELECT query_to_xml('DELETE FROM t', true, true, '')
    U SELECT * FROM crosstab('select 1')
    U SELECT my_function(1)
    U SELECT public.lower('x')
    U SELECT U&"\0070g_terminate_backend"(1)
    U SELECT apply(1)
    U SELECT search(1)
    U SELECT ｐｇ_sleep(1)
    U SELECT 1 FROM t WHERE frobnicate(t)
    """
)
WRITES = cases(
    r"""
    C INSERT INTO t VALUES (1)
    C INSERT INTO a.t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = 1
    C INSERT INTO t SELECT * FROM u
    C INSERT INTO t DEFAULT VALUES RETURNING id
    C UPDATE t SET a = 1 WHERE id = 2
    C UPDATE t SET a = u.b FROM u WHERE u.id = t.id
    D UPDATE t SET a = 1
    D UPDATE t SET a = 1 WHERE true
    D UPDATE t SET a = 1 WHERE 1 = 1
    D UPDATE t SET a = 1 FROM u
    C DELETE FROM t WHERE id = 1
    C DELETE FROM ONLY t WHERE id IN (SELECT id FROM u)
    C DELETE FROM t USING u WHERE t.id = u.id
    C DELETE FROM t WHERE 1 = 0
    C DELETE FROM t WHERE false
    C DELETE FROM t WHERE id = $1
    D DELETE FROM t
    D DELETE FROM t USING u
    D DELETE FROM t WHERE true
    D DELETE FROM t WHERE 1=1
    D DELETE FROM t WHERE (((1 = 1)))
    D DELETE FROM t WHERE id = id
    D DELETE FROM t WHERE t.id = t.id
    D DELETE FROM t WHERE 'a' = 'a'
    D DELETE FROM t WHERE 1 < 2
    D DELETE FROM t WHERE NOT false
    D DELETE FROM t WHERE a = 1 OR true
    D DELETE FROM t WHERE a = 1 OR NOT a = 1
    D DELETE FROM t WHERE true AND 1 = 1
    D DELETE FROM t WHERE name LIKE '%'
    D DELETE FROM t WHERE EXISTS (SELECT 1)
    D DELETE FROM t -- WHERE id = 1
    D DELETE FROM t /* WHERE id = 1 */
    D DELETE FROM "where" RETURNING 'WHERE id = 1'
    C MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (1)
    C MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1
    D DROP TABLE t
    D DROP TABLE IF EXISTS t CASCADE
    D DROP DATABASE d
    D DROP SCHEMA s CASCADE
    D DROP INDEX CONCURRENTLY i
    D DROP OWNED BY r
    D TRUNCATE t
    D TRUNCATE TABLE a, b RESTART IDENTITY CASCADE
    D ALTER TABLE t DROP COLUMN a
    D ALTER TABLE t DROP a
    D ALTER TABLE t DROP COLUMN IF EXISTS a
    D ALTER TABLE t DROP IF EXISTS a
    D ALTER TABLE t ADD b int, DROP COLUMN a
    C ALTER TABLE t DROP CONSTRAINT c
    C ALTER TABLE t ALTER COLUMN a DROP NOT NULL
    C ALTER TABLE t ALTER a DROP DEFAULT
    C ALTER TABLE t ADD COLUMN a int DEFAULT 0
    C ALTER TABLE t DETACH PARTITION p
    C ALTER ROLE r SUPERUSER
    C ALTER SYSTEM SET work_mem = '1GB'
    C CREATE TABLE t (a int)
    C CREATE TABLE x AS SELECT * FROM t
    C CREATE TEMP TABLE x (a int)
    C CREATE INDEX CONCURRENTLY i ON t (lower(a))
    C CREATE OR REPLACE VIEW v AS SELECT 1
    C CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql
    C CREATE ROLE r PASSWORD 'x'
    C CREATE EXTENSION pg_stat_statements
    C CREATE MATERIALIZED VIEW v AS SELECT 1
    C GRANT ALL ON t TO r
    C REVOKE ALL ON t FROM r
    C COMMENT ON TABLE t IS 'x'
    C VACUUM
    C VACUUM (FULL, ANALYZE) t
    C VACUUM FULL t
    C ANALYZE t
    C REINDEX TABLE CONCURRENTLY t
    C CLUSTER t USING i
    C REFRESH MATERIALIZED VIEW CONCURRENTLY v
    C LOCK TABLE t IN ACCESS EXCLUSIVE MODE
    C CHECKPOINT
    C NOTIFY x, 'y'
    C LISTEN x
    C LOAD 'x.so'
    C REASSIGN OWNED BY a TO b
    C SECURITY LABEL ON TABLE t IS 'x'
    C IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y
    C COPY t FROM '/tmp/x'
    C COPY t FROM STDIN
    C COPY t TO '/tmp/x'
    C COPY t TO PROGRAM 'cat > /tmp/x'
    C COPY t FROM PROGRAM 'curl x'
    R COPY t TO STDOUT
    R COPY t (a, b) TO STDOUT WITH (FORMAT csv, HEADER)
    R COPY (SELECT * FROM t) TO STDOUT
    D COPY (DELETE FROM t RETURNING *) TO STDOUT
    C COPY (SELECT pg_reload_conf()) TO STDOUT
    U CALL p()
    U DO $$ BEGIN PERFORM f(); END $$
    D DO $$ BEGIN DELETE FROM t; END $$
    D DO $$ BEGIN IF true THEN DROP TABLE t; END IF; END $$
    D DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$
    U EXECUTE p
    U FROBNICATE t
    U "select" 1
    """
)
SESSION = cases(
    r"""
    R BEGIN
    R BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY
    R START TRANSACTION READ ONLY
    R COMMIT
    R END
    R ROLLBACK TO SAVEPOINT s
    R SAVEPOINT s
    R RELEASE SAVEPOINT s
    C PREPARE TRANSACTION 'x'
    C COMMIT PREPARED 'x'
    C ROLLBACK PREPARED 'x'
    R BEGIN; SELECT 1; ROLLBACK
    C BEGIN; UPDATE t SET a = 1 WHERE b = 2; ROLLBACK
    R SHOW server_version
    R SHOW ALL
    R SET statement_timeout = '5s'
    R SET statement_timeout TO 5000
    R SET LOCAL lock_timeout = '1s'
    R SET SESSION work_mem = '64MB'
    R SET search_path TO a, b
    R SET TIME ZONE 'UTC'
    R SET NAMES 'utf8'
    R SET enable_seqscan = off
    R SET application_name = 'x'
    R SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
    R SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
    R RESET work_mem
    U SET session_replication_role = replica
    U SET standard_conforming_strings = off
    U SET synchronous_commit = off
    U SET ROLE postgres
    U SET SESSION AUTHORIZATION x
    U RESET ROLE
    U SET my.variable = 1
    C DISCARD ALL
    R EXPLAIN SELECT * FROM t
    R EXPLAIN DELETE FROM t
    R EXPLAIN (COSTS off) UPDATE t SET a = 1
    R EXPLAIN ANALYZE SELECT * FROM t
    R EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT * FROM t
    D EXPLAIN (FORMAT json, "analyze") DELETE FROM t
    D EXPLAIN (U&"\0061nalyze") DELETE FROM t
    R EXPLAIN (SELECT 1)
    R EXPLAIN VERBOSE TABLE t
    R EXPLAIN (ANALYZE off) DELETE FROM t
    R EXPLAIN (ANALYZE FALSE) DELETE FROM t
    C EXPLAIN ANALYZE DELETE FROM t WHERE id = 1
    D EXPLAIN ANALYZE DELETE FROM t
    D EXPLAIN (BUFFERS, ANALYZE) DELETE FROM t
    D EXPLAIN (ANALYZE TRUE) DELETE FROM t
    D EXPLAIN (ANALYZE 1) DELETE FROM t
    D EXPLAIN ANALYZE VERBOSE DELETE FROM t
    D explain analyze with d as (delete from t returning *) select * from d
    C EXPLAIN ANALYZE SELECT pg_reload_conf()
    C EXPLAIN ANALYZE INSERT INTO t VALUES (1)
    R PREPARE p AS SELECT 1; EXECUTE p
    C PREPARE p (int) AS DELETE FROM t WHERE id = $1; EXECUTE p(1)
    R PREPARE p (int) AS SELECT $1; EXECUTE p(1); DEALLOCATE p
    C PREPARE p (int) AS SELECT $1; EXECUTE p(nextval('s'))
    R DECLARE c CURSOR FOR SELECT * FROM t; FETCH 10 FROM c; CLOSE c
    R DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT * FROM t
    C DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE
    D SELECT 1; DROP TABLE x
    D SELECT 1 ; ; TRUNCATE t; SELECT 2
    D SELECT 'a''; DROP TABLE x; --'; DROP TABLE x
    D SELECT 'a\'; DROP TABLE x; --'
    D SELECT $a$ $b$ $a$; DROP TABLE x
    D SELECT a$b$; DROP TABLE x; SELECT b$c$
    D SELECT 1 /* /* */ */; DROP TABLE x
    D SELECT 1 --'⏎; DROP TABLE x
    D select 1;⏎⇥ dRoP⏎table x
    U SELECT 'never ended
    U SELECT $$ never ended
    U SELECT /* never ended
    U SELECT "never ended
    U SELECT 1 -- a⏎ FROM `x`
    U SELECT 1 /* /* */
    U DROP⍽TABLE x
    U SELECT⍽1
    U ⍽SELECT 1
    """
)


@pytest.mark.parametrize(("risk", "text"), [*QUERIES, *WRITES, *SESSION])
def test_a_text_for_postgres_is_judged(risk: Risk, text: str) -> None:
    assert riskiest(judge_sql(text, dialect="postgres")) is risk


def test_each_statement_has_a_finding_with_its_own_words() -> None:
    findings = judge_sql("SELECT  1;⏎ /* x */ DELETE  FROM t".replace("⏎", "\n"), dialect="postgres")
    assert [finding.part for finding in findings] == ["SELECT 1", "DELETE FROM t"]
    assert str(findings[1]) == "`DELETE FROM t` deletes every row of t: it has no WHERE"


def test_a_call_is_named_by_its_own_words() -> None:
    (finding,) = judge_sql("select pg_cancel_backend(f(1, 2)) from t where f is null", dialect="postgres")[:1]
    assert str(finding) == "`pg_cancel_backend(f(1, 2))` cancels another session's query"
