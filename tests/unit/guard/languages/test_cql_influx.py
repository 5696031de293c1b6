from __future__ import annotations

import pytest

from cockpit.actions.command import Risk
from cockpit.guard.findings import riskiest
from cockpit.guard.languages.cql import judge_cql
from cockpit.guard.languages.influx import judge_influx
from tests.helpers.risks import cases

CQL = cases(
    r"""
    R SELECT * FROM t WHERE a = 1 ALLOW FILTERING
    R SELECT count(*), writetime(a), token(b) FROM t
    R DESCRIBE KEYSPACES
    R DESC TABLE t
    R CONSISTENCY QUORUM
    R TRACING ON
    R USE k
    R SELECT 'it''s; DROP TABLE x' FROM t
    R SELECT $$ ; DROP TABLE x $$ FROM t
    C INSERT INTO t (a) VALUES (1) IF NOT EXISTS
    C UPDATE t SET a = 1 WHERE b = 2
    C DELETE FROM t WHERE a = 1
    C BEGIN BATCH INSERT INTO t (a) VALUES (1); APPLY BATCH
    C CREATE TABLE t (a int PRIMARY KEY)
    C ALTER TABLE t ADD a int
    C GRANT ALL ON t TO x
    C COPY t TO 'x'
    C COPY t FROM 'x'
    C CAPTURE 'x'
    D TRACING ON⏎TRUNCATE t
    R SELECT a⏎FROM t⏎WHERE a = 1
    D TRUNCATE t
    D DROP KEYSPACE k
    D ALTER TABLE t DROP a
    D SELECT 1 FROM t // '⏎; DROP TABLE x; -- '
    D SELECT '\'; DROP TABLE x; --' FROM t
    U SELECT f(a) FROM t
    U SOURCE 'x'
    U SELECT 1 /* /* */ ; DROP TABLE x; -- */
    U FROBNICATE
    """
)
INFLUX = cases(
    r"""
    R SHOW DATABASES
    R SHOW TAG VALUES FROM cpu WITH KEY = "host"
    R SELECT mean(x) FROM cpu WHERE host =~ /web.*/ AND time > '2020-01-01' GROUP BY time(5m)
    R SELECT a / b FROM cpu
    R USE db
    R EXPLAIN SELECT * FROM cpu
    C SELECT * INTO b FROM a
    C INSERT cpu,host=a value=1
    C CREATE DATABASE x
    C ALTER RETENTION POLICY a ON b DURATION 1d
    C KILL QUERY 5
    D USE db⏎DROP DATABASE x
    D SHOW DATABASES⏎drop database x
    R SELECT a⏎FROM b⏎WHERE c = 1
    D DROP DATABASE x
    D DROP MEASUREMENT x
    D DELETE FROM cpu WHERE time < now() - 1d
    D SELECT * FROM a WHERE b =~ /'/; DROP MEASUREMENT x; SELECT * FROM a WHERE c =~ /'/
    U SELECT * FROM⇥/'/; DROP MEASUREMENT x; SELECT * FROM⇥/'/
    U FROBNICATE
    """
)


@pytest.mark.parametrize(("risk", "text"), CQL)
def test_a_text_for_cassandra_is_judged(risk: Risk, text: str) -> None:
    assert riskiest(judge_cql(text)) is risk


@pytest.mark.parametrize(("risk", "text"), INFLUX)
def test_a_text_for_influxdb_is_judged(risk: Risk, text: str) -> None:
    assert riskiest(judge_influx(text)) is risk
