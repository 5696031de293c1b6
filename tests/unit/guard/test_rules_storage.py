"""What programs for disks and file systems are judged to do."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line

READ = r"""
df -hT /srv
lsblk -o NAME,SIZE,FSTYPE
mount
mount -t ext4 -l
findmnt -t nfs
fdisk -l
sfdisk -d /dev/sda
sfdisk --json /dev/sda
sgdisk -p -i 1 /dev/sda
parted -s /dev/sda unit s print free
parted -l
parted /dev/sda p
dd if=/dev/sda bs=1M count=1 of=/dev/null
dd if=/srv/big iflag=direct bs=1M status=progress of=/dev/null
lvs -a -o +devices --units g
pvscan
vgcfgrestore -l vg0
lvm lvs
lvremove --test vg0/x
dmsetup table --showkeys
mdadm -D --scan
mdadm --examine /dev/sdb1
zfs list -t snapshot -r tank
zfs get -H -o value used tank
zfs destroy -nv tank/a@b
zpool iostat -v 5
zpool import -d /dev/disk/by-id
smartctl -a -d sat /dev/sda
smartctl -l error /dev/sda
hdparm -I /dev/sda
nvme smart-log /dev/nvme0
cryptsetup luksDump /dev/sda2
losetup -a
losetup -j /srv/x.img
swapon --show=NAME,SIZE
fstrim -nv /
wipefs /dev/sda
tune2fs -l /dev/sda1
e2fsck -n -f /dev/sda1
fsck -N /dev/sda1
debugfs -R 'stat <2>' /dev/sda1
xfs_db -r -c frag /dev/sda1
xfs_quota -x -c 'report -ugh' /srv
multipath -ll
multipathd show paths
iscsiadm -m session -P 3
ceph -s
ceph health detail
ceph osd pool ls detail
ceph osd df tree
ceph -f json pg dump
ceph pg 1.2f query
rados df
rbd -p volumes ls -l
rbd snap ls volumes/a
exportfs -v
blockdev --getsize64 /dev/sda
gluster volume heal data info
drbdadm status
"""
CHANGE = r"""
mount /dev/sdb1 /mnt
mount -a
mount -o remount,ro /
sfdisk -d --activate /dev/sda 1
sgdisk -p --backup=/tmp/x /dev/sda
dd if=/dev/sda of=/srv/sda.img
dd of=x if=y
vgchange -ay vg0
lvresize -L +10G vg0/data
mdadm -D --fail /dev/md0 /dev/sdb1
zfs set quota=1G tank/a
zpool import tank
zpool events -c
smartctl -t short /dev/sda
smartctl -l scterc,70,70 /dev/sda
hdparm -W 0 /dev/sda
hdparm -S24 /dev/sda
losetup /dev/loop0 x.img
swapon -a
tune2fs -l -c 10 /dev/sda1
e2fsck -nc /dev/sda1
e2label /dev/sda1 data
debugfs -R 'dump /etc/passwd /tmp/x' /dev/sda1
iscsiadm -m node -T iqn.x -p 192.0.2.1 --login
ceph osd out 3
ceph config set osd debug_osd 10
ceph osd tree -o /tmp/x
rbd map volumes/a
blockdev --setro /dev/sda
"""
DESTRUCTIVE = r"""
mkfs.ext4 /dev/sdb1
mkfs -t xfs /dev/sdb1
mkfs.vfat -n DATA /dev/sdb1
mke2fs -n -S /dev/sdb1
fdisk /dev/sdb
sfdisk -l --delete /dev/sdb
sgdisk -pZ /dev/sdb
parted -s /dev/sdb print rm 1
parted /dev/sdb unit s mklabel gpt
dd if=/dev/zero of=/dev/sdb
dd if=/dev/zero of="/dev/$DISK"
lvm lvremove vg0/x
lvresize -L 10G vg0/data
lvresize --size -10G vg0/data
mdadm --detail --zero-superblock /dev/sdb1
mdadm --cre /dev/md1 -l 1 -n 2 /dev/sdb1 /dev/sdc1
zfs destroy tank/a
zfs receive -Fu tank/a
zpool labelclear /dev/sdb
hdparm --security-erase x /dev/sdb
nvme format /dev/nvme0n1
cryptsetup -q luksErase /dev/sdb
wipefs --al /dev/sdb
xfs_repair -L /dev/sdb1
badblocks -svw /dev/sdb
debugfs -w -R 'rm /x' /dev/sdb1
ceph osd pool delete a a --yes-i-really-really-mean-it
ceph osd purge 3
ceph -s osd purge 3
ceph pg 1.2f mark_unfound_lost delete
rbd snap purge volumes/a
rados -p x rm y
"""
UNKNOWN = r"""
dd $ARGS
dd if=/dev/sda "$TARGET"
parted /dev/sda
parted /dev/sda $CMD
lvs --config 'log{file="/tmp/x"}'
lvm
zpool status -c script
xfs_db /dev/sda1
debugfs /dev/sda1
debugfs -f script /dev/sda1
ceph
ceph --admin-daemon /run/x.asok status
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
