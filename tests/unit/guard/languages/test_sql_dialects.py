from __future__ import annotations

import pytest

from cockpit.actions.command import Risk
from cockpit.guard.findings import riskiest
from cockpit.guard.languages.sql import ALIASES, DIALECTS, judge_sql
from tests.helpers.risks import cases

SQLITE = cases(
    r"""
    R SELECT datetime(ts, 'unixepoch'), count(*) FROM t GROUP BY 1 HAVING count(*) > 2
    R SELECT * FROM [my table] WHERE "a" = `b` AND c = 'it''s; DROP TABLE x'
    R SELECT * FROM sqlite_master
    R SELECT name FROM pragma_table_info('t')
    R SELECT json_extract(a, '$.b'), a ->> 'c', printf('%d', 1), iif(a, 1, 2) FROM t
    R SELECT group_concat(a, ','), row_number() OVER (ORDER BY b) FROM t
    R SELECT readfile('x')
    R VALUES (1)
    R EXPLAIN QUERY PLAN DELETE FROM t
    R EXPLAIN DROP TABLE t
    C EXPLAIN PRAGMA writable_schema = 1
    R PRAGMA journal_mode
    R PRAGMA table_info(t)
    R PRAGMA table_info = t
    R PRAGMA main.index_list('t')
    R PRAGMA integrity_check
    R PRAGMA quick_check(5)
    R PRAGMA foreign_key_check
    R PRAGMA user_version
    R PRAGMA busy_timeout = 5000
    R PRAGMA query_only = ON
    R PRAGMA compile_options
    C PRAGMA query_only = OFF
    C PRAGMA journal_mode = WAL
    C PRAGMA journal_mode(DELETE)
    C PRAGMA writable_schema = 1
    C PRAGMA user_version = 5
    C PRAGMA wal_checkpoint
    C PRAGMA main.wal_checkpoint(TRUNCATE)
    C PRAGMA optimize
    C PRAGMA incremental_vacuum
    C PRAGMA foreign_keys = OFF
    C PRAGMA frobnicate
    C SELECT load_extension('x')
    C SELECT writefile('x', a) FROM t
    C SELECT edit(a) FROM t
    U SELECT eval('DROP TABLE t')
    U SELECT frobnicate(1)
    C ATTACH 'x' AS y
    C DETACH y
    C VACUUM
    C VACUUM INTO 'x'
    C REINDEX
    C ANALYZE
    C BEGIN IMMEDIATE
    C BEGIN EXCLUSIVE TRANSACTION
    R BEGIN DEFERRED
    R BEGIN; SELECT 1; END
    C INSERT OR REPLACE INTO t VALUES (1)
    C REPLACE INTO t VALUES (1)
    C UPDATE OR IGNORE t SET a = 1 WHERE b = 2
    D UPDATE t SET a = 1
    C DELETE FROM t WHERE rowid = 5
    D DELETE FROM t
    D DELETE FROM t WHERE 1
    D DROP TABLE t
    D ALTER TABLE t DROP COLUMN a
    C ALTER TABLE t RENAME TO u
    C CREATE TABLE t (a)
    C CREATE INDEX i ON t (a)
    D SELECT 'a\'; DROP TABLE x; --'
    D SELECT [a'b]; DROP TABLE x; --'
    U SELECT 1 /* never ended
    """
)
TSQL = cases(
    r"""
    R SELECT TOP 10 * FROM dbo.t WITH (NOLOCK) WHERE a = 1
    R SELECT TOP (10) a, b = c FROM t
    R SELECT a FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY
    R SELECT * FROM sys.dm_exec_requests r CROSS APPLY sys.dm_exec_sql_text(r.sql_handle) t
    R SELECT x.value('(/a)[1]', 'int') FROM t
    R SELECT @@VERSION, DB_NAME(), GETDATE(), ISNULL(a, b), LEN(c), CONVERT(varchar(10), d, 120) FROM t
    R SELECT [a'b] FROM [my db].dbo.[t;x]
    R SELECT N'it''s; DROP TABLE x'
    R SELECT 1 /* /* ; DROP TABLE x */ */
    R SET NOCOUNT ON; SELECT 1
    R SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED
    R SET STATISTICS IO ON
    R SET @x = 5
    R DECLARE @x INT = 5; SELECT @x
    R DECLARE @t TABLE (a INT, b VARCHAR(10))
    R USE db⏎GO⏎SELECT 1⏎GO
    R PRINT 'x'
    R EXEC sp_who2
    R EXEC sp_helptext 'dbo.p'
    R EXEC master.dbo.xp_readerrorlog 0, 1
    R EXECUTE [sp_lock]
    R EXEC sp_configure
    R EXEC sp_executesql N'SELECT 1'
    R DBCC SQLPERF(LOGSPACE)
    R DBCC OPENTRAN
    R DBCC INPUTBUFFER(55)
    R DBCC CHECKDB('x') WITH NO_INFOMSGS
    R RESTORE HEADERONLY FROM DISK = 'x'
    R BEGIN TRAN; SELECT 1; COMMIT TRAN
    C DBCC SHRINKFILE(1)
    C DBCC FREEPROCCACHE
    C DBCC TRACEON(3604)
    U DBCC SQLPERF('sys.dm_os_wait_stats', CLEAR)
    U DBCC CHECKDB('x', REPAIR_ALLOW_DATA_LOSS)
    C EXEC sp_configure 'x', 1
    C EXEC xp_cmdshell 'dir'
    C EXEC master..xp_cmdshell 'dir'
    U EXEC dbo.my_procedure
    U EXEC @p
    D EXEC('DROP TABLE x')
    D EXEC sp_executesql N'DROP TABLE x'
    U EXEC('SELECT ' + @x)
    U EXEC(@x)
    C SELECT * INTO #t FROM x
    C SELECT * FROM t WITH (UPDLOCK, ROWLOCK)
    C SELECT * FROM t WITH (TABLOCKX)
    C SELECT NEXT VALUE FOR s
    U SELECT * FROM OPENQUERY(x, 'DROP TABLE t')
    U SELECT * FROM OPENROWSET('a', 'b', 'DROP TABLE t')
    U SELECT dbo.f(1)
    C SET NOCOUNT ON SELECT * INTO x FROM y
    C SET NOCOUNT ON⏎SELECT * INTO x FROM y
    U SET NOCOUNT ON ENABLE TRIGGER x ON y
    U USE db DISABLE TRIGGER x ON y
    R SET NOCOUNT ON⏎SELECT 1
    D SET NOCOUNT ON DELETE FROM t
    D SET NOCOUNT ON UPDATE t SET a = 1
    C SELECT * FROM t FOR JSON AUTO INSERT INTO u VALUES (1)
    R DECLARE @x INT⏎SET @x = 5⏎SELECT @x
    R SELECT 1⏎SELECT 2⏎GO
    R SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3
    R SELECT * FROM t (NOLOCK)
    R SELECT * FROM sys.databases FOR JSON AUTO
    U DECLARE @x INT⏎SET IDENTITY_INSERT t ON
    U SET NOCOUNT ON⏎!!rm x
    U SET NOCOUNT ON⏎:r x.sql
    U EXEC ('SELECT 1') AT srv
    D WITH x AS (SELECT 1 a) DELETE FROM x
    D WITH x AS (SELECT 1 a) SELECT * FROM x DELETE FROM t
    D SELECT 1 DROP TABLE x
    D SELECT * FROM a DELETE FROM b
    C SELECT * FROM a SHUTDOWN
    C SELECT * FROM a EXEC xp_cmdshell 'x'
    C SELECT 1⏎KILL 55
    C SELECT 1⏎WAITFOR DELAY '00:00:05'
    D SELECT 1 UPDATE t SET a = 1
    D IF 1 = 1 DROP TABLE x
    C INSERT INTO t EXEC sp_who
    C MERGE t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (1);
    C UPDATE STATISTICS t
    C UPDATE TOP (5) t SET a = 1 WHERE b = 2
    C DELETE TOP (5) FROM t WHERE b = 2
    C BACKUP DATABASE x TO DISK = 'y'
    D RESTORE DATABASE x FROM DISK = 'y'
    C ALTER DATABASE x SET SINGLE_USER
    C CREATE PROCEDURE p AS DELETE FROM t
    C GRANT DELETE ON t TO x
    C BULK INSERT t FROM 'x'
    C RECONFIGURE
    D TRUNCATE TABLE t
    U IF EXISTS (SELECT 1) SELECT 2
    """
)
ORACLE = cases(
    r"""
    R SELECT * FROM v$session WHERE status = 'ACTIVE'
    R SELECT sysdate, nvl(a, b), to_char(c, 'YYYY'), decode(d, 1, 2) FROM dual
    R SELECT listagg(a, ',') WITHIN GROUP (ORDER BY b) FROM t
    R SELECT * FROM t WHERE rownum < 5
    R SELECT level FROM dual CONNECT BY level < 5
    R SELECT * FROM TABLE(dbms_xplan.display)
    R SELECT * FROM TABLE(dbms_xplan.display_cursor('x', 0))
    R SELECT dbms_metadata.get_ddl('TABLE', 'T') FROM dual
    R SELECT q'[it's; DROP TABLE x]', q'{a'b}', nq'!c'd!' FROM dual
    R EXPLAIN PLAN FOR DELETE FROM t
    R ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY'
    R ALTER SESSION SET CURRENT_SCHEMA = x
    R SET LINESIZE 200
    R SELECT * FROM t, u WHERE t.a = u.a(+)
    D SET LINESIZE 200⏎DROP TABLE x;
    D DESC t⏎DROP TABLE x;
    R SET LINESIZE 200⏎SELECT 1⏎  FROM dual;
    U SPOOL x⏎SELECT 1 FROM dual;
    C EXPLAIN PLAN INTO x FOR SELECT 1 FROM dual
    C ALTER SESSION ENABLE PARALLEL DML
    U ALTER SESSION SET events '10046 trace name context forever'
    C ALTER SYSTEM KILL SESSION '1,2'
    C SELECT * FROM t FOR UPDATE NOWAIT
    C SELECT s.nextval FROM dual
    U SELECT utl_http.request('x') FROM dual
    U SELECT my_package.my_function(1) FROM dual
    U SELECT my_function(1) FROM dual
    D BEGIN DELETE FROM t; END;
    U BEGIN my_procedure; END;
    U EXEC my_procedure
    D BEGIN EXECUTE IMMEDIATE 'DROP TABLE t'; END;
    D DROP TABLE t PURGE
    D PURGE RECYCLEBIN
    C FLASHBACK TABLE t TO BEFORE DROP
    D FLASHBACK DATABASE TO SCN 5
    C CREATE OR REPLACE PROCEDURE p IS BEGIN NULL; END;
    C MERGE INTO t USING s ON (t.id = s.id) WHEN MATCHED THEN UPDATE SET a = 1
    U SELECT q'[never ended' FROM dual
    D SELECT 'a' FROM dual; DROP TABLE t
    """
)
CLICKHOUSE = cases(
    r"""
    R SELECT query_id, formatReadableSize(memory_usage) FROM system.processes ORDER BY elapsed DESC FORMAT Vertical
    R SELECT toStartOfMinute(event_time) m, countIf(a = 'x'), quantile(0.99)(d) FROM system.query_log GROUP BY m
    R SELECT quantiles(0.5, 0.9)(x), uniq(y), arrayJoin([1, 2]) FROM t FINAL PREWHERE a = 1 SETTINGS max_threads = 1
    R SELECT * FROM remote('host', db.t)
    R SELECT dictGet('d', 'a', toUInt64(1)), JSONExtractString(a, 'b'), arrayMap(x -> x + 1, [1]) FROM t
    R SELECT a FROM t LIMIT 1 BY b
    R WITH 1 AS x SELECT x
    R SELECT avgOrNull(a), sumIfOrDefault(b, c), uniqExactIfState(d, e) FROM t
    U SELECT frobnicateIf(a) FROM t
    R EXISTS TABLE t
    R SHOW CREATE TABLE t
    R DESCRIBE TABLE t
    R EXPLAIN PIPELINE SELECT 1
    R SET max_threads = 1
    R SELECT 'a\'; DROP TABLE t', $$ ; DROP TABLE t; $$
    R SELECT 1 # ; DROP TABLE t
    C SELECT * FROM t INTO OUTFILE 'x'
    C SELECT sleep(3)
    U SELECT * FROM executable('x', TSV, 'a Int')
    U SELECT my_function(1)
    C SYSTEM FLUSH LOGS
    C SYSTEM STOP MERGES t
    D SYSTEM DROP REPLICA 'x'
    C OPTIMIZE TABLE t FINAL
    C KILL QUERY WHERE query_id = 'x'
    C KILL MUTATION WHERE table = 't'
    C ALTER TABLE t DELETE WHERE id = 1
    D ALTER TABLE t DELETE WHERE 1
    D ALTER TABLE t DELETE WHERE 1 = 1
    C ALTER TABLE t UPDATE a = 1 WHERE b = 2
    D ALTER TABLE t UPDATE a = 1 WHERE true
    D ALTER TABLE t DROP PARTITION '2020'
    D ALTER TABLE t DROP COLUMN a
    D ALTER TABLE t CLEAR COLUMN a IN PARTITION 1
    C ALTER TABLE t ATTACH PARTITION 1
    C DETACH TABLE t
    C RENAME TABLE a TO b
    C EXCHANGE TABLES a AND b
    C INSERT INTO t VALUES (1)
    C INSERT INTO FUNCTION file('x') SELECT 1
    C DELETE FROM t WHERE id = 1
    D DELETE FROM t WHERE true
    D TRUNCATE TABLE t
    D DROP TABLE t SYNC
    D CREATE OR REPLACE TABLE t (a Int) ENGINE = Memory
    """
)
OTHERS = cases(
    r"""
    R duckdb: FROM 'x.csv' SELECT a, b.upper()
    R duckdb: SUMMARIZE t
    R duckdb: DESCRIBE t
    R duckdb: PRAGMA table_info('t')
    R duckdb: SELECT * FROM read_parquet('s3://x/*.parquet') QUALIFY row_number() OVER () < 5
    R duckdb: SELECT list_transform([1, 2], x -> x + 1), {'a': 1}
    R duckdb: SET threads = 4
    C duckdb: COPY t TO 'x.parquet'
    C duckdb: ATTACH 'x.db'
    C duckdb: INSTALL httpfs
    C duckdb: LOAD httpfs
    C duckdb: EXPORT DATABASE 'x'
    C duckdb: PRAGMA memory_limit = '1GB'
    U duckdb: SELECT * FROM query('DROP TABLE t')
    U duckdb: CALL f()
    D duckdb: CREATE OR REPLACE TABLE t AS SELECT 1
    R snowflake: SHOW WAREHOUSES
    R snowflake: SELECT * FROM TABLE(information_schema.query_history()) LIMIT 5
    R snowflake: SELECT system$typeof(1), a:b.c::string, $1 FROM @stage
    R snowflake: SELECT * FROM t AT (OFFSET => -60)
    R snowflake: LIST @stage
    R snowflake: SET x = 5
    R snowflake: DESC TABLE t
    C snowflake: SELECT system$cancel_query('x')
    U snowflake: SELECT system$frobnicate('x')
    C snowflake: COPY INTO t FROM @stage
    C snowflake: PUT file:///x @stage
    C snowflake: ALTER WAREHOUSE w SUSPEND
    C snowflake: UNDROP TABLE t
    D snowflake: REMOVE @stage/x
    D snowflake: CREATE OR REPLACE TABLE t AS SELECT 1
    D snowflake: EXECUTE IMMEDIATE 'DROP TABLE t'
    D snowflake: EXECUTE IMMEDIATE $$ DROP TABLE t $$
    R bigquery: SELECT APPROX_COUNT_DISTINCT(x), SAFE.SUBSTR(a, 1) FROM t
    R bigquery: SELECT NET.HOST(b) FROM `p.d-x.t` WHERE DATE(ts) > '2026-01-01'
    R bigquery: SELECT r'a\d', '''it's; DROP TABLE x''', "b", b'c' FROM t
    R bigquery: SELECT * EXCEPT (a), ARRAY_AGG(STRUCT(a, b)) FROM t, UNNEST(c) GROUP BY 1
    R bigquery: DECLARE x INT64 DEFAULT 5
    C bigquery: EXPORT DATA OPTIONS(uri='x') AS SELECT 1
    U bigquery: SELECT * FROM EXTERNAL_QUERY('x', 'DROP TABLE t')
    D bigquery: DELETE FROM t WHERE true
    C bigquery: MERGE t USING s ON t.id = s.id WHEN MATCHED THEN DELETE
    R hive: SHOW PARTITIONS t
    R hive: SET hive.exec.parallel=true
    R hive: SET
    R hive: DESCRIBE FORMATTED t
    R hive: SELECT a FROM t LATERAL VIEW explode(b) x AS c DISTRIBUTE BY a SORT BY c
    D hive: INSERT OVERWRITE TABLE t SELECT 1
    D hive: FROM t INSERT OVERWRITE TABLE x SELECT a
    C hive: MSCK REPAIR TABLE t
    C hive: LOAD DATA INPATH 'x' INTO TABLE t
    D hive: ALTER TABLE t DROP PARTITION (a = 1)
    U hive: SET hive.exec.pre.hooks=x
    U snowflake: USE ROLE x
    U hive: SET hive.security.authorization.enabled=false
    U hive: SELECT reflect('java.lang.Runtime', 'x')
    U spark: SELECT TRANSFORM(a) USING 'cat' FROM t
    R spark: SELECT explode(a), count(1) FROM t GROUP BY ALL
    R spark: DESCRIBE EXTENDED t
    R spark: SET spark.sql.shuffle.partitions=10
    C spark: CACHE TABLE t
    C spark: OPTIMIZE t
    D spark: VACUUM t RETAIN 0 HOURS
    U spark: SELECT r'a\'; DROP TABLE t; --'
    U frobnicate: SELECT 1
    U cql: SELECT 1
    R mariadb: SELECT 1
    R postgresql: SELECT 1
    """
)


def _of(dialect: str, table: list[tuple[Risk, str]]) -> list[tuple[str, Risk, str]]:
    return [(dialect, risk, text) for risk, text in table]


def _split(table: list[tuple[Risk, str]]) -> list[tuple[str, Risk, str]]:
    return [(text.partition(": ")[0], risk, text.partition(": ")[2]) for risk, text in table]


@pytest.mark.parametrize(
    ("dialect", "risk", "text"),
    [
        *_of("sqlite", SQLITE),
        *_of("tsql", TSQL),
        *_of("oracle", ORACLE),
        *_of("clickhouse", CLICKHOUSE),
        *_split(OTHERS),
    ],
)
def test_a_text_is_judged_by_its_dialect(dialect: str, risk: Risk, text: str) -> None:
    assert riskiest(judge_sql(text, dialect=dialect)) is risk


@pytest.mark.parametrize("dialect", sorted(DIALECTS | set(ALIASES)))
@pytest.mark.parametrize(
    ("risk", "text"),
    cases(
        """
        R SELECT a, count(*) FROM t WHERE b = 'x' GROUP BY a ORDER BY 2 DESC
        R WITH x AS (SELECT 1 AS a) SELECT * FROM x
        D SELECT 1; DROP TABLE t
        D DELETE FROM t
        C INSERT INTO t VALUES (1)
        C GRANT SELECT ON t TO x
        U SELECT frobnicate_it(a) FROM t
        U FROBNICATE t
        """
    ),
)
def test_what_all_dialects_share_is_judged_alike(dialect: str, risk: Risk, text: str) -> None:
    assert riskiest(judge_sql(text, dialect=dialect)) is risk
