"""Functions that do something when a query calls them, by dialect, and what they do.

A query is judged by what it names: a call of one of these decides whatever else the query looks like. They are found
by their names before a parenthesis, quoted or not, in any schema, so that no disguise of a query hides them.
"""

from __future__ import annotations

from cockpit.guard.languages.words import Effect, effects

_POSTGRES = """
change: ends another session
pg_terminate_backend
change: cancels another session's query
pg_cancel_backend
change: has the server read its configuration again
pg_reload_conf
change: has the server start another log file
pg_rotate_logfile pg_rotate_logfile_old
change: writes the memory of another session to the server's log
pg_log_backend_memory_contexts
change: ends one WAL file and starts another
pg_switch_wal pg_switch_xlog
change: starts or ends a backup
pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_create_restore_point
change: makes a standby the primary
pg_promote
change: halts or resumes the replay on a standby
pg_wal_replay_pause pg_wal_replay_resume pg_xlog_replay_pause pg_xlog_replay_resume
change: makes, moves or takes from a replication slot
pg_create_logical_replication_slot pg_create_physical_replication_slot pg_copy_logical_replication_slot
pg_copy_physical_replication_slot pg_replication_slot_advance pg_logical_slot_get_changes
pg_logical_slot_get_binary_changes pg_sync_replication_slots
destructive: drops a replication slot, and with it what was kept for its reader
pg_drop_replication_slot
change: changes the origin of a replication
pg_replication_origin_create pg_replication_origin_advance pg_replication_origin_session_setup
pg_replication_origin_session_reset pg_replication_origin_xact_setup pg_replication_origin_xact_reset
destructive: drops the origin of a replication
pg_replication_origin_drop
change: writes into the WAL or tells listeners
pg_logical_emit_message pg_notify
change: moves a sequence
nextval setval
change: changes a setting
set_config
change: takes or lets go a lock
pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock
pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_advisory_unlock
pg_advisory_unlock_shared pg_advisory_unlock_all pg_export_snapshot
change: holds its session and its snapshot for a while
pg_sleep pg_sleep_for pg_sleep_until
change: forgets statistics
pg_stat_reset pg_stat_reset_shared pg_stat_reset_single_table_counters pg_stat_reset_single_function_counters
pg_stat_reset_slru pg_stat_reset_replication_slot pg_stat_reset_subscription_stats pg_stat_reset_backend_stats
pg_stat_statements_reset pg_stat_kcache_reset pg_qualstats_reset pg_stat_monitor_reset pg_wait_sampling_reset_profile
pg_stat_force_next_flush pg_clear_relation_stats pg_clear_attribute_stats pg_restore_relation_stats
pg_restore_attribute_stats
change: writes a large object
lo_creat lo_create lo_from_bytea lo_import lo_open lo_put lo_truncate lo_truncate64 lowrite
change: reads a large object that it has opened
lo_close lo_lseek lo_lseek64 lo_tell lo_tell64 loread
change: writes a file on the server
lo_export pg_file_write pg_file_rename pg_file_sync
destructive: deletes what cannot be brought back
lo_unlink pg_file_unlink pg_truncate_visibility_map drop_chunks delete_data_node
change: reads pages into the cache or throws them out
pg_prewarm autoprewarm_start_worker autoprewarm_dump_now pg_buffercache_evict pg_buffercache_evict_all
pg_buffercache_evict_relation
change: works on an index
brin_summarize_new_values brin_summarize_range brin_desummarize_range gin_clean_pending_list
change: changes rows behind the server's back
heap_force_kill heap_force_freeze pg_surgery
change: changes catalogues
pg_import_system_collations pg_extension_config_dump pg_nextoid pg_stop_making_pinned_objects
change: changes how TimescaleDB keeps a table
create_hypertable compress_chunk decompress_chunk add_retention_policy remove_retention_policy
add_compression_policy remove_compression_policy add_job alter_job delete_job run_job move_chunk reorder_chunk
refresh_continuous_aggregate set_chunk_time_interval attach_tablespace detach_tablespace
change: changes what cron runs in the database
cron_schedule schedule unschedule schedule_in_database
unknown: runs SQL that it is given as text
query_to_xml query_to_xml_and_xmlschema query_to_xmlschema ts_stat ts_rewrite crosstab crosstab2 crosstab3 crosstab4
crosstabn connectby xpath_table exec_sql run_command_on_workers run_command_on_shards run_command_on_placements
unknown: runs SQL on another server
dblink dblink_exec dblink_connect dblink_connect_u dblink_send_query dblink_open dblink_fetch dblink_close
dblink_get_result dblink_disconnect dblink_cancel_query
"""

_MYSQL = """
change: holds its session for a while
sleep benchmark
change: takes or lets go a lock
get_lock release_lock release_all_locks service_get_read_locks service_get_write_locks service_release_locks
change: waits for a replica
master_pos_wait source_pos_wait wait_for_executed_gtid_set wait_until_sql_thread_after_gtids master_gtid_wait
change: moves a sequence
nextval setval
change: changes how the group replicates
group_replication_set_as_primary group_replication_switch_to_single_primary_mode
group_replication_switch_to_multi_primary_mode group_replication_set_write_concurrency
group_replication_set_communication_protocol group_replication_enable_member_action
group_replication_disable_member_action group_replication_reset_member_actions
asynchronous_connection_failover_add_source asynchronous_connection_failover_delete_source
asynchronous_connection_failover_add_managed asynchronous_connection_failover_delete_managed
asynchronous_connection_failover_reset
change: rotates or changes keys of the audit or the keyring
audit_log_rotate audit_log_filter_set_filter audit_log_filter_remove_filter audit_log_encryption_password_set
keyring_key_generate keyring_key_store keyring_key_remove
unknown: runs a program on the server
sys_exec sys_eval sys_set
"""

_SQLITE = """
change: loads code into the database's process
load_extension
change: writes a file
writefile
change: edits with a program
edit
unknown: runs SQL that it is given as text
eval
change: changes the full-text search's own tables
fts3_tokenizer optimize
"""

_TSQL = """
unknown: runs text on another server
openrowset openquery opendatasource
change: runs a program on the server
xp_cmdshell
"""

_ORACLE = """
change: moves a sequence
nextval
unknown: reaches out over the network
utl_http.request utl_http.request_pieces utl_inaddr.get_host_address utl_smtp.open_connection httpuritype
change: holds its session for a while
sleep
"""

_CLICKHOUSE = """
change: holds its session for a while
sleep sleepeachrow
unknown: runs a program on the server
executable
unknown: runs SQL on another server
jdbc odbc
change: writes
input
"""

_DUCKDB = """
change: moves a sequence
nextval
unknown: runs SQL that it is given as text
query query_table postgres_query mysql_query json_execute_serialized_sql sql_auto_complete postgres_execute
mysql_execute sqlite_query
change: changes a setting or a database
force_checkpoint checkpoint set_config
unknown: shows secrets of the process
getenv
"""

_SNOWFLAKE = """
change: cancels or ends other sessions' work
system$cancel_query system$cancel_all_queries system$abort_session system$abort_transaction
change: changes an account's settings
system$global_account_set_parameter system$enable_behavior_change_bundle system$disable_behavior_change_bundle
system$pipe_force_resume system$pipe_rebinding_with_notification_channel system$task_dependents_enable
system$set_return_value system$send_email system$wait system$commit_move_organization_account
system$convert_pipes_sqs_to_sns system$unlink_organization_user system$link_organization_user
change: moves a sequence
nextval
"""

_HIVE = """
unknown: calls any Java method
reflect reflect2 java_method try_reflect
"""

_BIGQUERY = """
unknown: runs SQL on another server
external_query
"""


EFFECTS: dict[str, dict[str, Effect]] = {
    "postgres": effects(_POSTGRES),
    "mysql": effects(_MYSQL),
    "sqlite": effects(_SQLITE),
    "tsql": effects(_TSQL),
    "oracle": effects(_ORACLE),
    "clickhouse": effects(_CLICKHOUSE),
    "duckdb": effects(_DUCKDB),
    "snowflake": effects(_SNOWFLAKE),
    "hive": effects(_HIVE),
    "spark": effects(_HIVE),
    "bigquery": effects(_BIGQUERY),
}
"""Names in small letters; with a package before them where only that package's is meant."""
