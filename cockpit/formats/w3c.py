"""W3C extended logs, as IIS, Exchange and proxies write them: a line that begins with `#Fields:` names what follows.

From W3C's working draft "Extended Log File Format" (WD-logfile-960323) and IIS's documentation of its fields. Times
are UTC.
"""

from __future__ import annotations

import re

from cockpit.formats.declaration import Declaration

ATTRIBUTES = {
    "s-ip": "server.address",
    "s-port": "server.port:int",
    "c-ip": "client.address",
    "cs-method": "http.request.method",
    "cs-uri-stem": "url.path",
    "cs-uri-query": "url.query",
    "cs-username": "user.name",
    "cs(user-agent)": "user_agent.original",
    "cs(referer)": "http.request.header.referer",
    "sc-status": "http.response.status_code:int",
    "sc-bytes": "http.response.body.size:int",
    "cs-bytes": "http.request.body.size:int",
    "cs-host": "server.address",
    "time-taken": "w3c.time_taken:int",
}
"""OpenTelemetry's names by W3C's; others keep theirs, after `w3c.`."""
FIELDS = 64
"""Fields looked at."""

_DIRECTIVE = re.compile(rb"^#Fields:[ \t]*([^\r\n]{1,4096})", re.MULTILINE)


def w3c_declaration(sample: bytes) -> Declaration | None:
    """Return the format that a log's `#Fields:` describes; None where it says nothing or tells no time."""
    found = _DIRECTIVE.search(sample)
    names = found[1].decode("ascii", "replace").split()[:FIELDS] if found else []
    if "time" not in names or names[names.index("time") - 1] != "date" or "\t" in names:
        return None
    pattern, attributes, status = [], {}, ""
    for number, name in enumerate(names):
        group = f"f{number}"
        if name == "date":
            continue
        if name == "time":
            pattern.append("(?P<time>)")
            continue
        pattern.append(f"(?P<{group}>[^ \\t\\r]+)")
        attributes[group] = ATTRIBUTES.get(name.lower(), f"w3c.{name.lower()}")
        if name == "sc-status":
            status = group
    return Declaration(
        name="iis",
        pattern=r"[ \t]".join(pattern),
        time="%Y-%m-%d[ \t]%H:%M:%S%N",
        zone="UTC",
        level=status,
        scale="status",
        search=False,
        body=next(iter(attributes), ""),
        fields=attributes,
    )
