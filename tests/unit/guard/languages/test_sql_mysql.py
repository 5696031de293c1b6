from __future__ import annotations

import pytest

from cockpit.actions.command import Risk
from cockpit.guard.findings import riskiest
from cockpit.guard.languages.sql import judge_sql
from tests.helpers.risks import cases

STATEMENTS = cases(
    r"""
    R SHOW PROCESSLIST
    R SHOW FULL PROCESSLIST
    R SHOW ENGINE INNODB STATUS
    R SHOW GLOBAL STATUS LIKE 'Threads%'
    R SHOW VARIABLES WHERE variable_name = 'x'
    R SHOW CREATE TABLE t
    R SHOW REPLICA STATUS
    R SHOW SLAVE STATUS
    R SHOW BINARY LOGS
    R SHOW CREATE TRIGGER x
    R SHOW GRANTS FOR 'a'@'b'
    R SHOW INDEX FROM t IN db
    R SELECT * FROM information_schema.innodb_trx
    R SELECT * FROM performance_schema.events_statements_summary_by_digest ORDER BY sum_timer_wait DESC LIMIT 10
    R SELECT sys.format_bytes(1), sys.format_time(2)
    R SELECT IF(a, 1, 2), GROUP_CONCAT(DISTINCT x SEPARATOR ','), DATE_FORMAT(NOW(), '%Y') FROM t
    R SELECT CONVERT(a USING utf8), TIMESTAMPDIFF(SECOND, a, b), MATCH(a) AGAINST('x' IN BOOLEAN MODE) FROM t
    R SELECT * FROM t USE INDEX (i) LIMIT 5, 10
    R SELECT * FROM `my db`.`t;x` WHERE a = "DROP TABLE x; --"
    R SELECT * FROM 2024_logs
    R SELECT @@version, @@global.max_connections, @x
    R SELECT @a := 1, a INTO @x FROM t
    R SELECT LOAD_FILE('/etc/passwd')
    R SELECT 'a\'; DROP TABLE x; -- ', "b\"; DROP TABLE x"
    R SELECT 'a''b', "c""d"
    R SELECT _utf8mb4'x', N'y', x'41', b'01'
    R SELECT 1 -- ; DROP TABLE x
    R SELECT 1 # ; DROP TABLE x
    R SELECT /* ; DROP TABLE x */ 1
    R SELECT /*+ MAX_EXECUTION_TIME(1000) */ * FROM t
    R SELECT /*! SQL_NO_CACHE */ * FROM t
    R SELECT /*!50000 1,*/ 2
    R SELECT 1 --1
    R SELECT 1 FROM DUAL
    R TABLE t
    R (SELECT 1) UNION (SELECT 2)
    R WITH RECURSIVE c AS (SELECT 1 n UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT * FROM c
    R SELECT JSON_EXTRACT(a, '$.b'), a->'$.c', a->>'$.d' FROM t
    R DESC t
    R DESCRIBE t a
    R EXPLAIN SELECT * FROM t
    R EXPLAIN FORMAT=JSON SELECT * FROM t
    R EXPLAIN FOR CONNECTION 5
    R EXPLAIN t
    R EXPLAIN DELETE FROM t
    R EXPLAIN ANALYZE SELECT * FROM t
    R ANALYZE FORMAT=JSON SELECT * FROM t
    D ANALYZE DELETE FROM t
    D ANALYZE FORMAT=JSON DELETE FROM t
    D DESC ANALYZE DELETE FROM t
    R CHECKSUM TABLE t
    R HELP 'x'
    R HANDLER t READ FIRST
    R USE db
    R SET NAMES utf8mb4
    R SET autocommit = 0
    R SET SESSION max_execution_time = 1000, autocommit = 0
    R SET @a = 5, @@session.wait_timeout = 3
    R SET TRANSACTION ISOLATION LEVEL READ COMMITTED
    R SET STATEMENT max_statement_time = 5 FOR SELECT 1
    D SET STATEMENT max_statement_time = 5 FOR DELETE FROM t
    R BEGIN; SELECT 1; COMMIT
    R START TRANSACTION WITH CONSISTENT SNAPSHOT
    R XA RECOVER
    R DO 1
    R PREPARE s FROM 'SELECT 1'; EXECUTE s; DEALLOCATE PREPARE s
    D PREPARE s FROM 'DROP TABLE x'; EXECUTE s
    U PREPARE s FROM 'SELECT 1 /*! ; DROP TABLE x */'
    R VALUES ROW(1, 2), ROW(3, 4)
    U PREPARE s FROM @x
    U PREPARE s FROM 'SELECT 1', 'x'
    D EXECUTE IMMEDIATE 'DROP TABLE x'
    D EXECUTE IMMEDIATE CONCAT('DROP', ' TABLE x')
    U EXECUTE IMMEDIATE CONCAT('SELECT 1', @x)
    R EXECUTE IMMEDIATE 'SELECT 1'
    U SET sql_mode = 'ANSI_QUOTES'
    U SET foreign_key_checks = 0
    U SET sql_log_bin = 0
    U SET SESSION wait_timeout = 5, sql_log_bin = 0
    C SET GLOBAL max_connections = 5
    C SET @@global.read_only = 0
    C SET PERSIST max_connections = 5
    C SET @x = 1, GLOBAL read_only = 0
    C SET @a = GET_LOCK('x', 1)
    C SET PASSWORD FOR 'a' = 'b'
    C SET DEFAULT ROLE x TO y
    C SELECT * FROM t FOR UPDATE
    C SELECT * FROM t LOCK IN SHARE MODE
    C SELECT * FROM t FOR SHARE
    C SELECT a FROM t INTO OUTFILE '/tmp/x'
    C SELECT a INTO OUTFILE '/tmp/x' FROM t
    C SELECT a INTO DUMPFILE '/tmp/x' FROM t
    C SELECT SLEEP(5)
    C DO SLEEP(5)
    C SELECT BENCHMARK(1000000, MD5('x'))
    C SELECT GET_LOCK('a', 1), RELEASE_LOCK('a')
    C SELECT `sleep`(5)
    C SHOW TABLES WHERE SLEEP(5)
    U SELECT my_function(1)
    U SELECT db.lower('x')
    U SELECT sys_eval('id')
    U SELECT * FROM t PROCEDURE ANALYSE()
    C INSERT INTO t VALUES (1)
    C INSERT IGNORE INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 2
    C REPLACE INTO t VALUES (1)
    C UPDATE t SET a = 1 WHERE b = 2
    C UPDATE t, u SET t.a = 1 WHERE t.id = u.id
    D UPDATE t SET a = 1
    D UPDATE t SET a = 1 LIMIT 3
    D UPDATE t SET a = 1 WHERE 1
    C DELETE a FROM a JOIN b ON a.id = b.id WHERE b.x = 1
    D DELETE a FROM a JOIN b ON a.id = b.id
    D DELETE FROM t WHERE 1=1 LIMIT 5
    D DELETE FROM t WHERE '1'
    D DELETE FROM t -- WHERE id = 1
    C DELETE FROM t --WHERE id = 1
    D DELETE FROM t /*!99999 WHERE id = 1 */
    D DELETE FROM t /*M!100500 WHERE id = 1 */
    D SELECT 1 /*! ; DROP TABLE x */
    D SELECT 1; /*!50000 DROP TABLE x */
    D /*!DROP TABLE x*/
    D /*M! DROP TABLE x */
    R SELECT 1 /* ! ; DROP TABLE x */
    R /*!40101 SET NAMES utf8 */;
    U SELECT 1 /*! '*/ '
    U SELECT 1 /*! /* */ */
    U SELECT 1 /*! -- */⏎
    U /*!1 x*/ /*!2 x*/ /*!3 x*/ SELECT 1
    D SELECT 1 --1; DROP TABLE x
    D SELECT 1 --⏎; DROP TABLE x
    D SELECT 'a\\'; DROP TABLE x; -- '
    D SELECT "a'b"; DROP TABLE x
    D SELECT `a'b`; DROP TABLE x
    D SELECT '#'; DROP TABLE x
    D TRUNCATE TABLE t
    D DROP TABLE t
    D DROP USER 'a'@'b'
    R DROP PREPARE s
    D ALTER TABLE t DROP COLUMN a
    D ALTER TABLE t DROP a
    D ALTER TABLE t DROP PARTITION p
    D ALTER TABLE t TRUNCATE PARTITION p
    D ALTER TABLE t DISCARD TABLESPACE
    C ALTER TABLE t DROP INDEX i
    C ALTER TABLE t DROP PRIMARY KEY
    C ALTER TABLE t DROP FOREIGN KEY f
    C ALTER TABLE t ADD INDEX (a)
    C ALTER TABLE t ENGINE = InnoDB
    C CREATE TABLE t (a INT)
    C CREATE USER 'a'@'b' IDENTIFIED BY 'c'
    D CREATE OR REPLACE TABLE t (a INT)
    C RENAME TABLE a TO b
    C GRANT ALL ON *.* TO 'a'@'b'
    C ANALYZE TABLE t
    C OPTIMIZE TABLE t
    C REPAIR TABLE t
    C CHECK TABLE t
    C FLUSH TABLES WITH READ LOCK
    C FLUSH LOGS
    C LOCK TABLES t WRITE
    C UNLOCK TABLES
    C KILL 12
    C KILL QUERY 12
    C LOAD DATA LOCAL INFILE 'x' INTO TABLE t
    C STOP REPLICA
    C START SLAVE
    C CHANGE MASTER TO MASTER_HOST = 'x'
    C CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'x'
    D RESET MASTER
    D RESET BINARY LOGS AND GTIDS
    D RESET REPLICA ALL
    D PURGE BINARY LOGS TO 'x'
    C RESET QUERY CACHE
    C INSTALL PLUGIN x SONAME 'y'
    C SHUTDOWN
    C XA COMMIT 'x'
    C BINLOG 'x'
    U CALL p()
    U FROBNICATE
    U SELECT 'never ended
    U SELECT 1 /* never ended
    """
)


@pytest.mark.parametrize(("risk", "text"), STATEMENTS)
def test_a_text_for_mysql_is_judged(risk: Risk, text: str) -> None:
    assert riskiest(judge_sql(text, dialect="mysql")) is risk


def test_both_sides_of_a_conditional_comment_are_judged() -> None:
    assert riskiest(judge_sql("DELETE FROM t /*! WHERE id = 1 */", dialect="mysql")) is Risk.DESTRUCTIVE
    assert (
        riskiest(judge_sql("DELETE FROM t WHERE id = 1 /*! OR true */", dialect="mysql")) is Risk.DESTRUCTIVE
    )


def test_many_conditional_comments_are_not_known() -> None:
    text = " ".join(f"/*!{version}0000 SET NAMES utf8 */;" for version in range(4, 9))
    assert riskiest(judge_sql(text, dialect="mysql")) is Risk.UNKNOWN
    assert riskiest(judge_sql(f"{text} DROP TABLE x", dialect="mysql")) is Risk.DESTRUCTIVE
