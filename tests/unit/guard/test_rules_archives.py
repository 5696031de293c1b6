"""Archives: the old and the new forms of options, and what archivers run."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "tar tf f", "tar -tf f", "tar tzvf f.tgz", "tar -tvf f x", "tar --list --file=f", "tar --li -f f",
    "tar -dzf f", "tar xOf f m", "tar xfO f m", "tar -xOf f m", "tar xzOf f m | head", "tar cf - x | wc -c",
    "tar -cf - x", "tar c x", "tar cf /dev/null x", "tar -czf - x", "tar -tf f -I zstd",
    "tar -tf f -I 'zstd -T0'", "tar -tf f --exclude='*rm*'", "tar --version",
    "tar -tf f --checkpoint=1 --checkpoint-action=dot", "cat f | tar tz", "unzip -l f", 'unzip -l "$f"',
    "unzip -t f", "unzip -p f m", "unzip -Z1 f", "unzip -qt f", "unzip -v f", "zipinfo f", "zip -sf f",
    "zip -qr - x", "zip -r - x | wc -c", "gzip -l f", "gzip -t f", "gzip -dc f", "gunzip -c f", "gzip -cd f",
    "gzip < f", "cat f | gzip -9 | wc -c", "zcat f", "xz -l f", "xz -dc f", "xz -t f", "xz -T0 -c f",
    "zstd -dc f", "zstd -l f", "zstd -t f", "zstd -d - ", "bzip2 -dc f", "bzip2 -tv f", "lz4 -dc f",
    "pigz -dc f", "brotli -dc f", "zstd -d -c f -o /dev/stdout", "cpio -it < f", "cpio -itv < f", "cpio -t < f",
    "find . | cpio -o | wc -c", "cpio -i --to-stdout x < f", "ar t f", "ar tv f", "ar -t f", "ar p f m",
    "jar tf f", "7z l f", "7z t f", "7z e -so f", "7z x f -so", "7z -y l f", "unrar l f", "unsquashfs -l f",
    "lsar f",
]  # fmt: skip
CHANGES = [
    "tar xf f", "tar -xf f", "tar xzf f -C /", "tar -x -f f", "tar --extr -f f", "tar --get -f f", "tar cf f x",
    "tar czf f x", "tar -cf f x", "tar -c --file=f x", "tar rf f x", "tar -uf f x", "tar -Af f g",
    "tar -tf f --index-file=x", "tar cfz f x", "tar fc f x", "tar cgf s - x", "tar -cg s -f - x",
    "tar xf f --overwrite", "tar -cf - -f f x", "unzip f", "unzip f -l", "unzip -o f", "unzip f -d x",
    "unzip -T f", "zip f x", "zip -r f x", "zip -n - f x", "gzip f", "gzip -k f", "gunzip f", "gzip -9 f",
    "xz f", "unxz -k f", "zstd f", "zstd -d f", "zstd -o g -c f", "zstd --rm -c f", "zstd -dc f -o g",
    "bzip2 f", "lz4 -l f", "lz4 f g", "lz4 -t f -o g", "pbzip2 -l f", "brotli f", "compress f", "cpio -i < f",
    "cpio -idm < f", "cpio -o -O f", "cpio -oF f", "cpio -pdm x", "ar r f x", "ar x f", "ar s f", "ar -q f x",
    "jar xf f", "jar cf f x", "jar uf f t", "7z x f", "7z a f x", "7z e f", "unrar x f", "strip f", "ranlib f",
    "unsquashfs f",
]  # fmt: skip
DESTROYS = [
    "tar --remove-files -cf f x", "tar --remove -cf - x", "tar --delete -f f x", "tar -tf f -I 'rm x'",
    "tar -I'rm x' -tf f", "tar --use='rm x' -tf f", "tar tIf 'rm x' f", "tar tfI f 'rm x'",
    "tar -tf f --checkpoint=1 --checkpoint-action=exec='rm x'", "tar -tf f --checkpoint-action 'exec=rm x'",
    "tar xf f --to-command='rm x'", "tar -xOf f --to-command 'rm x'", "tar -tMF 'rm x' -f f",
    "tar -tf f --new-volume='rm x'", "tar tf h:f --rsh-command='rm x'", "zip -d f x", "zip -qd f x",
    "zip -m f x", "zip -rm f x", "zip --move f x", "zip -T f x -TT 'rm x'", "zip -sf f -TT 'rm x'", "ar d f m",
    "ar -d f m", "7z d f x", "7z a -sdel f x", "rar d f x",
]  # fmt: skip
UNKNOWN = [
    "tar -I ./x -tf f", "tar -tf f $x", "tar $x", "tar -tf h:f", "tar -tf f -T l", "tar f x",
    "tar -tf f --checkpoint-action=x", "tar xf f --to-command=./x", "unzip -l --l f", "unzip -l- f", "unzip $x",
    "unzip -l $x", 'unzip -l "$x" f', "zstd -dc $x", "cpio -it $x", "cpio -it --rsh-command=x", "ar @f",
    "ar --plugin x t f", "7z l $x", "7z $x f", "jar tf $x",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_about_archives_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
