"""Tools for text: sed's scripts and awk's programs among them."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "sed -n 5p f", "sed '1,5!d' f", "sed -n '/a/,/b/p' f", "sed 's/[/]/x/' f", "sed 's/[^/]*$//' f",
    "sed 's/w/e/g' f", "sed 's|a|w /b|' f", "sed ':a;N;$!ba;s/\\n/ /g' f", "sed y/we/ew/ f", "sed '/x/{n;d}' f",
    "sed -n '$=' f", "sed '1i hello' f", "sed '$a\\' f", "sed -E 's/(a|b)+/x/2g;t;d' f",
    "sed -n 's/x/y/w /dev/stdout' f", "sed '\\,x,d' f", "sed '0~4d' f", "sed '2q' f", "sed 5q f",
    "sed 's/a/b/;s/c/d/' f", "sed '# w x' f", "sed '1r /etc/hosts' f", "sed -s -n '1F' a b",
    "sed --expression=p f", "sed -z 's/\\n/,/g' f", "sed 'a w x' f", "sed 's/a/b/ ; # c' f",
    "sed = f | sed 'N;s/\\n/ /'", "awk '{print $1}' f", "awk -F: '$3>=1000{print $1}' f", "awk '$1 > 5' f",
    "awk '{print ($1 > 5)}' f", "awk 'NR>1' f", "awk '{a[$1]++} END{for(k in a) print k, a[k]}' f",
    "awk '/[/]/{print}' f", "awk '/[^/]+$/' f", "awk '{sub(/[^\\/]*$/, \"\"); print}' f",
    "awk '{print | \"sort -rn\"}' f", "awk 'BEGIN{\"date\" | getline d; print d}'",
    "awk '{print > \"/dev/stderr\"}' f", "awk -v x=1 'BEGIN{print x}'",
    "awk 'BEGIN{print \"system(\\\"rm x\\\")\"}'", "awk '$2 ~ /a|b/ && $3 / $4 > 2' f",
    "awk '{while ((getline l < \"f\") > 0) n++} END{print n}' g", "awk 'NF' f", "gawk --sandbox 1 f",
    "awk 'END{print a / b / c}' f", "awk '{ if ($1 > max) max = $1 } END { print max }' f",
    "awk '\n{print}\n' f", "awk length f", "awk '{printf \"%s\\n\", $0 | \"cat 1>&2\"}' f",
    "grep -rn 'rm -rf' /etc", "grep -e --delete f", "rg -n x src", "rg --pretty x", "jq -r .a f",
    "jq 'del(.x)' f", "yq .a f", 'jq .a "$f"', 'zcat "$f"', "yq -o json . f", "yq -P . f", "less f",
    "less +F f", "less +G f", "less -SR +/rm f", "zless f", "more f", "bat f", "fd -e log",
    "fd -e log -x wc -l", "fd x -X grep y", "fzf < f", "diff -ru a b", "cmp a b", "patch --dry-run -p1 < f",
    "iconv -f latin1 f", "xxd f", "xxd -l 64 f", "xxd -r -p", "xmllint --xpath //a f",
    "xmlstarlet sel -t -v //a f", "mlr --icsv --ojson filter '$x > 5' f",
    "mlr --icsv sort -nr x then head -n 4 f", "strings -n 8 f", "csvlook f", "zgrep x f.gz", "zcat f | awk 1",
]  # fmt: skip
CHANGES = [
    "sed -i s/a/b/ f", "sed -ni p f", "sed -i.bak p f", "sed --in-pl p f", "sed p f -i", "sed -n 'w f' g",
    "sed 's/a/b/w f' g", "sed 's/a/b/pw f' g", "sed '/x/W f' g", "sed '1~2w f' g", "sed '\\,a,w f' g",
    "sed -e 'i\\' -e 'x' -e 'w f' g", "sed --expr='w f' g", "sed '$!w f' g", "sed 's/[/]/x/;w f' g",
    "sed 'y/ab/cd/;w f' g", "sed ':a w' -e 'w f' g", "sed -n '/a/,/b/{/c/!w f\n}' g", "awk '{print > \"f\"}' g",
    "awk '{print > $1}' g", "awk '{print $1, $2 >> \"f\"}' g", "awk '{printf(\"%s\", $1) > \"f\"}' g",
    "awk 'BEGIN{print (1)(2) > \"f\"}'", "awk '{print \"a\" > \"/dev/stderr\" \"x\"}' g",
    "awk '/[/]/{print > \"f\"}' g", "awk '{print a[1 > 2] > \"f\"}' g", "gawk -i inplace 1 f", "gawk -of 1 g",
    "gawk --prof 1 g", "awk '{ print 1 ? 2 : 3 > \"f\" }' g", "yq -i .a=1 f", "yq eval --inplace .a=1 f",
    "jaq -i . f", "xxd a b", "xxd -r a b", "xxd -c 8 a b", "iconv -o f g", "patch -p1 < f", "patch f.c f.diff",
    "less -o f g", "sdiff -o f a b", "xmllint --format f --output g", "xmlstarlet ed -L -d //a f",
    "mlr -I --csv sort -f a f", "mlr --csv tee f g", "mlr --csv put -q 'tee > $a.\".csv\", $*' f", "dos2unix f",
    "mlr --csv split -g a f",
]  # fmt: skip
DESTROYS = [
    "sed '1e rm x' f", "sed '/a/e rm x' f", "sed 's/.*/rm x/e' f", "sed 's/a/b/;e rm x' f",
    "sed 's/[]/]/x/;e rm x' f", "sed -n 'p;e rm x' f", "awk 'BEGIN{system(\"rm x\")}'",
    "gawk 'BEGIN{awk::system(\"rm x\")}'", "awk '{print | \"rm x\"}' f", "awk 'BEGIN{\"rm x\" | getline}'",
    "awk 'BEGIN{c=\"rm x\";system(c)}'", "awk -- 'BEGIN{system(\"rm x\")}'",
    "awk -F: -v a=b 'BEGIN{system(\"rm x\")}'", "awk '/[/]/{system(\"rm x\")}' f",
    "awk '/a[/]b/ {system(\"rm x\")} /]/' f", "awk '{ x = 4 / 2; system(\"rm x\") / 1 }' f",
    "awk -e 'BEGIN{system(\"rm x\")}'", "awk --sou 'BEGIN{system(\"rm x\")}'",
    "awk 'BEGIN{system(\"r\\155 x\")}'", "awk '1;{system(\"rm x\")}' f", "less '+!rm x' f", "less '++!rm x' f",
    "fd -x rm", "fd -e log -X rm -f", "fd --exec=rm", "fd -xrm", "git_unknown | rm x",
]  # fmt: skip
UNKNOWN = [
    "sed -f s f", 'sed "s/$a/b/" f', "sed e f", "sed 's/a/b/e' f", "sed p $f", "sed 'k' f", "sed", "sed -n",
    "sed 's/a/b' f", "awk -f p f", 'awk "$p" f', "awk '{system($0)}' f", "awk '@include \"x\"' f",
    "gawk '@load \"x\"' f", "gawk -l x 1", "gawk '@f()' f", "awk '{print | $1}' f",
    "gawk 'BEGIN{\"x\" |& getline}'", "awk '{print' f", "gawk -i lib 1 f", "awk '{$1 | getline x}' f",
    "rg --pre ./x y", "rg --pre=./x y", "less +:e f", "less -k x f", 'less "+$c" f', "bat --pager=./x f",
    "fzf --preview 'x'", "ack --pager=x y", "yq -s .a f", "mlr --csv put 'system(\"x\")' f",
    "mlr --prepipe x cat f", "jq . | frobnicate", "pandoc --filter ./x f", "xmllint --shell f",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_text_tools_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
