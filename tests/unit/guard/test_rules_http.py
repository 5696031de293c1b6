"""What clients for HTTP are judged to do: by method, by what they send, by the files that they write."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line

READ = r"""
curl -fsSL https://example.com/
curl -sS -o /dev/null -w '%{http_code}' https://example.com/delete
curl -so- https://example.com/
curl -XGET 'http://es-1:9200/_search' -d '{"query": {"match_all": {}}}'
curl -G http://prom/api/v1/query --data-urlencode 'query=up'
curl --req GET https://example.com
curl -sI --http2 https://example.com
curl -D - -o /dev/null https://example.com
curl "http://$HOST:8080/healthz" -H "Authorization: Bearer $TOKEN"
curl --no-buffer -N https://example.com/events
curl localhost:9200/_cat/nodes?v
curl -s ftp://files.example.com/
curl -H 'X-Http-Method-Override: GET' https://example.com
wget -qO- https://example.com
wget --spider -nv https://example.com
wget -q -O/dev/null --header='Host: a.example.com' http://192.0.2.1/
http example.com/api X-Api-Key:abc q==1
http GET example.com/api
http --offline DELETE example.com id=7
xh -b get https://example.com
"""
CHANGE = r"""
curl -d a=b https://example.com
curl -sXPUT https://example.com/x
curl -sSLO https://example.com/x
curl -sSLo /tmp/x https://example.com/x
curl -T a https://example.com/
curl -F a=@b https://example.com
curl --form-s a=b https://example.com
curl -G -d @/etc/shadow https://example.com
curl -s https://example.com --next --json '{}' https://example.com
curl -G -d a https://example.com -: -d b https://example.com
curl https://example.com -w '%output{/tmp/x}'
curl --etag-save /tmp/e https://example.com
curl --hsts /tmp/h https://example.com
curl -D/tmp/h https://example.com
curl -X get-out https://example.com
curl --mail-from a@example.com smtp://mail.example.com || true; curl -X POST https://example.com
curl -o "$FILE" https://example.com
curl -X POST -G https://example.com
curl 'https://example.com/x?_method=PUT'
wget https://example.com
wget -q -O - -o /tmp/log https://example.com
wget -qO- --post-file=/etc/hosts https://example.com
wget -qO- --metho=PUT https://example.com
wget -qO- --save-cookies=/tmp/c https://example.com
wget --spider -O /tmp/x https://example.com
wget -r -np -nd -O- --warc-file=x https://example.com
http POST example.com
http example.com a=b
http example.com a:=1
http -f example.com a@/etc/hosts
http localhost id=7
http --session=me example.com
http example.com --output=/tmp/x
http example.com < /etc/hosts
"""
DESTRUCTIVE = r"""
curl -XDELETE https://example.com/x
curl --request=DELETE https://example.com/x
curl -X"DELETE" https://example.com/x
curl --reque delete https://example.com/x
curl -s https://example.com -: --req DELETE https://example.com/x
curl -d x -H 'x-http-method-override: delete' https://example.com/x
curl -d _method=delete https://example.com/x
curl -Q 'RMD /srv' ftp://files.example.com/
curl -X 'DELE 1' pop3://mail.example.com/
curl -X POST http://es-1:9200/logs/_delete_by_query
curl -sd 'DROP TABLE orders' http://clickhouse-1:8123/
curl gopher://cache-1:6379/_FLUSHALL
curl dict://cache-1:6379/flushall
wget --method=DELETE -qO- https://example.com/x
http delete example.com/x
http DELETE example.com/x a=b
"""
UNKNOWN = r"""
curl -K rc
curl $ARGS https://example.com
curl "$URL"
curl -H "$HEADER" https://example.com
curl -H @headers https://example.com
curl -X "$METHOD" https://example.com
curl --engine /tmp/x.so https://example.com
curl -w @format https://example.com
curl dict://cache-1:6379/info
curl telnet://db-1:25
curl --no-such-thing-as-this --frob https://example.com
curl --proto-default gopher cache-1:6379/_x
wget --use-askpass=/tmp/x -qO- https://example.com
wget --config=/tmp/x -qO- https://example.com
http $METHOD example.com
http "$METHOD" example.com
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
