"""Methods and commands of MongoDB, and what they do."""

from __future__ import annotations

from cockpit.guard.languages.words import effects, words

DATABASE = effects(
    """
read: shows
stats serverStatus currentOp version getCollectionNames getCollectionInfos hostInfo serverBuildInfo
isMaster hello
getName getUsers getUser getRoles getRole getProfilingStatus getProfilingLevel printCollectionStats
printReplicationInfo printSecondaryReplicationInfo printSlaveReplicationInfo printShardingStatus
serverCmdLineOpts
getReplicationInfo listCommands commandHelp getLogComponents getLastError getLastErrorObj help serverBits
watch
getQueryPlan getFreeMonitoringStatus getReadConcern getReadPref
change: changes the database or its server
createCollection createView createUser updateUser createRole updateRole changeUserPassword grantRolesToUser
revokeRolesFromUser grantPrivilegesToRole revokePrivilegesFromRole grantRolesToRole revokeRolesFromRole
setProfilingLevel setLogLevel enableFreeMonitoring disableFreeMonitoring killOp fsyncLock fsyncUnlock
shutdownServer rotateCertificates setSecondaryOk cloneDatabase cloneCollection copyDatabase
createEncryptedCollection resetError
destructive: drops
dropDatabase dropUser dropRole dropAllUsers dropAllRoles removeUser
unknown: runs code
eval mapReduce loadServerScripts
"""
)
"""Of `db`."""
COLLECTION = effects(
    """
read: reads
find findOne count countDocuments estimatedDocumentCount distinct stats dataSize storageSize
totalIndexSize totalSize
getIndexes getIndices getIndexKeys getIndexSpecs isCapped latencyStats getShardDistribution getShardVersion
getShardLocation watch hashAllDocs help getName getFullName exists getDB getMongo getSplitKeysForChunks
checkMetadataConsistency getSearchIndexes analyzeShardKey explain getPlanCache
change: writes
insert insertOne insertMany update updateOne updateMany replaceOne findAndModify findOneAndUpdate
findOneAndReplace
bulkWrite save createIndex createIndexes ensureIndex reIndex renameCollection hideIndex unhideIndex runReIndex
createSearchIndex createSearchIndexes updateSearchIndex configureQueryAnalyzer
compactStructuredEncryptionData validate
setWriteConcern unsetWriteConcern deleteOne findOneAndDelete deleteMany setShardVersion
destructive: drops
drop dropIndex dropIndexes dropSearchIndex convertToCapped
destructive: deletes every document that matches
remove
unknown: runs code
mapReduce group
"""
)
"""Of a collection."""
CURSOR = words(
    """
        sort limit skip toArray pretty count size hint explain batchSize maxTimeMS maxAwaitTimeMS readPref
    readConcern comment
        collation next hasNext tryNext itcount projection min max noCursorTimeout allowDiskUse returnKey
    showRecordId
        showDiskLoc tailable addOption close isClosed isExhausted objsLeftInBatch finish
    allowPartialResults maxScan snapshot
    oplogReplay getQueryPlan length toString join slice includes keys reverse at
    """
)
"""Of what a query returns."""
REPLICA_SET = effects(
    """
read: shows the replica set
status conf config isMaster hello printReplicationInfo printSecondaryReplicationInfo
printSlaveReplicationInfo help
secondaryOk slaveOk debug
change: changes the replica set
initiate reconfig reconfigForPSASet add addArb remove stepDown freeze syncFrom
"""
)
"""Of `rs`."""
SHARDS = effects(
    """
read: shows the shards
status getBalancerState isBalancerRunning balancerCollectionStatus getBalancerHost getBalancerLockDetails
getRecentFailedRounds getRecentMigrations help isConfigShardEnabled listShards getShardedDataDistribution
getActiveMigrations getBalancerWindow
change: changes the shards
addShard addShardToZone addShardTag addTagRange balancerStart balancerStop commitReshardCollection
disableAutoMerger
disableAutoSplit disableBalancing disableMigrations enableAutoMerger enableAutoSplit enableBalancing
enableMigrations
enableSharding moveChunk moveCollection moveRange removeRangeFromZone removeShardFromZone removeShardTag
removeTagRange reshardCollection abortReshardCollection setBalancerState shardAndDistributeCollection
shardCollection
splitAt splitFind startAutoMerger startBalancer stopAutoMerger stopBalancer unshardCollection
updateZoneKeyRange waitForBalancer waitForBalancerOff
"""
)
"""Of `sh`."""
COMMANDS = effects(
    """
read: shows
ping hello isMaster ismaster buildInfo buildinfo hostInfo serverStatus dbStats dbstats collStats collstats
connectionStatus
connPoolStats getCmdLineOpts getLog getParameter listDatabases listCollections listIndexes listCommands
find count
distinct currentOp replSetGetStatus replSetGetConfig top whatsmyuri features usersInfo rolesInfo dataSize
getShardMap
listShards balancerStatus getDefaultRWConcern explain lockInfo getDiagnosticData planCacheListFilters
shardConnPoolStats getMore dbHash driverOIDTest isdbgrid netstat getAuditConfig balancerCollectionStatus
getClusterParameter listSearchIndexes getFreeMonitoringStatus
change: changes the database or its server
insert update findAndModify findandmodify create createIndexes createUser updateUser createRole updateRole
grantRolesToUser
revokeRolesFromUser grantPrivilegesToRole revokePrivilegesFromRole collMod compact renameCollection
reIndex validate killOp killCursors killSessions killAllSessions killAllSessionsByPattern fsync
fsyncUnlock shutdown
setParameter setFeatureCompatibilityVersion setDefaultRWConcern setClusterParameter logRotate replSetStepDown
replSetReconfig replSetInitiate replSetFreeze replSetMaintenance replSetSyncFrom replSetAbortPrimaryCatchUp
replSetResizeOplog rotateCertificates moveChunk movePrimary moveRange split splitVector mergeChunks addShard
enableSharding shardCollection reshardCollection balancerStart balancerStop flushRouterConfig cleanupOrphaned
planCacheClear planCacheClearFilters planCacheSetFilter setIndexCommitQuorum refineCollectionShardKey
addShardToZone removeShardFromZone updateZoneKeyRange commitTransaction abortTransaction endSessions bulkWrite
invalidateUserCache setFreeMonitoring cloneCollectionAsCapped dropConnections authSchemaUpgrade
setUserWriteBlockMode appendOplogNote
destructive: drops
dropDatabase drop dropIndexes deleteIndexes dropAllUsersFromDatabase dropAllRolesFromDatabase dropUser
dropRole
dropSearchIndex convertToCapped removeShard
unknown: runs code
eval $eval mapReduce mapreduce group
"""
)
"""Of `db.runCommand` and `db.adminCommand`."""
CODE = words("$where $function $accumulator $_internalJsEmit")
"""Keys under which code is given."""
WRITES = words("$out $merge")
"""Stages of a pipeline that write."""
SHOWS = words(
    "dbs databases collections tables users roles profile logs log startupWarnings automationNotices"
)
"""What `show` shows."""
