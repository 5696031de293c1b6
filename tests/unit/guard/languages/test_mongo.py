from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.actions.command import Risk
from cockpit.guard.findings import riskiest
from cockpit.guard.languages.mongo import judge_mongo
from tests.helpers.risks import cases

SCRIPTS = cases(
    r"""
    R show dbs
    R show collections
    R use x
    R use x⏎show collections⏎db.y.find()
    R help
    R db
    R db.x
    R db.stats()
    R db.serverStatus().connections
    R db.orders.find({a: 1}).sort({b: -1}).limit(5).toArray()
    R db.orders.find({a: 1}, {_id: 0}).pretty()
    R db.orders.findOne({_id: ObjectId("5f")})
    R db.orders.countDocuments({})
    R db.orders.find().count()
    R db.orders.distinct("a", {b: 1})
    R db.orders.find({t: {$gte: ISODate("2020-01-01"), $lt: new Date(Date.now() - 3600 * 1000)}, n: /ab\/c/i})
    R db.orders.find({_id: {$in: [1, 2]}}).explain("executionStats")
    R db.orders.explain().find({a: 1})
    R db.orders.explain("executionStats").aggregate([{$match: {a: 1}}])
    R db.orders.aggregate([{$match: {a: 1}}, {$group: {_id: "$a", n: {$sum: 1}}}, {$sort: {n: -1}}])
    R db.orders.aggregate([{$lookup: {from: "x", localField: "a", foreignField: "b", as: "c"}}]).toArray()
    R db.orders.getIndexes()
    R db.orders.stats().wiredTiger
    R db.orders.validate()
    R db.orders.getPlanCache().list()
    R db.getSiblingDB("x").stats()
    R db.getSiblingDB("x").orders.find()
    R db.getSiblingDB('x').getCollection('y').find()
    R db.getCollection("x.y").find().forEach(printjson)
    R db["x"].find()
    R db.system.profile.find().sort({ts: -1}).limit(1)
    R db.currentOp({"active": true, "secs_running": {"$gt": 3}})
    R db.currentOp().inprog
    R db.adminCommand({replSetGetStatus: 1})
    R db.adminCommand("listDatabases")
    R db.runCommand({ping: 1})
    R db.runCommand({profile: -1})
    R db.runCommand({find: "x", filter: {a: 1}})
    R db.runCommand({aggregate: "x", pipeline: [{$match: {}}], cursor: {}})
    R db.getProfilingStatus()
    R db.getUsers()
    R db.version()
    R db.hello()
    R db.getMongo().getDBs()
    R rs.status()
    R rs.conf()
    R rs.printReplicationInfo()
    R sh.status()
    R sh.getBalancerState()
    R printjson(db.serverStatus())
    R print(db.x.countDocuments({}))
    R JSON.stringify(rs.status())
    R // db.x.drop()⏎db.x.find()
    R /* db.x.drop() */ db.x.find()
    R db.x.find({a: "db.x.drop()"}); db.y.find()
    R db.x⏎  .find()⏎  .limit(5)
    R db.x.drop
    R quit()
    C db.x.insertOne({a: 1})
    C db.x.insertMany([{a: 1}])
    C db.x.updateOne({_id: 1}, {$set: {a: 1}})
    C db.x.updateMany({a: 1}, {$set: {b: 1}})
    C db.x.update({a: 1}, {$set: {b: 1}}, {multi: true})
    C db.x.replaceOne({_id: 1}, {})
    C db.x.findOneAndUpdate({a: 1}, {$set: {b: 1}})
    C db.x.findAndModify({query: {a: 1}, remove: true})
    C db.x.deleteOne({a: 1})
    C db.x.deleteMany({a: 1})
    C db.x.bulkWrite([{insertOne: {document: {}}}])
    C db.x.createIndex({a: 1})
    C db.x.renameCollection("y")
    C db.x.aggregate([{$out: "y"}])
    C db.x.aggregate([{$match: {}}, {$merge: {into: "y"}}])
    C db.x.aggregate([{"$out": "y"}])
    C db.runCommand({aggregate: "x", pipeline: [{$out: "y"}], cursor: {}})
    C db.x.validate({full: true, repair: true})
    C db.x.getPlanCache().clear()
    C db.createCollection("x")
    C db.createUser({user: "a", pwd: "b", roles: []})
    C db.setProfilingLevel(1)
    C db.killOp(5)
    C db.fsyncLock()
    C db.shutdownServer()
    C db.adminCommand({setParameter: 1, a: 1})
    C db.adminCommand({shutdown: 1})
    C db.runCommand({profile: 1})
    C db.runCommand({profile: 1, comment: "-1"})
    C db.runCommand({insert: "x", documents: [{}]})
    C db.runCommand({delete: "x", deletes: [{q: {a: 1}, limit: 1}]})
    C rs.stepDown()
    C rs.reconfig({})
    C sh.enableSharding("x")
    C sh.stopBalancer()
    C print(db.x.insertOne({}))
    D db.x.drop()
    D db["x"].drop()
    D db["x"]["drop"]()
    D db.getCollection("x").drop()
    D db.getSiblingDB("x").dropDatabase()
    D db.dropDatabase()
    D db['dropDatabase']()
    D db . dropDatabase ( )
    D db /* x */ .dropDatabase()
    D db.x.remove({a: 1})
    D db.x.deleteMany({})
    D db.x.deleteMany()
    D db.x.deleteMany({$comment: "x"})
    D db.x.deleteMany({_id: {$exists: true}})
    D db.x.deleteMany({$or: [{a: 1}, {}]})
    D db.x.deleteMany({$and: [{}]})
    D db.x.deleteMany({$expr: true})
    D db.x.updateMany({}, {$set: {a: 1}})
    D db.x.update({}, {$set: {a: 1}}, {multi: true})
    D db.x.bulkWrite([{deleteMany: {filter: {}}}])
    D db.x.dropIndexes()
    D db.dropUser("a")
    D db.runCommand({dropDatabase: 1})
    D db.runCommand({drop: "x"})
    D db.runCommand({delete: "x", deletes: [{q: {}, limit: 0}]})
    D db.x.find({a: db.y.drop()})
    D db.x.find(); db.y.drop()
    D db.x.find()⏎db.y.drop()
    D var c = db.x; c.drop()
    D db.getCollectionNames().forEach(c => db[c].drop())
    D db.getCollectionNames().forEach(function (c) { db[c].drop() })
    D db.x.drop⏎({a: 1})
    D db.x⏎["drop"]()
    D db.x.find().getDB().dropDatabase()
    D printjson(db.x.drop())
    U db["dro" + "p"]()
    U db[x].find()
    U db["x"]["dr\u006fp"]()
    U db.x.aggregate([{"$o\u0075t": "y"}])
    U db.x.find({$where: "sleep(1000)"})
    U db.x.find("this.a == 1")
    U db.x.aggregate([{$project: {a: {$function: {body: "x", args: [], lang: "js"}}}}])
    U db.x.mapReduce("a", "b", {out: "c"})
    U db.eval("x")
    U db.x.frobnicate()
    U db.frobnicate()
    U db.runCommand({frobnicate: 1})
    U db.runCommand(x)
    U load("x.js")
    U eval("x")
    U x.find()
    R var a = 1
    U function f() {}
    R db.x.find().forEach(d => print(d))
    U db.x.find().map(f)
    U db.x.find(`${x}`)
    U db.x.find({...x})
    U new Mongo("host")
    U connect("host/db")
    U require("child_process")
    U db.x.find({a: 1
    U db.x.find({a: 'x})
    U db.x.find() /* never ended
    U show frobnicate
    U sleep(5)
    U rs.frobnicate()
    U print(x)
    U db.getSiblingDB(x).stats()
    U ＤＢ.x.find()
    """
)


@pytest.mark.parametrize(("risk", "script"), SCRIPTS)
def test_a_script_for_mongosh_is_judged(risk: Risk, script: str) -> None:
    assert riskiest(judge_mongo(script)) is risk


def test_a_line_separator_ends_a_comment_as_in_javascript() -> None:
    assert riskiest(judge_mongo("// x\u2028db.x.drop()")) is Risk.DESTRUCTIVE
    assert riskiest(judge_mongo("// x\rdb.x.drop()")) is Risk.DESTRUCTIVE


TOKENS = [
    "db",
    ".",
    "drop",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "=>",
    "=",
    "x",
    ",",
    ";",
    "'a'",
    "const",
    "for",
    "of",
    "print",
    "map",
    "find",
    "forEach",
    "runCommand",
    ":",
    "if",
    "new",
    "Date",
    "`",
    "${",
    "+",
    "return",
]
LOOKS = [
    "db.adminCommand({replSetGetStatus: 1}).members.forEach(m => print(m.name))",
    'db.runCommand("ping").ok + [1].map(x => x)',
    'rs.status().members.map(m => m.name + " " + m.stateStr)',
    "db.getMongo().getDBNames().forEach(d => print(d, db.getSiblingDB(d).stats().dataSize))",
    "db.getCollectionNames().forEach(c => { const s = db[c].stats(); print(c, s.count, s.size) })",
    "db.getCollectionNames().forEach(c => print(`${c}: ${db[c].estimatedDocumentCount()}`))",
    "rs.status().members.filter(m => m.state !== 1).map(m => ({n: m.name, lag: m.optimeDate}))",
    "db.currentOp().inprog.filter(o => o.secs_running > 5).forEach(o => printjson({op: o.op, ns: o.ns}))",
    "for (const c of db.getCollectionNames()) { print(c, db.getCollection(c).estimatedDocumentCount()) }",
    "const s = db.serverStatus(); print(s.connections.current / s.connections.available)",
    "db.adminCommand({listDatabases: 1}).databases.length",
    "let n = 0; db.orders.find({}).limit(5).forEach(d => { n += d.total }); print(n)",
    "db.getCollectionNames().map(c => [c, db[c].stats().size]).sort((a, b) => b[1] - a[1]).slice(0, 5)",
    'if (rs.status().ok === 1) { print("ok") }',
    "Object.entries(db.serverStatus().opcounters).forEach(([k, v]) => print(k, v))",
]
MORE_THAN_LOOKS = [
    'db.runCommand("find" + "AndModify", [1].map(x => x))',
    "[1].map(x => x); db.runCommand(",
    "db.adminCommand({shutdown: 1, x: [1].map(x => x)})",
    'var k = "drop"; db.runCommand({[k]: "x"}, [1].map(x => x))',
    'var k = {drop: "x"}; db.runCommand(k, [1].map(x => x))',
    'var ping = {drop: "x"}; db.runCommand(ping, [1].map(x => x))',
    'var ping = "drop"; db.runCommand(ping)',
    '[1].forEach(x => db.runCommand({...{drop: "x"}}))',
    "[1].forEach(x => db.runCommand({ping}))",
    "[db].forEach(db.runCommand)",
    "db.getCollectionNames().forEach(c => db[c].drop())",
    "db.getCollectionNames().forEach(c => db.getCollection(c).remove({}))",
    'db.getCollectionNames().forEach(c => db[c]["drop"]())',
    '["dropDatabase"].forEach(m => db[m]())',
    '["dropDatabase"].map(m => db[m]).forEach(f => f())',
    "[1].forEach(db.dropDatabase)",
    '[db].forEach(db["drop" + "Database"])',
    "[1].map(x => db.dropDatabase)",
    "(() => db.dropDatabase())()",
    'db.orders.find("x").map(x => x.a)',
    'db.orders.aggregate([{$match: {}}, {$out: "x"}]).map(x => x)',
    'db.orders.aggregate([{$match: {}}, {"$out": "x"}]).map(x => x)',
    'db.orders.find({$where: "x"}).map(x => x)',
    "print = x => db.dropDatabase(); print(1)",
    "const print = x => 1; print(1)",
    '[1].map(x => eval("db.dropDatabase()"))',
    '[1].map(x => load("x.js"))',
    '[1].map(x => require("fs").rmSync("x"))',
    '[1].map(x => new Function("x"))',
    "[1].map(x => db.x = 1)",
    "db.x.toString = y => 1",
    "[1].map(x => ({toString: db.stats}))",
    '[1].map(x => print.constructor("x"))',
    '[1].map(x => print["constructor"]("x"))',
    "[1].map(x => process.exit())",
    '[1].map(x => db.runCommand({drop: "x"}))',
    "[1].map(x => db.c.updateMany({}, {$set: {a: 1}}))",
    "[1].map(x => rs.stepDown())",
    "[1].map(x => this.db.dropDatabase())",
    "[1].map(x => `${db.dropDatabase()}`)",
    "[1].map(x => `${`${db.dropDatabase()}`}`)",
    'db["c"].drop(x => 1)',
    "function f() { db.dropDatabase() } f()",
    "async x => await db.dropDatabase()",
    "[1].map(function(x) { return db.dropDatabase() })",
    "const {dropDatabase: d} = db; [1].map(x => d())",
    "const d = db.dropDatabase; [1].map(x => x)",
    'const d = db["dropDatabase"]; [1].map(x => x)',
    'var k = "drop" + "Database"; db[k]()',
    'var k = "drop"; const f = db.orders[k]; [1].forEach(f)',
    'var k = "drop"; [1].forEach((x, y = db.orders[k]()) => 1)',
    "[1].map(x => x.insertOne({}))",
    "const a = db; a.dropDatabase()",
    "let a = 1; a = b => db.x.drop(); a()",
    "[1].map((x) => db.a.findAndModify({}))",
    "[db.orders].map(x => x.deleteMany({}))",
    'var k = "drop"; [1].forEach((db.c[k]))',
    'var k = "drop"; [1].forEach([db.c[k]][0])',
    'var k = "drop"; [1].forEach({a: db.c[k]}.a)',
]


@pytest.mark.parametrize("script", LOOKS)
def test_a_script_whose_functions_only_look_reads(script: str) -> None:
    assert riskiest(judge_mongo(script)) is Risk.READ, judge_mongo(script)


@given(st.lists(st.sampled_from(TOKENS), max_size=12))
def test_no_script_raises(tokens: list[str]) -> None:
    judge_mongo(" ".join(tokens))


@pytest.mark.parametrize("script", MORE_THAN_LOOKS)
def test_a_script_whose_functions_may_do_more_does_not_read(script: str) -> None:
    assert riskiest(judge_mongo(script)) is not Risk.READ
