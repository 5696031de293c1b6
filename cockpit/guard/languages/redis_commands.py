"""Redis' commands, up to version 8 and with its usual modules, and what they do. A subcommand follows after `|`.

The write commands are those that the server itself flags so; which of them destroy, and what the others change, is
taken from its manual.
"""

from __future__ import annotations

from cockpit.guard.languages.words import effects

COMMANDS = effects(
    """
read: reads
bitcount bitfield_ro bitpos dbsize dump exists expiretime geodist geohash geopos georadius_ro georadiusbymember_ro
geosearch get getbit getrange hexists hget hgetall hkeys hlen hmget hrandfield hscan hstrlen hvals keys lcs lindex
llen lolwut lpos lrange mget pexpiretime pfcount pttl randomkey scan scard sdiff sinter sintercard sismember smembers
smismember sort_ro srandmember sscan strlen substr sunion ttl type xlen xpending xrange xread xrevrange zcard
zcount zdiff zinter zintercard zlexcount zmscore zrandmember zrange zrangebylex zrangebyscore zrank zrevrange
zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion httl hpttl hexpiretime hpexpiretime
memory|usage memory|doctor memory|help memory|malloc-stats memory|stats
object|encoding object|freq object|idletime object|refcount object|help
xinfo|consumers xinfo|groups xinfo|stream xinfo|help xgroup|help
vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vsim vrange
json.get json.mget json.type json.strlen json.objkeys json.objlen json.arrlen json.arrindex json.resp
json.debug|memory json.debug|help
ft.search ft.aggregate ft.info ft._list ft.explain ft.explaincli ft.profile ft.tagvals ft.spellcheck ft.dictdump
ft.syndump ft.sugget ft.suglen ft.config|get ft.cursor|read ft.hybrid
ts.get ts.mget ts.range ts.revrange ts.mrange ts.mrevrange ts.info ts.queryindex
bf.exists bf.mexists bf.info bf.card bf.scandump cf.exists cf.mexists cf.count cf.info cf.scandump cms.query
cms.info topk.query topk.count topk.list topk.info tdigest.quantile tdigest.cdf tdigest.info tdigest.min
tdigest.max tdigest.rank tdigest.revrank tdigest.byrank tdigest.byrevrank tdigest.trimmed_mean
read: shows the server's state
info time role lastsave command command|count command|docs command|getkeys command|getkeysandflags command|help
command|info command|list config|get config|help acl|cat acl|dryrun acl|genpass acl|getuser acl|help acl|list
acl|users acl|whoami client|getname client|getredir client|help client|id client|info client|list
client|trackinginfo cluster|count-failure-reports cluster|countkeysinslot cluster|getkeysinslot cluster|help
cluster|info cluster|keyslot cluster|links cluster|myid cluster|myshardid cluster|nodes cluster|replicas
cluster|shards cluster|slaves cluster|slots cluster|slot-stats latency|doctor latency|graph latency|help
latency|histogram latency|history latency|latest module|list module|help slowlog|get slowlog|help slowlog|len
script|exists script|help function|dump function|help function|list function|stats
pubsub|channels pubsub|help pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub monitor
debug|help debug|object debug|listpack debug|ziplist debug|sdslen debug|htstats debug|htstats-key debug|digest
debug|digest-value debug|stringmatch-len
sentinel|masters sentinel|master sentinel|replicas sentinel|slaves sentinel|sentinels sentinel|myid
sentinel|get-master-addr-by-name sentinel|ckquorum sentinel|info-cache sentinel|is-master-down-by-addr
sentinel|pending-scripts sentinel|help
read: is about this connection alone
asking auth echo hello ping quit select readonly readwrite wait waitaof discard exec multi watch unwatch
client|caching client|reply client|setname client|setinfo client|tracking client|no-touch
subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe
read: runs a script that the server keeps from writing
eval_ro evalsha_ro fcall_ro
unknown: runs a script
eval evalsha fcall
unknown: says what this connection reads
reset
change: writes
append bitop decr decrby geoadd geosearchstore getset hincrby hincrbyfloat hmset hset hsetnx incr
incrby incrbyfloat linsert lpush lpushx lset mset msetnx msetex pfadd pfmerge psetex rpush rpushx sadd sdiffstore set
setbit setex setnx setrange sinterstore sunionstore xadd xsetid zadd zdiffstore zincrby zinterstore zrangestore
zunionstore hsetex vadd vsetattr copy touch pfdebug pfselftest xcfgset
json.set json.mset json.merge json.numincrby json.nummultby json.strappend json.arrappend json.arrinsert
json.toggle ft.create ft.alter ft.aliasadd ft.aliasupdate ft.aliasdel ft.config|set ft.dictadd ft.synupdate
ft.sugadd ft.cursor|del ts.create ts.alter ts.add ts.madd ts.incrby ts.decrby ts.createrule ts.deleterule
bf.add bf.madd bf.insert bf.reserve bf.loadchunk cf.add cf.addnx cf.insert cf.insertnx cf.reserve cf.loadchunk
cms.initbydim cms.initbyprob cms.incrby cms.merge topk.add topk.incrby topk.reserve tdigest.create tdigest.add
tdigest.merge
change: takes elements out
blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin hdel lmove lmpop lpop lrem ltrim rpop rpoplpush
smove spop srem xack xackdel xdel xdelex xtrim zmpop zpopmax zpopmin zrem zremrangebylex zremrangebyrank
zremrangebyscore hgetdel vrem json.arrpop json.arrtrim json.clear cf.del ft.sugdel ft.dictdel ts.del
change: takes entries for a consumer
xautoclaim xclaim xreadgroup xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|setid
change: sets when a key is deleted
expire expireat pexpire pexpireat persist hexpire hexpireat hpexpire hpexpireat hpersist hgetex
change: moves or renames keys
move rename renamenx migrate restore restore-asking swapdb
destructive: deletes keys
del unlink getdel delex json.del json.forget tdigest.reset
destructive: deletes every key
flushall flushdb
destructive: deletes
xgroup|destroy function|delete function|flush ft.dropindex ft.drop
change: works on the server
bgrewriteaof bgsave save acl|load acl|save acl|setuser acl|deluser client|kill client|no-evict client|pause
client|unblock client|unpause cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|delslots
cluster|delslotsrange cluster|failover cluster|flushslots cluster|forget cluster|meet cluster|migration
cluster|replicate cluster|saveconfig cluster|set-config-epoch cluster|setslot config|resetstat config|rewrite
config|set failover function|kill function|load function|restore latency|reset memory|purge module|load
module|loadex module|unload replconf psync sync script|debug script|flush script|kill script|load slowlog|reset
shutdown publish spublish sentinel|failover sentinel|flushconfig sentinel|monitor sentinel|remove sentinel|reset
sentinel|set sentinel|config sentinel|simulate-failure sentinel|debug
destructive: lets the node forget its cluster, and on a replica its keys
cluster|reset
"""
)
"""Names in small letters."""
CONTAINERS = frozenset(name.partition("|")[0] for name in COMMANDS if "|" in name)
"""Commands that need a subcommand to be judged."""
