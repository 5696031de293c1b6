"""Programs that read lines of their own are known."""

from __future__ import annotations

import pytest

from cockpit.shells.nesting import reader


@pytest.mark.parametrize(
    ("line", "inside"),
    [
        ("bash", "bash"),
        ("/bin/sh", "sh"),
        ("bash -l", "bash"),
        ("bash -c 'ls'", ""),
        ("bash script.sh", ""),
        ("sudo -s", "sudo"),
        ("sudo -i -u web", "sudo"),
        ("sudo su - web", "sudo su"),
        ("sudo -u web ls", ""),
        ("sudo -u postgres psql", "sudo psql"),
        ("FOO=1 exec dash", "dash"),
        ("ssh db-1", "ssh"),
        ("cd /tmp && ssh db-1", "ssh"),
        ("kubectl exec -it web-1 -- sh", "kubectl"),
        ("kubectl exec web-1 -- ls", ""),
        ("docker run --rm -it alpine", "docker"),
        ("psql", "psql"),
        ("ls | grep bash", ""),
        ("echo 'unclosed", ""),
        ("", ""),
    ],
)
def test_readers(line: str, inside: str) -> None:
    assert reader(line) == inside
