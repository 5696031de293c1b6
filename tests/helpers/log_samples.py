"""A few records of each format, written from what documents it, with what the first of them says."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from cockpit.signals import SECOND


class Sample(NamedTuple):
    """Lines of a format; the first record's time, level's name and body; records in all."""

    lines: str
    at: str
    level: str
    body: str
    records: int


def moment(text: str) -> int:
    """Return an ISO 8601 time in nanoseconds."""
    parsed = datetime.fromisoformat(text)
    return int(parsed.timestamp()) * SECOND + parsed.microsecond * 1000


AT = "2026-11-23T22:15:23+00:00"
MS = "2026-11-23T22:15:23.123+00:00"

SAMPLES = {
    "syslog-5424": Sample(
        '<165>1 2026-11-23T22:15:23.123Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" '
        'eventSource="Application" eventID="1011"] An application event log entry...\n'
        "<34>1 2026-11-23T22:15:24+00:00 mymachine.example.com su 77 ID47 - 'su root' failed for lonvick on pts/8\n"
        "<13>1 - - - - - - no time\n",
        MS, "info", "An application event log entry...", 3,
    ),
    "syslog-3164": Sample(
        "Nov 23 22:15:23 mymachine su: 'su root' failed for lonvick on /dev/pts/8\n"
        "<13>Nov 23 22:15:24 10.0.0.99 Use the BFG!\n"
        "Nov  3 02:15:24 web-1 sshd(pam_unix)[19939]: ERROR authentication failure\n",
        AT, "", "'su root' failed for lonvick on /dev/pts/8", 3,
    ),
    "syslog-iso": Sample(
        "2026-11-23T22:15:23.123000+00:00 web-1 systemd[1]: Started x.service\n"
        "2026-11-23T22:15:24.000001+00:00 web-1 kernel: EXT4-fs warning: (device sda1)\n",
        MS, "", "Started x.service", 2,
    ),
    "journald": Sample(
        '{"__CURSOR":"s=1;i=1","__REALTIME_TIMESTAMP":"1795472123123000","PRIORITY":"3","_HOSTNAME":"web-1",'
        '"_SYSTEMD_UNIT":"nginx.service","MESSAGE":"no more connections","_PID":"812"}\n'
        '{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1795472124123000","PRIORITY":"6","MESSAGE":"[warn] hot"}\n'
        '{"__REALTIME_TIMESTAMP":"1795472124123001","MESSAGE":[104,105],"PRIORITY":"6"}\n',
        MS, "error", "no more connections", 3,
    ),
    "json": Sample(
        # ECS, OpenTelemetry, bunyan, pino, zap, structlog, logrus, GELF, Docker's json-file, Serilog
        '{"@timestamp":"2026-11-23T22:15:23.123Z","log.level":"ERROR","message":"no","ecs.version":"1.2.0",'
        '"service.name":"shop","process.thread.name":"main","log.logger":"com.example.Shop"}\n'
        '{"@timestamp":"2026-11-23T22:15:23.123Z","log":{"level":"warn","logger":"a"},"message":"nested"}\n'
        '{"Timestamp":"1795472123123000000","SeverityText":"INFO","SeverityNumber":9,"Body":"otel",'
        '"Resource":{"service.name":"shop"},"TraceId":"4bf92f3577b34da6a3ce929d0e0e4736"}\n'
        '{"timeUnixNano":"1795472123123000000","severityNumber":17,"body":{"stringValue":"otlp"}}\n'
        '{"name":"shop","hostname":"web-1","pid":7,"level":30,"msg":"bunyan","time":"2026-11-23T22:15:23.123Z","v":0}\n'
        '{"level":50,"time":1795472123123,"pid":7,"hostname":"web-1","msg":"pino"}\n'
        '{"level":"info","ts":1795472123.123,"caller":"a/b.go:7","msg":"zap","n":3}\n'
        '{"event":"structlog","level":"debug","timestamp":"2026-11-23T22:15:23.123Z","user":"ann"}\n'
        '{"animal":"walrus","level":"warning","msg":"logrus \\"quoted\\"","size":10,"time":"2026-11-23T22:15:23Z"}\n'
        '{"version":"1.1","host":"web-1","short_message":"gelf","timestamp":1795472123.123,"level":3}\n'
        '{"log":"E1123 docker\\n","stream":"stderr","time":"2026-11-23T22:15:23.123456789Z"}\n'
        '{"@t":"2026-11-23T22:15:23.1230000Z","@mt":"Serilog {n}","@l":"Warning","n":1}\n'
        '{"t":{"$date":"2026-11-23T22:15:23.123+00:00"},"s":"I","c":"NETWORK","msg":"mongod"}\n'
        '{"level":"info","msg":"cut o\n'
        "a line of text in between\n",
        MS, "error", "no", 15,
    ),
    "logfmt": Sample(
        'ts=2026-11-23T22:15:23.123Z caller=main.go:7 level=warn msg="slow \\"query\\"" took=12ms\n'
        'time="2026-11-23T22:15:24Z" level=error msg="no"\n'
        "level=info ts=1795472124.5 msg=up\n",
        MS, "warn", 'slow "query"', 3,
    ),
    "clf": Sample(
        '10.0.0.1 - frank [23/Nov/2026:22:15:23 +0000] "GET /apache_pb.gif HTTP/1.0" 200 2326\n'
        '10.0.0.1 - - [23/Nov/2026:22:15:24 +0000] "GET /a?b HTTP/1.1" 503 12 "http://a/" "Mozilla/4.08 [en]"\n'
        '::1 - - [23/Nov/2026:23:15:24 +0100] "-" 408 -\n',
        AT, "info", '"GET /apache_pb.gif HTTP/1.0" 200 2326', 3,
    ),
    "nginx-error": Sample(
        "2026/11/23 22:15:23 [error] 9#9: *1 open() \"/a\" failed (2: No such file or directory), client: 10.0.0.1\n"
        "2026/11/23 22:15:24 [notice] 1#1: signal process started\n",
        AT, "error", 'open() "/a" failed (2: No such file or directory), client: 10.0.0.1', 2,
    ),
    "postgresql": Sample(
        "2026-11-23 22:15:23.123 UTC [7] LOG:  database system is ready to accept connections\n"
        "2026-11-23 22:15:24.000 UTC [8] ann@shop ERROR:  duplicate key value\n"
        "2026-11-23 22:15:24.000 UTC [8] ann@shop STATEMENT:  insert into a\n\tvalues (1)\n"
        "2026-11-23 22:15:24.000 UTC [9] FATAL:  no\n",
        MS, "info", "database system is ready to accept connections", 4,
    ),
    "mysql": Sample(
        "2026-11-23T22:15:23.123000Z 0 [System] [MY-010116] [Server] mysqld (mysqld 8.0.36) starting as process 1\n"
        "2026-11-23T22:15:24.000000Z 1 [Warning] [MY-010068] [Server] CA certificate ca.pem is self signed.\n"
        "2026-11-23T22:15:24.000000Z 1 [ERROR] [MY-012574] [InnoDB] Unable to lock ./ibdata1 error: 11\n",
        MS, "info", "mysqld (mysqld 8.0.36) starting as process 1", 3,
    ),
    "mariadb": Sample(
        "2026-11-23 22:15:23 0 [Note] Starting MariaDB 10.11.6\n2026-11-23  2:15:24 0 [ERROR] Aborting\n",
        AT, "info", "Starting MariaDB 10.11.6", 2,
    ),
    "mysql-5": Sample(
        "261123 22:15:23 [Note] Event Scheduler: Loaded 0 events\n261123  2:15:24 [ERROR] Aborting\n"
        "261123 22:15:25 mysqld_safe mysqld from pid file ended\n",
        AT, "info", "Event Scheduler: Loaded 0 events", 3,
    ),
    "klog": Sample(
        "E1123 22:15:23.123000   77 server.go:12] \"refused\" err=\"x\"\nI1123 22:15:24.000001       1 a.go:7] up\n",
        MS, "error", '"refused" err="x"', 2,
    ),
    "docker": Sample(
        '{"log":"ERROR no\\n","stream":"stderr","time":"2026-11-23T22:15:23.123Z"}\n'
        '{"log":"\\tat a.B.c(B.java:1)\\n","stream":"stderr","time":"2026-11-23T22:15:23.124Z"}\n'
        '{"log":"a long l","stream":"stdout","time":"2026-11-23T22:15:23.125Z"}\n'
        '{"log":"ine\\n","stream":"stdout","time":"2026-11-23T22:15:23.125Z"}\n',
        MS, "error", "ERROR no\n\tat a.B.c(B.java:1)", 2,
    ),
    "cri": Sample(
        '2026-11-23T22:15:23.123000000Z stdout F {"level":"error","msg":"no"}\n'
        '2026-11-23T22:15:23.123000001Z stdout P {"level":"info","msg":"long\n'
        '2026-11-23T22:15:23.123000001Z stdout F  line"}\n',
        MS, "error", "no", 2,
    ),
    "redis": Sample(
        "7:M 23 Nov 2026 22:15:23.123 # WARNING overcommit_memory is set to 0!\n"
        "7:M 23 Nov 2026 22:15:24.000 * Ready to accept connections\n",
        MS, "warn", "WARNING overcommit_memory is set to 0!", 2,
    ),
    "haproxy-syslog": Sample(
        "Nov 23 22:15:23 localhost haproxy[14389]: 10.0.1.2:33317 [23/Nov/2026:22:15:23.123] http-in static/srv1 "
        '10/0/30/69/109 503 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"\n'
        "Nov 23 22:15:24 localhost haproxy[14389]: 10.0.1.2:33318 [23/Nov/2026:22:15:24.000] http-in static/srv1 "
        '10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"\n',
        MS, "error", "10.0.1.2:33317 [23/Nov/2026:22:15:23.123] http-in static/srv1 10/0/30/69/109 503 2750 - - ---- "
        '1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"', 2,
    ),
    "kafka": Sample(
        "[2026-11-23 22:15:23,123] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)\n"
        "[2026-11-23 22:15:24,000] ERROR [ReplicaManager broker=0] no (kafka.server.ReplicaManager)\n"
        "java.io.IOException: no\n\tat kafka.a.B.c(B.scala:7)\n",
        MS, "info", "INFO [KafkaServer id=0] started (kafka.server.KafkaServer)", 2,
    ),
    "log4j": Sample(
        "2026-11-23 22:15:23,123 ERROR [main] c.e.Shop - no\njava.lang.IllegalStateException: no\n"
        "\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: x\n\t... 3 more\n"
        "2026-11-23 22:15:24,000 [http-1] INFO  c.e.Shop - up\n"
        "2026-11-23T22:15:24.000+00:00  WARN 1 --- [main] c.e.Shop : spring\n"
        "2026-11-23 22:15:24,747 - INFO  [QuorumPeer] - zookeeper\n",
        MS, "error", "ERROR [main] c.e.Shop - no\njava.lang.IllegalStateException: no\n"
        "\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: x\n\t... 3 more", 4,
    ),
    "spark": Sample(
        "26/11/23 22:15:23 INFO executor.Executor: Running task 0.0\n26/11/23 22:15:24 WARN a.B: slow\n",
        AT, "info", "INFO executor.Executor: Running task 0.0", 2,
    ),
    "windows-cbs": Sample(
        "2026-11-23 22:15:23, Info                  CBS    Loaded Servicing Stack v6.1.7601.23505\n"
        "2026-11-23 22:15:24, Error                 CSI    00000001 failed\n",
        AT, "info", "Loaded Servicing Stack v6.1.7601.23505", 2,
    ),
    "iis": Sample(
        "2026-11-23 22:15:23 10.0.0.2 GET /a b=1 80 - 10.0.0.1 Mozilla/5.0 - 404 0 2 15\n"
        "2026-11-23 22:15:24 10.0.0.2 POST /a - 443 ann 10.0.0.1 Mozilla/5.0 http://a/ 200 0 0 15\n",
        AT, "warn", "10.0.0.2 GET /a b=1 80 - 10.0.0.1 Mozilla/5.0 - 404 0 2 15", 2,
    ),
    "windows-event": Sample(
        "Event[0]:\r\n  Log Name: System\r\n  Source: Service Control Manager\r\n  Date: 2026-11-23T22:15:23.123\r\n"
        "  Event ID: 7031\r\n  Task: N/A\r\n  Level: Error\r\n  Opcode: N/A\r\n  Keyword: Classic\r\n  User: N/A\r\n"
        "  User Name: N/A\r\n  Computer: WEB-1\r\n  Description: \r\n"
        "The Print Spooler service terminated unexpectedly.\r\nIt has done this 1 time(s).\r\n\r\n"
        "Event[1]:\r\n  Log Name: Security\r\n  Source: Microsoft-Windows-Security-Auditing\r\n"
        "  Date: 2026-11-23T22:15:24.1230000Z\r\n  Event ID: 4624\r\n  Task: Logon\r\n  Level: Information\r\n"
        "  Opcode: Info\r\n  Keyword: Audit Success\r\n  User: N/A\r\n  User Name: N/A\r\n  Computer: WEB-1\r\n"
        "  Description: \r\nAn account was successfully logged on.\r\n\r\n",
        MS, "error",
        "The Print Spooler service terminated unexpectedly.\r\nIt has done this 1 time(s).", 2,
    ),
    "windows-event-xml": Sample(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
        "Name='Service Control Manager' Guid='{555908d1-a6d7-4695-8e1e-26931d2012f4}' "
        "EventSourceName='Service Control Manager'/><EventID Qualifiers='16384'>7036</EventID><Version>0</Version>"
        "<Level>3</Level><Task>0</Task><Opcode>0</Opcode><Keywords>0x8080000000000000</Keywords>"
        "<TimeCreated SystemTime='2026-11-23T22:15:23.123000000Z'/><EventRecordID>4711</EventRecordID><Correlation/>"
        "<Execution ProcessID='568' ThreadID='1234'/><Channel>System</Channel><Computer>WEB-1</Computer><Security/>"
        "</System><EventData><Data Name='param1'>Windows Update</Data></EventData></Event>\n"
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='App'/>"
        "<EventID>1</EventID><Level>2</Level><Task>0</Task><Keywords>0x80000000000000</Keywords>"
        "<TimeCreated SystemTime='2026-11-23T22:15:24.1230000Z'/><EventRecordID>4712</EventRecordID>"
        "<Channel>Application</Channel><Computer>WEB-1</Computer><Security UserID='S-1-5-18'/></System>"
        "<EventData><Data>no\n  more</Data></EventData></Event>\n",
        MS, "warn", "<EventData><Data Name='param1'>Windows Update</Data></EventData></Event>", 2,
    ),
    "windows-event-table": Sample(
        "Level\tDate and Time\tSource\tEvent ID\tTask Category\r\n"
        "Error\t11/23/2026 10:15:23 PM\tService Control Manager\t7031\tNone\tThe service stopped.\r\nAgain.\r\n"
        "Information\t1/3/2026 9:05:00 AM\tMicrosoft-Windows-Kernel-General\t16\tNone\tHive\r\n"
        'Warning,11/3/2026 12:00:01 AM,Microsoft-Windows-DNS-Client,1014,(1014),"Name resolution, timed out"\r\n',
        AT, "error", "The service stopped.\nAgain.", 3,
    ),
    "us-time": Sample(
        "11/23/2026 10:15:23 PM Error: no connection\n   at Shop.Main() in C:\\shop.cs:line 7\n"
        "[1/3/2026 9:05:00 am] - up\n",
        AT, "error", "Error: no connection\n   at Shop.Main() in C:\\shop.cs:line 7", 2,
    ),
    "java-logging": Sample(
        "Nov 23, 2026 10:15:23 PM org.apache.catalina.core.StandardService startInternal\n"
        "SEVERE: Failed to start connector\njava.net.BindException: in use\n\tat a.B.c(B.java:1)\n"
        "Nov 3, 2026 9:05:00 AM org.apache.catalina.startup.Catalina start\nINFO: Server startup in 12 ms\n",
        AT, "error",
        "SEVERE: Failed to start connector\njava.net.BindException: in use\n\tat a.B.c(B.java:1)", 2,
    ),
    "logcat": Sample(
        "11-23 22:15:23.123  1702  2395 W WindowManager: slow\n11-23 22:15:24.000  1702  2395 D a: b\n",
        MS, "warn", "slow", 2,
    ),
    "hdfs": Sample(
        "261123 221523 148 INFO dfs.DataNode$PacketResponder: terminating\n"
        "261123 221524 35 WARN dfs.FSNamesystem: x\n",
        AT, "info", "148 INFO dfs.DataNode$PacketResponder: terminating", 2,
    ),
    "iso": Sample(
        "2026-11-23 22:15:23,123 - shop - ERROR - no\nTraceback (most recent call last):\n"
        '  File "a.py", line 1, in <module>\n    x()\nValueError: x\n'
        "[2026-11-23T22:15:24Z] app.CRITICAL: no\n2026-11-23 22:15:25 panic: no\n\ngoroutine 1 [running]:\n"
        "main.main()\n\t/a/b.go:1 +0x1\n",
        MS, "error", "shop - ERROR - no\nTraceback (most recent call last):\n"
        '  File "a.py", line 1, in <module>\n    x()\nValueError: x', 3,
    ),
    "ctime": Sample(
        "[Mon Nov 23 22:15:23.123000 2026] [core:error] [pid 7] (2)No such file\n"
        "[Mon Nov 23 22:15:24 2026] [notice] ok\n",
        MS, "error", "[core:error] [pid 7] (2)No such file", 2,
    ),
    "proxifier": Sample(
        "[11.23 22:15:23] chrome.exe - proxy:5070 open through proxy\n[11.23 22:15:24] a - b close\n",
        AT, "", "chrome.exe - proxy:5070 open through proxy", 2,
    ),
    "epoch": Sample(
        "1795472123.123 WARN disk\n[1795472124] up\n1795472124000 ERROR ms\n- 1795472124 2026.11.23 n1 FATAL bgl\n",
        MS, "warn", "WARN disk", 4,
    ),
    "iso-near": Sample(
        "update-tool 2026-11-23 22:15:23: run\nnova-api.log.1 2026-11-23 22:15:24.008 25746 INFO nova.a [-] b\n",
        AT, "", "update-tool 2026-11-23 22:15:23: run", 2,
    ),
    "plain": Sample(
        "panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/b.go:1 +0x1\nexit status 2\nstarting\n"
        "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: x\n"
        "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: y\n[warn] z\n",
        "", "fatal", "panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/b.go:1 +0x1\nexit status 2", 4,
    ),
}  # fmt: skip
"""By the format's name; `plain` tells no time."""
