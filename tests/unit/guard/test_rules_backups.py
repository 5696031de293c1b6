"""Backups: what lists them reads, what makes room destroys."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "restic snapshots",
    "restic -r sftp:backup-1:/srv stats latest",
    "restic ls -l latest /srv",
    "restic dump latest /etc/hosts",
    "restic forget --keep-last 3 --dry-run",
    "restic key list",
    "borg list /backup",
    "borg --info diff /backup::a b",
    "borg prune -n --keep-daily 7 /backup",
    "borg check /backup",
    "rclone ls remote:bucket",
    "rclone lsf -R --files-only remote:bucket/x",
    "rclone check a: b: --one-way",
    "rclone sync a: b: --dry-run",
    "rclone cat remote:x",
    "barman list-backup main",
    "barman -c /etc/barman.conf check main",
    "pgbackrest --stanza=main info",
    "wal-g backup-list --pretty",
    "wal-g st ls basebackups_005",
]
CHANGES = [
    "restic backup /srv",
    "restic dump -t out.tar latest /",
    "restic unlock",
    "restic cache --cleanup",
    "borg create /backup::x /srv",
    "borg mount /backup /mnt",
    "rclone copy a: b:",
    "rclone check a: b: --combined out",
    "rclone ls a: --log-file x",
    "barman backup main",
    "pgbackrest backup",
    "wal-g backup-push /var",
]
DESTROYS = [
    "restic forget --keep-last 3",
    "restic forget latest",
    "restic prune",
    "borg delete /backup::x",
    "borg check --repair /backup",
    "rclone sync a: b:",
    "rclone purge a:x",
    "barman delete main oldest",
    "pgbackrest expire",
    "wal-g delete retain 3",
]
UNKNOWN = [
    "restic --password-command ./x snapshots",
    "restic -o sftp.command=./x snapshots",
    "borg --rsh ./x list r",
    "RESTIC_PASSWORD_COMMAND=./x restic snapshots",
    "BORG_RSH=./x borg list",
    "rclone --config x ls a:",
    "rclone ls :sftp,ssh=x:/",
    "rclone lsd --sftp-ssh ./x a:",
    "barman -c ./x check main",
    "pgbackrest info --cmd=./x",
    'rclone ls "$x"',
]


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_backups_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
