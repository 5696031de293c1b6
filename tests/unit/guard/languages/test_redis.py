from __future__ import annotations

import pytest

from cockpit.actions.command import Risk
from cockpit.guard.findings import riskiest
from cockpit.guard.languages.redis import judge_redis, judge_redis_script, split
from cockpit.guard.languages.redis_commands import COMMANDS
from cockpit.guard.languages.words import words
from tests.helpers.risks import cases

WRITES = words(
    """
    append bitfield bitop blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin copy decr decrby del
    expire expireat flushall flushdb function|delete function|flush function|load function|restore geoadd
    georadius georadiusbymember geosearchstore getdel getex getset hdel hincrby hincrbyfloat hmset hset hsetnx
    incr incrby incrbyfloat linsert lmove lmpop lpop lpush lpushx lrem lset ltrim migrate move mset msetnx
    persist pexpire pexpireat pfadd pfdebug pfmerge psetex rename renamenx restore restore-asking rpop
    rpoplpush rpush rpushx sadd sdiffstore set setbit setex setnx setrange sinterstore smove sort spop srem
    sunionstore swapdb unlink xack xadd xautoclaim xclaim xdel xgroup|create xgroup|createconsumer
    xgroup|delconsumer xgroup|destroy xgroup|setid xreadgroup xsetid xtrim zadd zdiffstore zincrby zinterstore
    zmpop zpopmax zpopmin zrangestore zrem zremrangebylex zremrangebyrank zremrangebyscore zunionstore
    """
)
"""What COMMAND of Redis 7.0 flags as `write`."""
READ_WITHOUT_MORE = {"bitfield", "georadius", "georadiusbymember", "getex", "sort"}

LINES = cases(
    r"""
    R GET a
    R get "a b"
    R MGET a b c
    R HGETALL h
    R LRANGE l 0 -1
    R ZRANGE z 0 -1 WITHSCORES
    R SCAN 0 MATCH x* COUNT 100
    R KEYS *
    R TTL a
    R TYPE a
    R EXISTS a
    R INFO
    R INFO memory
    R DBSIZE
    R PING
    R CONFIG GET maxmemory
    R config get *
    R CLIENT LIST
    R CLIENT ID
    R SLOWLOG GET 10
    R SLOWLOG LEN
    R LATENCY LATEST
    R LATENCY DOCTOR
    R MEMORY USAGE k
    R MEMORY STATS
    R OBJECT ENCODING k
    R ACL LIST
    R ACL WHOAMI
    R ACL LOG
    R ACL LOG 10
    R CLUSTER NODES
    R CLUSTER INFO
    R COMMAND
    R COMMAND COUNT
    R MODULE LIST
    R SCRIPT EXISTS x
    R FUNCTION LIST
    R PUBSUB CHANNELS
    R XINFO STREAM s
    R XRANGE s - +
    R MONITOR
    R SUBSCRIBE x
    R ROLE
    R LASTSAVE
    R TIME
    R SELECT 1
    R MULTI
    R SORT l BY x GET y
    R SORT_RO l
    R GETEX k
    R BITFIELD k GET u8 0
    R GEORADIUS g 1 2 3 km
    R EVAL_RO "return 1" 0
    R DEBUG OBJECT k
    R SENTINEL MASTERS
    R JSON.GET k
    R FT.SEARCH i q
    R WAIT 1 1000
    R exit
    R help
    R ⏎⏎
    C SET a b
    C INCR a
    C 5 INCR a
    C HSET h a b
    C LPUSH l a
    C LTRIM l 0 5
    C SADD s a
    C ZADD z 1 a
    C XADD s * a b
    C EXPIRE a 60
    C PERSIST a
    C RENAME a b
    C GETEX k EX 5
    C GETEX k PERSIST
    C SORT l STORE x
    C sort l store x
    C GEORADIUS g 1 2 3 km STORE x
    C BITFIELD k SET u8 0 1
    C CONFIG SET maxmemory 1gb
    C CONFIG RESETSTAT
    C CONFIG REWRITE
    C CLIENT KILL ID 5
    C CLIENT PAUSE 1000
    C SLOWLOG RESET
    C LATENCY RESET
    C MEMORY PURGE
    C ACL SETUSER x
    C ACL LOG RESET
    C ACL DELUSER x
    C SCRIPT FLUSH
    C SCRIPT LOAD x
    C DEBUG SLEEP 5
    C DEBUG SEGFAULT
    C CLUSTER FAILOVER
    C CLUSTER FORGET x
    C FAILOVER
    C REPLICAOF NO ONE
    C SHUTDOWN
    C BGSAVE
    C SAVE
    C BGREWRITEAOF
    C PUBLISH a b
    C MODULE LOAD x
    C SWAPDB 0 1
    C MIGRATE h 1 k 0 1
    C SENTINEL FAILOVER x
    D DEL a
    D del a
    D 'DEL' a
    D "d\el" a
    D UNLINK a
    D GETDEL a
    D FLUSHALL
    D FLUSHALL ASYNC
    D FlushDb
    D EXPIRE a 0
    D PEXPIRE a -1
    D XGROUP DESTROY s g
    D FUNCTION FLUSH
    D SHUTDOWN NOSAVE
    D REPLICAOF host 6379
    D SLAVEOF host 6379
    D CLUSTER RESET HARD
    D DEBUG FLUSHALL
    D JSON.DEL k
    D GET a⏎DEL a
    D MULTI⏎DEL a⏎EXEC
    U EVAL "return redis.call('flushall')" 0
    U EVALSHA x 0
    U FCALL f 0
    U FROBNICATE a
    U CONFIG
    U CONFIG FROBNICATE
    U CLIENT
    U "GET a"
    U ＧＥＴ a
    U connect host 6379
    U "\x44EL" a
    U GET 'a
    """
)


@pytest.mark.parametrize(("risk", "script"), LINES)
def test_lines_for_redis_are_judged(risk: Risk, script: str) -> None:
    assert riskiest(judge_redis_script(script)) is risk


@pytest.mark.parametrize("name", sorted(WRITES))
def test_no_write_command_of_the_server_is_a_read(name: str) -> None:
    assert name in COMMANDS or name in READ_WITHOUT_MORE
    more = {"sort": ["STORE", "x"], "bitfield": ["SET", "u8", "0", "1"], "getex": ["PERSIST"]}.get(
        name, ["STORE", "x"]
    )
    assert riskiest(judge_redis([*name.split("|"), "key", *more])) in {Risk.CHANGE, Risk.DESTRUCTIVE}


@pytest.mark.parametrize(
    ("risk", "command"),
    [
        (Risk.READ, ["GET", None]),
        (Risk.UNKNOWN, [None]),
        (Risk.UNKNOWN, [None, "a"]),
        (Risk.UNKNOWN, []),
        (Risk.UNKNOWN, ["CONFIG", None]),
        (Risk.UNKNOWN, ["SORT", "k", None]),
        (Risk.UNKNOWN, ["BITFIELD", "k", None]),
        (Risk.CHANGE, ["GETEX", "k", None]),
        (Risk.CHANGE, ["EXPIRE", "k", None]),
        (Risk.DESTRUCTIVE, ["DEL", None]),
        (Risk.DESTRUCTIVE, ["REPLICAOF", None, None]),
        (Risk.CHANGE, ["ACL", "LOG", None]),
    ],
)
def test_values_that_are_not_known_count_as_the_worst(risk: Risk, command: list[str | None]) -> None:
    assert riskiest(judge_redis(command)) is risk


def test_a_line_is_cut_as_the_client_cuts_it() -> None:
    assert split("""SET 'a b' "c\\"d" e""") == ["SET", "a b", 'c"d', "e"]
    assert split("""SET "a"b""") is None
