"""GNU coreutils and the small tools: which options and operands write."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "ls -la --time-style=full-iso", "ls -- -rf", "cat -A f", "head -n5 f", "tail -F f", "wc -l < f",
    "stat -c %a f", "date", "date -u +%F", "date -d yesterday +%s", "date -Iseconds", "date --iso-8601=ns",
    "date -r f", "hostname", "hostname -f", "hostname -I", "sort -k2,2nr -t, f", "sort -to f", "sort -rnk1 f",
    "sort -- -o f", "sort -o /dev/null f", "sort --compress-program=zstd f", "uniq -c", "uniq -f 1 a",
    "shuf -n 3 f", "shuf -e rm x", "tree -L 2 /srv", "file -b f", "file --mime-type f", "split -n 2/5 f",
    "split -n l/1/4 f", "split -l 9 --filter='grep x' f", "tee /dev/null", "tee", "tee -a /dev/stderr",
    "mktemp -u", "truncate --help", "rm --version", "man ls", "man -k rm", "man -P cat ls", "man 5 crontab",
    "apropos rm", "which rm", "type -a rm", "stty -a", "stty size", "info ls", "echo 1+1 | bc",
    "bc <<< 'scale=2; 10/3'", "column -t -o ' ' f", "column -s, -t f", "hexdump -C f | head", "lscpu",
    "namei -l f", "ldconfig -p", "cksum f", "sha256sum -c f", "od -An -tx1 f", "test -s f && cat f", "[ -d x ]",
    "numfmt --to=iec 1024", "seq 1 10 | paste -sd+", "comm -13 a b", "join -t, -1 1 a b", "tac f", "nl -ba f",
    "env", "env -u A ls", "printenv PATH", "find . -name x -print0 | xargs -0 ls -l",
    "find . -type f -exec sort {} ;", "readlink -f x", "tput cols",
]  # fmt: skip
CHANGES = [
    "date 010100002026", "date -s 10:00", "date --se 10:00", "date -us 1", "hostname x", "hostname -F f",
    "sort -o f f", "sort f -of", "sort -uo f g", "sort --outp=f g", "sort --output f g", "uniq a b",
    "uniq -c a b", "shuf f -o g", "ptx -G a b", "tree -o f", "tree --output f", "tree -aL 1 -o f",
    "file -C -m x", "split f", "split -b 1M f p", "csplit f 5", "tee f", "tee -a f", "tee /dev/null f",
    "cp a b", "mv a b", "ln -s a b", "install -m 644 a b", "mkdir x", "rmdir x", "touch x", "chmod 600 x",
    "chown a x", "mktemp", "mktemp -d", "truncate -s +1M f", "mkfifo x", "touch -d yesterday x", "rename a b *",
    "rename -n 'unlink' *", "logger x", "ipcmk -Q", "info -o f ls", "sponge f", "dircolors && mkdir x",
]  # fmt: skip
DESTROYS = [
    "rm x", "rm -i x", "unlink x", "shred x", "truncate -s0 f", "truncate --si 0 f", "truncate -c -s 1 f",
    "truncate -r a b", "fallocate -p -o 0 -l 9 f", "cp /dev/null f", "cp x /dev/sda", "cp -t /dev/sdb x",
    "tee /dev/sda", "tee /dev//sda", "split --filter='rm x' f", "split -l5 --fil='rm x' f",
    "sort -o /dev/sda f", "man -P 'rm x' ls", "man --pag='rm x' ls", "ipcrm -a", "find . -fprint x -delete",
    "find -exec rm {} +", "find . -name '*' -okdir rm {} ;",
]  # fmt: skip
UNKNOWN = [
    "sort $f", 'sort "$f"', "sort --compress-program=./x f", "uniq *.txt", "uniq $a", "date $x", 'date "$x"',
    "split -n 2/5 $x", "stty -echo", "dc -e '!rm x'", "echo '!ls' | dc", "bc x.bc", "man -C x ls", "man -H ls",
    "rename.x a", "find . -exec uniq {} +",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_coreutils_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
