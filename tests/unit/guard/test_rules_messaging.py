"""Kafka's tools, RabbitMQ, NATS, Pulsar and MQTT."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "nats stream ls", "rabbitmqctl list_queues", "rabbitmqctl status", "rabbitmq-diagnostics ping",
    "rabbitmqctl -n rabbit@x list_users", "kafka-topics.sh --list --bootstrap-server x",
    "kafka-consumer-groups.sh --bootstrap-server x --list",
    "kafka-console-consumer.sh --bootstrap-server x --topic y --from-beginning --max-messages 5",
    "kcat -L -b x", "kcat -C -b x -t y -o -5 -e", "mosquitto_sub -t 'x/#' -h y",
    "rabbitmqctl list_queues -p / name messages", "rabbitmq-diagnostics check_running",
    "rabbitmqadmin list queues",
    "kafka-topics --bootstrap-server x --describe --under-replicated-partitions",
    "kafka-consumer-groups --bootstrap-server x --describe --group y --members --verbose",
    "kafka-consumer-groups --bootstrap-server x --describe --all-groups",
    "kafka-configs --bootstrap-server x --describe --entity-type brokers --all",
    "kafka-acls --bootstrap-server x --list", "kafka-log-dirs.sh --bootstrap-server x --describe",
    "kafka-metadata-quorum.sh --bootstrap-server x describe --status",
    "kafka-reassign-partitions.sh --bootstrap-server x --list", "nats server ls", "nats kv ls",
    "nats consumer report ORDERS", "nats stream view ORDERS", "nats sub 'orders.>'",
    "pulsar-admin topics stats persistent://a/b/c", "pulsar-admin namespaces list a",
    "kafka-topics --version", "kafka-topics.sh --list --zookeeper x",
    "kafka-topics.sh --bootstrap-server=x --describe --topics-with-overrides",
    "kafka-consumer-groups.sh --bootstrap-server x --describe --group y --offsets",
    "kafka-consumer-groups.sh --bootstrap-server x --list --state",
    "kafka-console-consumer --bootstrap-server x --topic y --partition 0 --offset 5 --property print.key=true",
    "kafka-run-class kafka.tools.GetOffsetShell", "kafka-get-offsets.sh --bootstrap-server x --topic y",
    "kafka-broker-api-versions.sh --bootstrap-server x", "kcat -b x -L -t y -J",
    "kcat -b x -C -t y -p 0 -o -1 -c 1", "kafkacat -b x -L", "rabbitmqctl list_connections pid peer_host",
    "rabbitmqctl list_channels", "rabbitmqctl list_exchanges", "rabbitmqctl list_bindings -p x",
    "rabbitmqctl list_permissions", "rabbitmqctl list_policies", "rabbitmqctl list_vhosts",
    "rabbitmqctl environment", "rabbitmqctl report", "rabbitmqctl node_health_check",
    "rabbitmq-diagnostics status", "rabbitmq-diagnostics memory_breakdown",
    "rabbitmq-diagnostics check_port_connectivity", "rabbitmq-diagnostics listeners",
    "rabbitmq-diagnostics -q alarms", "rabbitmq-queues quorum_status x", "rabbitmq-plugins list",
    "rabbitmqadmin show overview", "rabbitmqadmin -V x list queues name messages", "nats server info",
    "nats server report jetstream", "nats server check connection", "nats account info",
    "nats stream report", "nats kv history x y", "nats rtt", "nats context ls",
    "pulsar-admin brokers healthcheck", "pulsar-admin topics list a/b", "pulsar-admin clusters list",
    "mosquitto_sub -h x -t '$SYS/#' -C 5 -v",
    "kafka-run-class.sh kafka.tools.GetOffsetShell --broker-list x",
]  # fmt: skip
CHANGES = [
    "rabbitmqctl stop_app",
    "kafka-consumer-groups.sh --bootstrap-server x --group y --topic z --reset-offsets --to-latest --exec",
    "kafka-console-consumer.sh --bootstrap-server x --topic y --group z", "kcat -b x -t y",
    "kcat -P -b x -t y", "mosquitto_pub -t x -m y", "rabbitmqctl add_user x y",
    "kafka-configs --bootstrap-server x --alter --entity-type topics --entity-name y --add-config a=b",
    "kafka-consumer-groups.sh --reset-offsets --execut --bootstrap-server x",
    "kafka-console-consumer.sh --topic x --consumer-property group.id=y",
    "kafka-console-consumer.sh --topic x --consumer-property=group.id=y", "kcat -b x -t y -l z",
    "kcat -G g -b x t", "mosquitto_sub -t x -c",
]  # fmt: skip
DESTROYS = [
    "kafka-topics.sh --bootstrap-server x --del --topic y", "rabbitmqadmin delete queue name=x",
    "rabbitmqctl delete_queue x",
    "kafka-acls --bootstrap-server x --remove --allow-principal User:x --topic y",
    "pulsar-admin topics delete x", "rabbitmqctl purge_queue x", "rabbitmqctl -p list_queues purge_queue x",
    "kafka-topics.sh --bootstrap-server x --topic list --delete", "nats stream rm x",
    "nats -s x stream purge y",
]  # fmt: skip
UNKNOWN = [
    "kafka-console-consumer.sh --bootstrap-server x --topic y --consumer.config z --foo",
    "rabbitmqctl eval x", "kafka-console-consumer.sh --topic x --formatter my.Class",
    "kcat -C -b x -t y -F z", "kafka-run-class.sh x.Y",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_messaging_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
