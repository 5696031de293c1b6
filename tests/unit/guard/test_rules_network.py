"""What programs for the network are judged to do."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line

READ = r"""
ip
ip a
ip -4 -br a s
ip -s -d link show dev eth0
ip -n blue route
ip route get 192.0.2.1
ip -all netns exec ip addr
ip netns exec blue ip -br link
ip netns pids blue
ip xfrm state
ip monitor
ip -j neigh show "$DEV"
tc qdisc
tc -s class show dev eth0
bridge vlan
nmcli
nmcli c s
nmcli -t -f NAME,DEVICE con show --active
nmcli dev wifi
nmcli general hostname
btrfs fi df /srv
ss -tlnp
ss -D - -t
ifconfig -a
ifconfig eth0
route -n
arp -an
nc -zv -w 2 db-1 5432
echo ruok | nc -w1 zk-1 2181
echo stats | nc -q1 cache-1 11211
echo 'show stat' | socat - /run/haproxy/admin.sock
nmap -oX - -p- db-1
nmap --script=ssl-cert -p 443 web-3
tcpdump -nni any -c 20 port 53
tcpdump -r a.pcap -w -
tshark -r a.pcap -o tls.keylog_file:k.log -Y http
iptables -t nat -L -n -v
iptables -L INPUT -nv --line-numbers
iptables -S
nft list table inet filter
nft -c -f rules.nft
firewall-cmd --zone=public --list-all
firewall-cmd --query-service=http
ipset test blocked 192.0.2.1
ufw status numbered
ethtool -S eth0
iw dev wlan0 link
wg show
conntrack -L -p tcp
ipvsadm -Ln --stats
openssl s_client -connect web-3:443 < /dev/null
openssl x509 -in a.pem -noout -enddate
openssl s_client -connect mail-1:25 -starttls smtp -provider default
ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
ssh-keygen -F web-3
ssh-add -l
chronyc -n sources -v
ntpq -pn
ntpq -c rv
dig +short -x 192.0.2.1 @ns-1
rsync -avn --delete a/ b/
rsync -n -e 'ssh -p 2222 -i /root/key' a/ web-3:b/
rsync --list-only web-3:/srv/
rsync -an --rsync-path='sudo rsync' web-3:/srv/ /srv/
vtysh -c 'show ip bgp summary'
snmpwalk -v2c -c public sw-1 IF-MIB::ifTable
grpcurl -plaintext web-3:9090 list
grpcurl -plaintext web-3:9090 grpc.health.v1.Health/Check
rndc status
unbound-control stats_noreset
sftp web-3 <<< 'ls -l /srv'
"""
CHANGE = r"""
ip a a 192.0.2.4/24 dev eth0
ip l s eth0 down
ip -6 r del default
ip netns add blue
ip neigh flush dev eth0
ip xfrm state flush
tc qdisc add dev eth0 root netem delay 100ms
tc q r dev eth0 root
bridge fdb add 00:11:22:33:44:55 dev eth0
nmcli con up eth0
nmcli d dis eth0
nmcli radio wifi off
nmcli general hostname web-9
btrfs filesystem label /srv data
btrfs dev stats -z /srv
ss --ki dst 192.0.2.1
ifconfig eth0 down
route add default gw 192.0.2.1
arp -d 192.0.2.1
nc -lvp 4444
ncat --listen 4444 --exec /bin/sh
socat TCP-LISTEN:80,fork TCP:web-3:80
nmap -oA scan web-3
tcpdump -i eth0 -wdump.pcap
tshark -r a.pcap --export-objects http,/tmp/x
iptables -t nat -nvL -Z
iptables --app INPUT -j DROP
iptables-save --file /tmp/x
nft -f rules.nft
nft list ruleset ';' add table x
firewall-cmd --reload
firewall-cmd --list-all --add-port=80/tcp
ufw allow 80
ethtool -K eth0 tso off
conntrack -D -s 192.0.2.1
conntrack -L -z
openssl req -x509 -newkey rsa:2048 -keyout k.pem
openssl x509 -in a.pem -noout -out=b.txt
ssh-keygen -R web-3
ssh-keygen -lf k -R web-3
ssh-keygen -t ed25519 -f k
ssh-add key
chronyc makestep
rsync -a a/ b/
rsync -n --log-file=/tmp/l a/ b/
rsync -n --no-dry-run a/ b/
vtysh -c 'show version' -c 'conf t'; rndc reload
exportfs -ra
"""
DESTRUCTIVE = r"""
ip netns exec blue rm -rf /srv
ip -a netns exec rm -rf /srv
btrfs su d /srv/snap
nmcli con delete eth0
iptables -t nat -F
iptables --flus
iptables -nvLX
nft flush ruleset
nft 'list tables; delete table inet filter'
ipset destroy
ipvsadm -C
ufw --force reset
tcpdump -G 1 -w x%s -z '/bin/rm' -i eth0
echo flush_all | nc cache-1 11211
printf 'DEL checkout' | nc cache-1 6379
rsync -a --delete-aft a/ b/
rsync -n -e 'rm -rf /srv; ssh' a/ web-3:b/
rsync -an --rsync-path='rm -rf /srv; rsync' web-3:/srv/ /srv/
printf 'ls\nrm dump.sql\n' | sftp web-3
sftp web-3 <<< '!rm -rf /srv'
rndc delzone example.com
"""
UNKNOWN = r"""
ip "$WHAT"
ip addr $CMD
ip -b changes
ip -force -batch changes
tc -b x
nmcli $ARGS
nc db-1 5432
nc -z $ARGS
cat x | nc db-1 5432
echo 'set x' | nc cache-1 11211
nmap --script /tmp/x.nse db-1
tshark -X lua_script:x.lua -r a.pcap
openssl x509 -engine /tmp/x.so -in a.pem
cat x | openssl s_client -connect web-3:443
ssh-keygen -e -D /tmp/x.so
socat - EXEC:/bin/sh
grpcurl -plaintext web-3:9090 shop.Orders/Cancel
rsync -n -M--log-file=/tmp/x a/ web-3:b/
vtysh
telnet db-1 25
ntpq
"""
CASES = [
    (line, risk)
    for risk, lines in (
        ("read", READ),
        ("change", CHANGE),
        ("destructive", DESTRUCTIVE),
        ("unknown", UNKNOWN),
    )
    for line in lines.strip().splitlines()
]


@pytest.mark.parametrize(("line", "risk"), CASES, ids=[line for line, _ in CASES])
def test_a_line_is_judged_by_what_it_does(line: str, risk: str) -> None:
    got = classify_line(line)
    assert got.risk == risk, got.findings
