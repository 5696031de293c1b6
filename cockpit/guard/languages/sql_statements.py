"""What statements do that are neither queries nor changes of rows: by their first words, a line a kind of statement.

The longest beginning that matches decides; a line for one dialect beats a line for all. `query` says that
the rest is
judged as a statement of its own; a read is one only if nothing in it calls what is not known to read.
"""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.languages.words import any_of, words

_ALL = """
read BEGIN: starts a transaction
read START TRANSACTION: starts a transaction
read COMMIT: ends a transaction
read END: ends a transaction
read ROLLBACK: undoes a transaction
read ABORT: undoes a transaction
read SAVEPOINT: marks a place in a transaction
read RELEASE: forgets a place in a transaction
change COMMIT PREPARED: commits another session's transaction
change ROLLBACK PREPARED: undoes another session's transaction
change PREPARE TRANSACTION: leaves a transaction open after the session
change BEGIN IMMEDIATE: locks the database for writers
change BEGIN EXCLUSIVE: locks the database
read SHOW: shows
read USE: picks a database for the session
destructive DROP: drops what it names
destructive TRUNCATE: deletes every row
change CREATE: creates
change ALTER: changes a definition
change RENAME: renames
change COMMENT: changes a comment
change GRANT: gives rights
change REVOKE: takes rights away
change DENY: takes rights away
change ANALYZE: gathers statistics
change LOCK: locks
change UNLOCK: lets locks go
change MERGE: adds, changes or deletes rows
change LOAD: loads
change IMPORT: imports
change EXPORT: exports
change COPY: copies rows or files
change UNDROP: brings back what was dropped
change INSTALL: installs code
change UNINSTALL: uninstalls code
change KILL: ends another session or its query
unknown CALL: runs a procedure
unknown EXEC: runs a procedure or a text
unknown EXECUTE: runs what was prepared or a text
unknown DO: runs a block of code
unknown PREPARE: prepares a statement
read DEALLOCATE: forgets what was prepared
"""
_POSTGRES = """
change VACUUM: rewrites pages and frees space
change VACUUM FULL: rewrites tables under an exclusive lock
change REINDEX: rebuilds indexes
change CLUSTER: rewrites a table under an exclusive lock
change REFRESH MATERIALIZED VIEW: computes a view anew
change REFRESH COLLATION: changes a collation's version
change CHECKPOINT: writes dirty pages to the disk
change SECURITY LABEL: changes a label
change REASSIGN OWNED: changes owners
change LISTEN: subscribes the session
read UNLISTEN: unsubscribes the session
change NOTIFY: tells listeners
change DISCARD: throws the session's state away
read RESET: puts a setting of the session back
unknown RESET ROLE: acts as another role
unknown RESET SESSION AUTHORIZATION: acts as another role
read FETCH: reads from a cursor
read MOVE: moves a cursor
read CLOSE: closes a cursor
change ALTER SYSTEM: changes the server's configuration
change ALTER DATABASE: changes a database
change LOAD: loads a library into the server
change IMPORT FOREIGN SCHEMA: creates foreign tables
destructive DROP OWNED: drops all that a role owns
read BASE_BACKUP: streams a backup
read IDENTIFY_SYSTEM: shows the server's identity
"""
_MYSQL = """
read HELP: shows the manual
read HANDLER: reads a table's rows
read CHECKSUM: computes a table's checksum
read XA RECOVER: shows prepared transactions
change XA: works on a distributed transaction
change CHECK: checks tables, and marks broken ones
change OPTIMIZE: rewrites a table
change REPAIR: repairs a table
change FLUSH: flushes caches, logs or tables
change CACHE INDEX: assigns a key cache
change CHANGE: changes where a replica reads
change START: starts replication
change STOP: stops replication
change RESET: resets what the server keeps
destructive RESET MASTER: deletes all binary logs
destructive RESET BINARY: deletes all binary logs
destructive RESET SLAVE: deletes relay logs and forgets the position
destructive RESET REPLICA: deletes relay logs and forgets the position
destructive PURGE: deletes binary logs
change SHUTDOWN: stops the server
change RESTART: restarts the server
change CLONE: copies data from another server
change BINLOG: applies events of a binary log
change BACKUP: starts a stage of a backup
read DROP PREPARE: forgets what was prepared
read DEALLOCATE PREPARE: forgets what was prepared
unknown SIGNAL: raises an error
unknown GET: reads diagnostics
"""
_SQLITE = """
change ATTACH: opens another file, and creates it where it is missing
change DETACH: closes another file
change VACUUM: rewrites the file
change REINDEX: rebuilds indexes
"""
_TSQL = """
read PRINT: prints
change CHECKPOINT: writes dirty pages to the disk
change BACKUP: writes a backup
destructive RESTORE: overwrites a database
read RESTORE HEADERONLY: shows what a backup holds
read RESTORE FILELISTONLY: shows what a backup holds
read RESTORE LABELONLY: shows what a backup holds
read RESTORE VERIFYONLY: checks a backup
change BULK INSERT: adds rows
change SHUTDOWN: stops the server
change RECONFIGURE: puts settings into effect
change WAITFOR: holds its session for a while
change DBCC: works on the server's inside
read DBCC OPENTRAN: shows the oldest transaction
read DBCC SQLPERF: shows how full logs are
read DBCC SHOW_STATISTICS: shows statistics
read DBCC INPUTBUFFER: shows what a session runs
read DBCC OUTPUTBUFFER: shows what a session sends
read DBCC USEROPTIONS: shows the session's settings
read DBCC TRACESTATUS: shows trace flags
read DBCC LOGINFO: shows the log's parts
read DBCC MEMORYSTATUS: shows memory
read DBCC PROCCACHE: shows the cache of plans
read DBCC SHOWCONTIG: shows fragmentation
read DBCC HELP: shows the manual
read DBCC CHECKDB: checks a database
read DBCC CHECKTABLE: checks a table
change UPDATE STATISTICS: gathers statistics
change ENABLE: turns a trigger on
change DISABLE: turns a trigger off
read SAVE TRANSACTION: marks a place in a transaction
read SAVE TRAN: marks a place in a transaction
unknown REVERT: acts as another user
read GO: ends a batch
"""
_ORACLE = """
change ALTER SESSION: changes the session
change ALTER SYSTEM: changes the server's configuration, or ends a session
change FLASHBACK: brings back an older state
destructive FLASHBACK DATABASE: throws away what came after
destructive PURGE: deletes for good what was dropped
change AUDIT: changes what is audited
change NOAUDIT: changes what is audited
change ASSOCIATE: changes statistics
change EXPLAIN PLAN INTO: writes a plan into a table
change STARTUP: starts the server
change SHUTDOWN: stops the server
read DEFINE: sets a variable of the client
read COLUMN: formats the client's output
"""
_CLICKHOUSE = """
change SYSTEM: works on the server's inside
destructive SYSTEM DROP REPLICA: drops a replica's metadata
destructive SYSTEM DROP DATABASE REPLICA: drops a replica's metadata
destructive SYSTEM UNFREEZE: deletes a frozen backup
change OPTIMIZE: merges parts
change DETACH: makes a table vanish until it is attached again
change ATTACH: brings a table back
change EXCHANGE: swaps tables
change CHECK: checks a table's parts
read EXISTS: tells whether something exists
read WATCH: reads changes of a view
change BACKUP: writes a backup
change RESTORE: restores from a backup
change REPLACE: replaces a definition
change MOVE: moves an access entity
"""
_DUCKDB = """
change ATTACH: opens another database, and creates it where it is missing
change DETACH: closes another database
change CHECKPOINT: writes the log into the file
change FORCE CHECKPOINT: writes the log into the file
change VACUUM: gathers statistics
change UPDATE EXTENSIONS: updates code
read RESET: puts a setting of the session back
"""
_SNOWFLAKE = """
read LIST: lists files of a stage
read LS: lists files of a stage
change PUT: uploads files
change GET: downloads files
destructive REMOVE: deletes files of a stage
destructive RM: deletes files of a stage
read UNSET: forgets a variable of the session
unknown USE ROLE: acts as another role
unknown USE SECONDARY: acts as another role
"""
_BIGQUERY = """
change EXPORT DATA: writes files
change LOAD DATA: adds rows
read ASSERT: checks a condition
"""
_HIVE = """
change MSCK: changes partitions in the catalogue
change REFRESH: reads metadata anew
change CACHE: keeps a table in memory
change UNCACHE: throws a table out of memory
change CLEAR CACHE: throws tables out of memory
change ADD: adds files or code
change RELOAD: loads code anew
change OPTIMIZE: rewrites files
destructive VACUUM: deletes old files for good
change RESTORE: brings back an older state
read LIST: lists
change UNSET: changes a setting
read RESET: puts settings of the session back
"""

Rule = tuple[Risk, str]


def _read(*texts: str) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for line in "\n".join(texts).split("\n"):
        words, colon, why = line.partition(": ")
        if colon:
            risk, _, start = words.partition(" ")
            rules[start] = Risk(risk), why
    return rules


RULES: dict[str, dict[str, Rule]] = {
    "postgres": _read(_ALL, _POSTGRES),
    "mysql": _read(_ALL, _MYSQL),
    "sqlite": _read(_ALL, _SQLITE),
    "tsql": _read(_ALL, _TSQL),
    "oracle": _read(_ALL, _ORACLE),
    "clickhouse": _read(_ALL, _CLICKHOUSE),
    "duckdb": _read(_ALL, _DUCKDB),
    "snowflake": _read(_ALL, _SNOWFLAKE),
    "bigquery": _read(_ALL, _BIGQUERY),
    "hive": _read(_ALL, _HIVE),
    "spark": _read(_ALL, _HIVE),
}
"""First words, in capitals, to what such a statement does."""
TRANSACTIONS = words(
    """
        IMMEDIATE EXCLUSIVE BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE TRANSACTION TRAN WORK
    DEFERRED ISOLATION LEVEL
    READ ONLY WRITE COMMITTED UNCOMMITTED REPEATABLE SERIALIZABLE SNAPSHOT CONSISTENT WITH AND NO CHAIN TO NOT
    DEFERRABLE TRANSACTIONS
    """
)
"""All words that may be in a statement about a transaction, besides one name."""
PROCEDURES = words(
    """
    sp_columns sp_column_privileges sp_databases sp_depends sp_describe_first_result_set sp_fkeys sp_help
    sp_helpconstraint sp_helpdb sp_helpfile sp_helpfilegroup sp_helpindex sp_helplogins sp_helprole
    sp_helprolemember sp_helprotect sp_helpserver sp_helpsrvrole sp_helpstats sp_helptext sp_helptrigger
    sp_helpuser sp_lock sp_monitor sp_pkeys sp_readerrorlog sp_server_info sp_special_columns sp_sproc_columns
    sp_statistics sp_stored_procedures sp_table_privileges sp_tables sp_who sp_who2 sp_whoisactive sp_blitz
    sp_blitzfirst sp_blitzwho sp_blitzindex sp_blitzcache sp_blitzlock xp_fixeddrives xp_msver xp_readerrorlog
    xp_logininfo xp_loginconfig xp_enumgroups
    """
)
"""Procedures of SQL Server that read, and those of two collections that people on call have at hand."""
SETTINGS: dict[str, re.Pattern[str]] = {
    "postgres": any_of(
        """
        statement_timeout lock_timeout idle_in_transaction_session_timeout idle_session_timeout
        transaction_timeout search_path schema work_mem maintenance_work_mem temp_buffers timezone time_zone
        datestyle intervalstyle client_encoding names client_min_messages application_name
        extra_float_digits bytea_output xmloption row_security enable_* jit* geqo* cpu_* random_page_cost
        seq_page_cost parallel_* min_parallel_* max_parallel_workers* effective_cache_size
        effective_io_concurrency from_collapse_limit join_collapse_limit plan_cache_mode
        constraint_exclusion cursor_tuple_fraction hash_mem_multiplier default_statistics_target
        default_transaction_isolation lc_* track_io_timing debug_print_* debug_pretty_print pg_trgm.* hnsw.*
        ivfflat.*
        """
    ),
    "mysql": any_of(
        """
        names charset character_set_* collation_* max_execution_time max_statement_time net_*_timeout
        wait_timeout interactive_timeout lock_wait_timeout innodb_lock_wait_timeout time_zone autocommit
        transaction_isolation tx_isolation group_concat_max_len optimizer_* profiling profiling_history_size
        sql_select_limit max_join_size sql_big_selects lc_time_names max_error_count sql_notes sql_warnings
        join_buffer_size sort_buffer_size read_buffer_size tmp_table_size max_heap_table_size
        long_query_time div_precision_increment eq_range_index_dive_limit sql_quote_show_create timestamp
        """
    ),
    "clickhouse": any_of(
        """
        max_* min_* use_* optimize_* join_* output_format_* input_format_* format_* send_logs_level
        log_queries* distributed_* prefer_* timeout_* receive_timeout send_timeout allow_experimental_*
        enable_* final extremes priority session_timezone date_time_* group_by_* force_index_by_date force_primary_key
        load_balancing totals_mode
        """
    ),
    "duckdb": any_of(
        """
        threads worker_threads memory_limit max_memory timezone schema search_path enable_progress_bar*
        explain_output enable_profiling profiling_* enable_object_cache null_order default_null_order
        default_order preserve_insertion_order max_expression_depth calendar errors_as_json
        """
    ),
    "hive": any_of(
        """
        hive.exec.parallel* hive.exec.dynamic.partition* hive.exec.max.dynamic.partitions* hive.exec.reducers.*
        hive.exec.compress.* hive.exec.mode.local.auto* hive.cli.print.* hive.mapred.mode hive.auto.convert.*
        hive.vectorized.* hive.execution.engine hive.optimize.* hive.compute.* hive.fetch.task.*
        hive.tez.container.size hive.tez.java.heap.* mapreduce.job.queuename mapreduce.job.reduces mapreduce.job.name
        mapreduce.map.memory.mb mapreduce.reduce.memory.mb mapred.job.queue.name mapred.reduce.tasks tez.queue.name
        tez.grouping.* spark.sql.shuffle.* spark.sql.adaptive.* spark.sql.autobroadcastjointhreshold
        spark.sql.session.timezone spark.sql.ansi.enabled spark.sql.files.* spark.sql.broadcasttimeout
        """
    ),
    "oracle": any_of(
        """
        linesize lines pagesize pages heading head feedback feed timing timi echo verify ver termout
        trimspool trimout long longchunksize numwidth serveroutput colsep wrap tab sqlprompt newpage
        autocommit_ arraysize numformat underline null define scan pause space markup autotrace
        sqlblanklines
        """
    ),
    "tsql": any_of(
        """
        nocount noexec parseonly showplan_* statistics lock_timeout deadlock_priority dateformat datefirst
        language rowcount textsize arithabort arithignore ansi_nulls ansi_padding ansi_warnings
        ansi_defaults concat_null_yields_null numeric_roundabort xact_abort fmtonly quoted_identifier_
        transaction query_governor_cost_limit forceplan
        """
    ),
    "snowflake": any_of(
        """
        *
        """
    ),
    "bigquery": any_of(
        """
        *
        """
    ),
    "sqlite": any_of(
        """

        """
    ),
}
SETTINGS["spark"] = SETTINGS["hive"]
"""Settings of a session that change what it may wait for and what its output looks like, and nothing that stays."""
PRAGMAS = words(
    """
    analysis_limit application_id auto_vacuum automatic_index busy_timeout cache_size cache_spill
    cell_size_check checkpoint_fullfsync collation_list compile_options data_version database_list
    defer_foreign_keys encoding foreign_key_check foreign_key_list foreign_keys freelist_count fullfsync
    function_list hard_heap_limit ignore_check_constraints index_info index_list index_xinfo integrity_check
    journal_mode journal_size_limit legacy_file_format locking_mode max_page_count mmap_size module_list
    page_count page_size pragma_list query_only quick_check read_uncommitted recursive_triggers
    reverse_unordered_selects schema_version secure_delete soft_heap_limit stats synchronous table_info
    table_list table_xinfo temp_store threads trusted_schema user_version wal_autocheckpoint writable_schema
    """
)
"""Pragmas of SQLite that read where they are given no value."""
PRAGMAS_OF = words(
    """
    foreign_key_check foreign_key_list index_info index_list index_xinfo integrity_check quick_check
    table_info table_list table_xinfo
    """
)
"""Pragmas of SQLite that read what their argument names."""
PRAGMAS_DUCKDB = words(
    """
    table_info show_tables show_tables_expanded show_databases show database_list database_size version
    storage_info functions collations platform metadata_info user_agent
    """
)
"""Pragmas of DuckDB that read."""
HARMLESS_PRAGMAS = frozenset({"busy_timeout", "query_only=ON", "query_only=1", "query_only=TRUE"})
"""Pragmas of SQLite that change the connection alone, and make it no more dangerous."""
ALTER_DESTROYS = (
    (
        "DROP",
        frozenset(
            {"COLUMN", "PARTITION", "PART", "PARTITIONS", "SUBPARTITION", "DETACHED", "VALUE", "UNUSED", "("}
        ),
    ),
    ("TRUNCATE", frozenset({"PARTITION", "SUBPARTITION"})),
    ("DISCARD", frozenset({"TABLESPACE", "PARTITION"})),
    ("CLEAR", frozenset({"COLUMN", "INDEX", "PROJECTION"})),
    ("EXCHANGE", frozenset({"PARTITION"})),
    ("REPLACE", frozenset({"PARTITION", "COLUMNS"})),
)
"""Pairs of words in an ALTER that lose data."""
ALTER_DROPS_NO_DATA = words(
    """
    CONSTRAINT INDEX KEY PRIMARY FOREIGN CHECK DEFAULT NOT EXPRESSION IDENTITY STATISTICS TRIGGER PROJECTION
    RULE POLICY MEMBER FUNCTION OPERATOR MAPPING NODE PARTITIONING IF FILE LOGFILE FEATURE
    """
)
"""What an ALTER drops without losing data; anything else that it drops is taken for a column."""
