from __future__ import annotations

import pytest

from cockpit.actions.command import Risk
from cockpit.guard.findings import riskiest
from cockpit.guard.languages.mysql_client import judge_mysql
from cockpit.guard.languages.psql import judge_psql
from cockpit.guard.languages.sqlite_shell import judge_sqlite
from tests.helpers.risks import cases, shell

PSQL = cases(
    r"""
    R \d
    R \d+ t
    R \dt *.*
    R \dS+ pg_catalog.*
    R \l+
    R \du
    R \df+ f
    R \x
    R \x on
    R \timing
    R \conninfo
    R \pset format csv
    R \pset pager off
    R \echo hello
    R \qecho hello
    R \encoding
    R \q
    R \?
    R \h SELECT
    R \sf f
    R \sv v
    R \z t
    R \dconfig work_mem
    R \errverbose
    R \a \t \f ','
    R \x⏎SELECT 1;
    R \x \\ SELECT 1;
    R \timing on⏎SELECT count(*) FROM t;
    R SELECT 1 \g
    R SELECT 1 \gx
    R SELECT 1 \gdesc
    R SELECT 1 \watch 5
    R SELECT 1 \crosstabview
    R SELECT 1 \gset
    R SELECT $1 \bind 5 \g
    R \o
    R \c other
    R \c - other
    R \c other⏎SELECT 1;
    R \set n 5⏎SELECT :n;
    R \set ON_ERROR_STOP on⏎SELECT 1;
    R SELECT ':n', a::int, :'x', :"y", b[1:2] FROM t;
    R \copy t to stdout
    R \copy (SELECT * FROM t) to pstdout csv header
    R \if true⏎SELECT 1;⏎\else⏎SELECT 2;⏎\endif
    R PREPARE p AS SELECT 1;⏎EXECUTE p;
    R SELECT '\! rm x';
    R SELECT $$⏎\! rm x⏎$$;
    R -- \! rm x⏎SELECT 1;
    R /* \! rm x */ SELECT 1;
    C \! rm -rf /
    C \!rm x
    C SELECT 1; \! rm x
    C SELECT 1⏎\! rm x
    C \echo `rm x`
    C \set x `rm x`
    C \d `rm x`
    C SELECT 1 \g | sh
    C SELECT 1 \g /tmp/x
    C SELECT 1 \gx (format=csv) /tmp/x
    C \o /tmp/x
    C \o |sh
    C \out |sh
    C \w /tmp/x
    C \w |sh
    C \s /tmp/x
    C \copy t from 'x.csv'
    C \copy t to 'x.csv' csv
    C \copy t to program 'rm x'
    C \copy t from program 'rm x'
    C \copy (DELETE FROM t WHERE a = 1 RETURNING *) to stdout
    C \password x
    C \lo_import x
    C \lo_export 1 x
    D \lo_unlink 1
    D DROP TABLE x \g
    D DROP TABLE x \watch 5
    D DROP TABLE x
    D SELECT 1 \; DROP TABLE x;
    D SELECT 1 \r⏎DROP TABLE x;
    D SELECT 1 \if true⏎\else⏎; DROP TABLE x;⏎\endif
    D \x \\ DROP TABLE x;
    D COPY t FROM STDIN;⏎1 'x⏎\.⏎DROP TABLE y;
    C COPY t FROM STDIN;⏎; DROP TABLE y;⏎\.
    D COPY t FROM STDIN; DROP TABLE y;
    U \!
    U SELECT 1 \gexec
    U \i x.sql
    U \ir x.sql
    U \include x.sql
    U \e
    U \ef f
    U \setenv PAGER x
    U \frobnicate
    U \c db user host
    U \c postgresql://host/db
    U \c "host=x"
    U SELECT :n;
    U \set x 'DROP TABLE y'⏎:x;
    U \set x '1; DROP TABLE y'⏎SELECT :x;
    U \set n 5⏎\prompt n⏎SELECT :n;
    U SELECT 1 AS a \gset⏎SELECT :a;
    U \copy t
    U \copy t to 'x
    U SELECT 'x
    """
)
MYSQL = cases(
    r"""
    R SELECT 1
    R SELECT 1\G
    R SELECT 1 \g
    R SHOW PROCESSLIST\G⏎SHOW STATUS\G
    R use db⏎SELECT 1;
    R use db; SELECT 1
    R status
    R status;
    R help contents
    R \s
    R \u db
    R warnings
    R nopager
    R SELECT 1 \c⏎SELECT 2;
    R delimiter //⏎SELECT 1//⏎SELECT 2//
    R SELECT '\! rm x', "\! rm x"
    R -- \! rm x⏎SELECT 1
    R # \! rm x⏎SELECT 1
    R exit
    R PREPARE s FROM 'SELECT 1'; EXECUTE s
    C system rm x
    C system rm x;
    C SYSTEM rm x
    C \! rm x
    C SELECT 1 \! rm x
    C -- x⏎system rm x
    C pager rm x
    C \P rm x
    C tee /tmp/x
    C \T /tmp/x
    C delimiter //⏎CREATE PROCEDURE p() BEGIN DELETE FROM t; END//
    C DELIMITER $$⏎CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN DELETE FROM u; END$$⏎DELIMITER ;
    D delimiter //⏎SELECT 1; DROP TABLE x//
    D delimiter //⏎SELECT 1//⏎DROP TABLE x//
    D delimiter //⏎SELECT 1//⏎delimiter ;⏎DROP TABLE x;
    D \d //⏎SELECT 1// DROP TABLE x//
    D DROP TABLE x\G
    D SELECT 1\gDROP TABLE x
    D use db; DROP TABLE x
    D /*! DROP TABLE x */
    D SELECT 1 --1⏎; DROP TABLE x
    U source x.sql
    U source x.sql;
    U \. x.sql
    U edit
    U connect db host
    U system
    U SELECT 'x
    U \y
    """
)
SQLITE = cases(
    r"""
    R .tables
    R .tab
    R .schema t
    R .dump
    R .mode csv
    R .headers on
    R .timer on
    R .stats
    R .databases
    R .indexes
    R .show
    R .mode box⏎SELECT 1;
    R .fullschema
    R .dbinfo
    R .lint fkey-indexes
    R .recover
    R .output
    R .output stdout
    R .open --readonly x.db
    R .parameter list
    R .parameter set @a 5
    R .eqp on
    R .limit
    R .log off
    R .archive --list
    R .quit
    R # .shell rm x⏎SELECT 1;
    R SELECT 1⏎/⏎SELECT 2⏎go
    R SELECT '⏎.shell rm x⏎';
    R /*⏎.shell rm x⏎*/ SELECT 1;
    C .shell rm x
    C .system rm x
    C .sh rm x
    C .sy rm x
    C SELECT 1;⏎.shell rm x
    C -- x⏎.shell rm x
    C /* x */⏎.shell rm x
    C .output /tmp/x
    C .out /tmp/x
    C .once /tmp/x
    C .once -e
    C .output |rm x
    C .once '|rm x'
    C .read |rm x
    C .import "|rm x" t
    C .import x.csv t
    C .save x.db
    C .backup x.db
    C .clone x.db
    C .excel
    C .open x.db
    C .testcase x
    C .log /tmp/x
    C .trace /tmp/x
    C .archive --extract
    C .dbconfig writable_schema on
    C .parameter set @a "writefile('x', 'y')"
    D .restore x.db
    D .open --new x.db
    D SELECT 1⏎/⏎DROP TABLE t
    D .tables⏎DROP TABLE t;
    U .read x.sql
    U .load x
    U .selftest
    U .frobnicate
    U .
    C .s
    U .output 'x
    U SELECT 1⏎.shell rm x
    U .nonce x
    """
)


@pytest.mark.parametrize(("risk", "script"), PSQL)
def test_a_script_for_psql_is_judged(risk: Risk, script: str) -> None:
    assert riskiest(judge_psql(script, shell=shell)) is risk


@pytest.mark.parametrize(("risk", "script"), MYSQL)
def test_a_script_for_mysql_is_judged(risk: Risk, script: str) -> None:
    assert riskiest(judge_mysql(script, shell=shell)) is risk


@pytest.mark.parametrize(("risk", "script"), SQLITE)
def test_a_script_for_sqlite3_is_judged(risk: Risk, script: str) -> None:
    assert riskiest(judge_sqlite(script, shell=shell)) is risk


@pytest.mark.parametrize(
    ("judge", "script", "line"),
    [
        (judge_psql, r"\! rm -rf /tmp/x; ls", "rm -rf /tmp/x; ls"),
        (judge_psql, r"SELECT 1 \g | sort > /tmp/x", "sort > /tmp/x"),
        (judge_psql, r"\copy t to program 'gzip > x'", "gzip > x"),
        (judge_psql, r"\echo `date` `id`", "id"),
        (judge_mysql, "system rm x;", "rm x"),
        (judge_mysql, "pager less -S", "less -S"),
        (judge_sqlite, ".shell rm 'a b'", "rm 'a b'"),
        (judge_sqlite, '.import "|cat x" t', "cat x"),
    ],
)
def test_the_shell_gets_the_line_word_for_word(judge: object, script: str, line: str) -> None:
    findings = judge(script, shell=shell)  # type: ignore[operator]
    assert any(finding.part == line and finding.why == "is given to a shell" for finding in findings)
