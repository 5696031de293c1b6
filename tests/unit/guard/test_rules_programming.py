"""Editors, interpreters and build tools: code reads only where nothing else is possible."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "python3 -V", "python3 --version", "python3 -m json.tool f", "python3 -m json.tool --indent 2 f",
    "curl_x=1; cat f | python3 -m json.tool", "python3 -m zipfile -l f", "python3 -c 'print(1)'",
    "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"a\"])'",
    "python3 -c 'import sys, json; [print(x[\"n\"]) for x in json.load(sys.stdin)[\"items\"]]'",
    "python3 -c 'import time; print(time.time())'",
    "python3 -c 'import datetime as d; print(d.datetime.now())'",
    "python3 -c 'import urllib.parse,sys; print(urllib.parse.quote(sys.argv[1]))' x",
    "python3 -c 'import json; print(len(json.load(open(\"f\"))))'",
    "python3 -c 'import base64,sys; sys.stdout.write(base64.b64decode(sys.stdin.read()).decode())'",
    "echo 'print(1)' | python3 -", "python3 -c 'print(\"rm -rf /\")'", "perl -ne 'print if /a/'",
    "perl -ne 'print if /ERROR/ .. /^$/' f", "perl -pe 's/a/b/g' f", "perl -lane 'print $F[0]' f",
    "perl -F: -lane 'print $F[0] if $F[2] > 5' /etc/passwd",
    "perl -ne '$c{$1}++ if /x=(\\d+)/; END { print \"$_ $c{$_}\\n\" for sort keys %c }' f",
    "perl -e 'print 1 + 2'", "perl -ne 'print unless $seen{$_}++' f",
    "perl -MPOSIX=strftime -e 'print strftime(\"%F\", localtime)'", "perl -00 -ne 'print if /x/' f",
    "perl -nle 'print length' f", "perl -pe 'tr/a-z/A-Z/' f", "perl -v",
    "perl -ne 'printf \"%d %s\", $., $_ if $. < 5' f", "perl -le 'print for 1..3'", "ruby -c x.rb",
    "ruby --version", "ruby -v", "php -l x.php", "php -v", "node --version", "node -v", "node --check x.js",
    "java -version", "lua -v", "gcc --version", "gcc -dumpversion", "make --version", "vim --version",
    "emacs --version", "php -m", "php -i", "php -r 'echo PHP_VERSION;'", "ruby -e 'puts RUBY_VERSION'",
    "node -p process.version", "node -e 'console.log(process.versions.v8)'",
    "python3 -c 'import socket; print(socket.gethostbyname(\"a\"))'",
    "python3 -c 'import ssl; print(ssl.OPENSSL_VERSION)'", "shellcheck x.sh", "yamllint .", "tflint",
]  # fmt: skip
CHANGES = [
    "perl -e 'print <'\\''>;f(1);'\\''>'", "vim f", "view f", "vi +5 f", "nano f", "emacs f", "ed f",
    "vim -R f", "python3 -m json.tool a b", "python3 -m json.tool --indent 2 a b", "python3 -m http.server",
    "python3 -m venv x", "python3 -m zipfile -e a b", "python3 -c 'open(\"f\",\"w\").write(\"x\")'",
    "perl -pi -e 's/a/b/' f", "perl -i.bak -pe 's/a/b/' f", "ruby -pi -e x f", "gcc x.c", "gcc -v x.c",
    "gcc -o /dev/null x.c", "php -S :80", "javac x.java",
]  # fmt: skip
DESTROYS = [
    "python3 -c 'import shutil; shutil.rmtree(\"x\")'", "python3 -c 'import os; os.system(\"rm x\")'",
    "echo 'import os; os.unlink(\"x\")' | python3", "python3 <<'E'\nimport os\nos.remove('x')\nE",
    "perl -e 'unlink \"x\"'", "perl -ne 'unlink' f", "perl -e 'system(\"rm x\")'", "perl -e '`rm x`'",
    "ruby -e 'File.delete(\"x\")'", "node -e 'require(\"fs\").rmSync(\"x\")'", "php -r 'unlink(\"x\");'",
    "lua -e 'os.remove(\"x\")'", "vim -c '!rm x' -c q", "vim '+!rm x' f", "vim -es +'call delete(\"x\")'",
    "ed f <<< '!rm x'", "emacs --batch --eval '(delete-file \"x\")'",
    "perl -e 'print 4 / 2; system(\"rm x\") / 1'", "perl -ne '-s/x/.unlink(\"y\")/1'",
    "perl -e \"print \\$x'a; unlink('f'); #'\"",
]  # fmt: skip
UNKNOWN = [
    "ruby -e 'puts RUBY_VERSION; f'", "ruby -rx -e 'puts RUBY_VERSION'", "node -r ./x -p process.version",
    "node -p process.exit", "php -m x.php", "php -d auto_prepend_file=x -m",
    "python3 -c 'import socket; socket.socket()'", "python3 -c 'from socket import *'", "tflint -c x",
    "python3", "python3 x.py", "python3 -m x", "python3 -i -c 'print(1)'", "python3 -c 'import x'",
    "python3 -c 'f = open; f(\"a\", \"x\")'", "python3 -c '(lambda open: 0); open(\"a\", m)'",
    "python3 -c 'import sys; sys.path.insert(0, \"/x\"); import csv'", "python3 -c '__import__(\"x\")'",
    "python3 -c 'eval(input())'", "python3 -c 'exec(x)'", "python3 -c 'getattr(1, \"x\")()'",
    "python3 -c 'print(().__class__)'", "python3 -c 'from os import path'",
    "python3 -c 'import json as open; open(\"a\", m)'", "python3 -X importtime -c 'print(1)'",
    'python3 -c "$x"', "python3 -c 'import sys; sys.modules'", "python3 -c 'class A: pass'",
    "python3 -c 'open(*a)'", "perl x.pl", "perl -c x.pl", "perl -ne 'eval'", "perl -ne '{unlink_}' f",
    "perl -ne 'print' 'x|'", "perl -ne 'print' '>x'", "perl -ne print $f", "perl -ne 'print' *",
    "perl -ne 's/a/b/e' f", "perl -ne 'print \"@{[ f ]}\"'", "perl -ne 'print \"$x[f 1]\"'",
    "perl -ne '/(?{ f })/'", "perl -Mx -e 1", "perl -F'/x/,f,/' -ane 1",
    "perl -ne 'BEGIN{@ARGV=(\"x|\")} print'", "perl -e '$ARGV[0]=\"x|\"; print while <>'",
    "perl -e 'print <\"x\">'", "perl -e '&$x'", "perl -e '&{\"x\"}'", "perl -e '$x->f'", "perl -e '$x->(1)'",
    "perl -e 'do \"x\"'", "perl -e 'require x'", "perl -e \"print 1\n=pod\n ' \n=cut\nf(1)\n#'\"",
    "perl -d -e 1", "ruby x.rb", "ruby -e 'puts 1'", "ruby -v x.rb", "ruby -c -r ./x y", "php x.php",
    "php -r 'echo 1;'", "php -d extension=x -l f", "node x.js", "node -e 1", "lua x.lua", "java -jar x.jar",
    "java -agentpath:/x -version", "make", "make -n", "cmake .", "R -e 1", "mvnw x",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_code_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
