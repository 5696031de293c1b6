"""Every place of a shell line where a command can hide is found; what isn't known is never taken for reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.guard.classify import classify_argv, classify_line
from cockpit.guard.findings import rank

DESTROYS = [
    "rm x", "r\\m x", "'rm' x", '"rm" x', "r''m x", "$'\\x72m' x", '$"rm" x', "\\rm x", "/bin/rm x", "r\\\nm x",
    "ls; rm x", "ls && rm x", "ls || rm x", "ls & rm x", "ls | rm x", "ls |& rm x", "! rm x", "ls\nrm x",
    "(rm x)", "{ rm x; }", "if rm x; then ls; fi", "if ls; then rm x; fi",
    "if ls; then ls; elif rm x; then ls; fi", "if ls; then ls; else rm x; fi", "while rm x; do ls; done",
    "until ls; do rm x; done", "for i in 1; do rm x; done", "for i in $(rm x); do ls; done",
    "for ((i=0;i<1;i++)); do rm x; done", "case x in x) rm x;; esac", "case $(rm x) in x) ls;; esac",
    "select i in 1; do rm x; done", "time rm x", "coproc rm x", "f() { rm x; }; f", "function f { rm x; }; f",
    "f() ( rm x ); f", "ls() { rm x; }; ls", "echo $(rm x)", "echo `rm x`", 'echo "$(rm x)"', 'echo "`rm x`"',
    "echo <(rm x)", "ls > >(rm x)", "x=$(rm x)", "x=$(rm x) ls", "export x=$(rm x)", "a=($(rm x))",
    "a[$(rm x)]=1", "echo ${x:-$(rm x)}", "echo $((1 + $(rm x)))", "[[ -n $(rm x) ]]", "[ -n $(rm x) ]",
    "test $(rm x)", "ls > $(rm x)", "ls < $(rm x)", "cat <<EOF\n$(rm x)\nEOF", "cat <<EOF\n`rm x`\nEOF",
    "cat <<< $(rm x)", "cat <<EOF && rm x\nhi\nEOF", "cat <<EOF; rm x\nhi\nEOF", "cat <<EOF | rm x\nhi\nEOF",
    "cat <<'EOF'\nhi\nEOF\nrm x", "sh -c 'rm x'", "sh -c \"rm x\"", "bash -ec 'rm x'", "bash -lc 'rm x'",
    "bash -o pipefail -c 'rm x'", "eval rm x", "eval 'rm x'", "eval \"rm\" 'x'", "bash <<EOF\nrm x\nEOF",
    "bash <<< 'rm x'", "echo 'rm x' | sh", "echo rm x | bash -s", "printf 'rm x\\n' | sh",
    "cat <<EOF | sh\nrm x\nEOF", "trap 'rm x' EXIT", "alias ll='rm x'", "exec rm x", "command rm x",
    "builtin command rm x", "env rm x", "env -i A=b rm x", "env -S 'rm x'", "sudo rm x", "sudo -u root rm x",
    "sudo -n -- rm x", "sudo A=b rm x", "nice -n 5 rm x", "nohup rm x", "timeout 5 rm x",
    "timeout -s KILL 5 rm x", "xargs rm", "xargs -n1 rm", "xargs -I{} rm {}", "find . -exec rm {} ;",
    "find . -delete", "find . -exec sh -c 'rm x' \\;", "find . -name a -ok rm {} \\;", "watch rm x",
    "watch -n 1 'ls; rm x'", "ssh web-1 rm x", "ssh -p 22 web-1 'rm x'", "ssh web-1 -p 22 rm x",
    "ssh web-1 sudo sh -c \"'rm x'\"", "unknown-program rm -r x", "$SUDO rm x", "x=rm; $x y", "x=rm; ${x} y",
    "x=rm; ${x:-ls} y", "for c in ls rm; do $c x; done", "ls > /dev/sda", "(( rm x ))",
    "find <<EOF . -delete\nhi\nEOF", "cat x | xargs <<EOF rm\nhi\nEOF", "bash <<'E'\n\\rm x\nE",
    "sh <<E\n\\rm x\nE", "rm() { ls; }; sh -c 'rm x'", "rm x; rm() { ls; }", "(rm() { ls; }); rm x",
    "ls && rm() { ls; }; rm x", "rm() { ls; }; sudo rm x", "rm() { ls; }; command rm x",
    "cat() { rm \"$1\"; }; cat x", "find / 2>/dev/null -delete", "rm 2>/dev/null -r x", "eval 2>&1 'rm x'",
    "ls && find <a . -delete", "! find <a . -delete", "ls | find <a . -delete", "(find <a . -delete)",
    "cat <<E | sh >/dev/null -x\nrm x\nE", "psql <<E >/dev/null -c 'drop table x'\nselect 1\nE",
    "sudo -i rm -r x", "sudo -i sh -c 'rm x'", "sudo -i eval 'rm x'", "sudo -iu postgres psql -c 'drop table x'",
    "ssh web-1 <<'E'\nls\nrm x\nE", "echo 'rm x' | ssh web-1", "psql -f - <<< 'drop table x'",
]  # fmt: skip
UNKNOWN = [
    "$x", "echo \\$(id)", "`which ls`", "./ls", "~/bin/ls", "/tmp/ls", "no-such-program", "r? x", "/bin/r[m] x",
    ". ./env", "source x", "eval $x", "sh -c $x", 'sh -c "$x"', "bash x.sh", "sh < x.sh", "curl x | sh", "bash",
    "ssh web-1", "ls (", "ls )", "if ls", "ls 'x", 'ls "x', "ls $(", "((", "LD_PRELOAD=x ls", "PATH=. ls",
    "BASH_ENV=x ls", "GIT_PAGER=x ls", "IFS=x ls", "export PATH=.", ":(){ :|:& };:", "f() { g; }; g() { f; }; f",
    "${x@P}", "f; f() { ls; }", "f() { ls; }; sh -c f", "ls\u200b", "ls \u202e", "ls\u00a0-l", "l\u0455",
    "ls \x1b[2J", "ls\r", "ls \x00", "echo $'\\'; x #'", "x=ls; x=cat; $x", "x=; ${x:-rm} y",
    "for PATH in /x; do ls; done", "ls ;; df", "read x; $x", "ssh -o ProxyCommand=x web-1 ls", "{ls,x}",
    "ls <> f", "x='a[$(rm x)]'; echo $((x))", "[[ 'a[$(rm x)]' -eq 0 ]]", "printf -v 'a[$(rm x)]' y",
    "echo x > /dev/tcp/a/1", "cat > /dev/tcp/a/1", "cat x < /dev/null > /dev/tcp/a/1", "echo > /dev/tcp/a/1 x",
    "cat < /dev/null > /dev/tcp/a/1 x", "exec 3<>/dev/tcp/a/1", "bash < /dev/tcp/a/1", "{ ls; } 2>/dev/null x",
    "PATH=/tmp:$PATH ls", "PATH=/usr/bin: ls", "export PATH='$PATH:/bin'; ls", "sudo env 'PATH=$PATH' ls",
    "env LD_PRELOAD=\"$x\" ls", "env $x ls", "/etc/init.d/../../tmp/x status", "sudo -i 'rm x; ls'",
    "echo() { id; }; echo > /dev/tcp/a/1", "sh -c \"$.x\"",
    'find "$@"', 'find "${a[@]}"', 'find "${@:2}"', "find $d -ls", 'find "$(cat x)"', 'find "$1"', 'find . "$x"',
    'find "$d" -name x "$y"', "file $f", 'file "$@"', 'less "-$x"', "xxd $f", 'nc "$h" 1', 'nc -z "$@"',
    'curl "$URL"', 'curl "$@"', "curl $B/x",
    "bin/ls", "./kafka-topics.sh --list", "/opt/x/bin/ls", "/opt/kafka/../../tmp/bin/ls", "/opt/kafka/bin/../x/ls",
    "ssh web-1 <<E\n$x\nE", "cat x | ssh web-1", "psql -f x.sql", "psql -f - -f x.sql <<< 'select 1'",
    "ssh web-1 < x",
]  # fmt: skip
READS = [
    "ls", "ls -la | grep x", "ls > /dev/null", "ls 2>&1", "ls >&2", "ls &> /dev/null", "ls 2>/dev/null 1>&2",
    "ls < f", "# rm x", "ls # rm x", "echo 'rm x'", 'echo "rm x"', "echo rm x", "echo '$(rm x)'",
    "cat <<'E'\n$(rm x)\nE", "cat <<E\nrm x\nE", "grep -r 'rm -r' .", "", "x=1", "x=1 ls",
    "for i in a b; do ls $i; done", "while read l; do echo $l; done", "if [ -f x ]; then cat x; fi",
    "[[ -f x ]] && ls", "test -f x || echo no", "(cd /tmp; ls)", "f() { ls; }; f", "echo $(ls)",
    "echo \"$(id)\"", "ls *.log", "ls {a,b}", "cat /var/log/{a,b}.log", "sh -c 'ls | wc'", "bash -c \"ls\"",
    "sudo ls", "env A=b ls", "timeout 5 ls", "nice ls", "find . -name '*.rm' -print",
    "find . -type f -exec grep x {} +", "ls | xargs -n1 cat", "ssh web-1 ls", "ssh web-1 'ls | wc'",
    "command -v rm", "echo 'ls' | sh", "x=ls; cat x", "x=ls; ${x} -l", "x=ls; ${x:-rm} -l",
    "find / -perm -4000 2>/dev/null -exec stat -c %a {} +", "grep x 2>/dev/null f | wc -l", "ls >/dev/null 2>&1 -l",
    "ssh web-1 </dev/null uptime", "cat <<E >/dev/null -n\nx\nE", "jq \"$.items\" f", "grep \"x$\" f",
    "</dev/tcp/db-1/5432", "(echo > /dev/tcp/db-1/5432) 2>/dev/null && echo open",
    "cat < /dev/null > /dev/tcp/$h/$p", ": > /dev/tcp/db-1/22", "psql -c \"select x->'$.a'\"",
    "for c in id ls; do $c; done", "for f in a b; do sort $f; done", "echo ${x:-rm}", "echo $((1+1))", "time ls",
    "LC_ALL=C ls", "KUBECONFIG=x ls", "case $x in a) ls;; *) cat x;; esac", "sudo -l", "! ls", "env",
    "alias ll='ls -l'", "trap - EXIT", "ls \\\n -l",
    "PATH=$PATH:/usr/sbin ss -s", "env -i PATH=/usr/bin:/bin ps aux", "sudo env \"PATH=$PATH\" ls",
    "PATH=\"$PATH\" ls",
    "sudo -iu postgres psql -Atc 'select pg_current_wal_lsn()'", "/etc/init.d/mysql status",
    'find "$d" -name x', 'find -L "$d" "$e" -type f', 'file "$f"', 'less "$f"', 'xxd "$f"', 'nc -zv "$h" "$p"',
    'dpkg -L "$p"', 'apt-cache policy "$p"', 'curl -s "$B/health"', 'curl -sI "${B}:9090/x"',
    'curl -sG --data-urlencode "start=$(date +%s)" http://loki/x',
    "bin/kafka-topics.sh --list", "/opt/kafka_2.13-3.6.0/bin/kafka-topics.sh --list",
    "/usr/lib/postgresql/15/bin/pg_controldata x", "/usr/pgsql-15/bin/psql -c 'select 1'",
    "ssh web-1 <<'E'\nuptime\ndf -h\nE", "echo uptime | ssh web-1", "psql -f - <<< 'select 1'",
]  # fmt: skip


@pytest.mark.parametrize("line", DESTROYS)
def test_destruction_is_found_wherever_it_hides(line: str) -> None:
    assert classify_line(line).risk == "destructive"


@pytest.mark.parametrize("line", UNKNOWN)
def test_what_nobody_can_tell_is_unknown(line: str) -> None:
    assert classify_line(line).risk == "unknown", classify_line(line).findings


@pytest.mark.parametrize("line", READS)
def test_reading_is_let_through(line: str) -> None:
    assert classify_line(line).risk == "read", classify_line(line).findings


@pytest.mark.parametrize(
    "line",
    ["ls > f", "ls >> f", "ls >| f", "ls &> f", "> f", "[ 10 > 9 ]", "ls 2> f", "ls > $x", "f() { ls; } > f"],
)
def test_a_file_that_is_written_is_a_change(line: str) -> None:
    assert classify_line(line).risk == "change"


def test_arguments_are_no_shell_line() -> None:
    assert classify_argv(["echo", "$(rm x)", ";", "rm"]).risk == "read"
    assert classify_argv(["rm", "-r", "x"]).risk == "destructive"
    assert classify_argv(["sh", "-c", "rm x"]).risk == "destructive"


def test_what_is_too_long_or_too_deep_is_unknown() -> None:
    assert classify_line("ls " + "x" * 70_000).risk == "unknown"
    assert classify_line("( " * 500 + "ls" + " )" * 500).risk == "unknown"
    line = "ls"
    for _ in range(40):
        line = f"env {line}"
    assert classify_line(line).risk == "unknown"


PREFIXES = [
    "sudo {}", "env A=b {}", "nice -n 3 {}", "timeout 9 {}", "nohup {}", "command {}", "time {}", "ssh web-1 {}",
]  # fmt: skip
BLOCKS = [
    "( {} )", "{{ {}; }}", "ls; {}", "{} ; ls", "! {}", "if {}; then ls; fi", "echo $( {} )",
    "for i in 1; do {}; done", "{} | cat",
]  # fmt: skip
SIMPLE = ["ls -l", "rm x", "no-such-program", "find . -delete", "cat x", "ls > f", "ssh web-1 rm x"]


@given(
    st.sampled_from(SIMPLE),
    st.lists(st.sampled_from(PREFIXES), max_size=4),
    st.lists(st.sampled_from(BLOCKS), max_size=4),
)
def test_wrapping_never_lowers_a_risk(command: str, prefixes: list[str], blocks: list[str]) -> None:
    least = rank(classify_line(command).risk)
    for wrapper in prefixes + blocks:
        command = wrapper.format(command)
    assert rank(classify_line(command).risk) >= least, command


@given(st.data())
def test_quoting_a_word_anew_never_lowers_a_risk(data: st.DataObject) -> None:
    words = data.draw(st.sampled_from([each for each in SIMPLE if ">" not in each])).split()
    quoted = [_quoted(word, data) for word in words]
    assert rank(classify_line(" ".join(quoted)).risk) >= rank(classify_line(" ".join(words)).risk), quoted


def _quoted(word: str, data: st.DataObject) -> str:
    parts = []
    for letter in word:
        style = data.draw(st.sampled_from(["{}", "'{}'", '"{}"', "\\{}", "$'\\x{:02x}'"]))
        parts.append(style.format(ord(letter)) if "x{" in style else style.format(letter))
    return "".join(parts)


@given(st.text(max_size=60))
def test_no_text_raises(line: str) -> None:
    classify_line(line)


@given(
    st.lists(
        st.sampled_from(
            [*list("ls rm x;|&<>()${}'\"`\\\n#*?[]!=-~,.EOF"), "$(", "<<E\n", "&&", "||", "fi", "if ", "do "]
        ),
        max_size=40,
    )
)
def test_no_syntax_raises(parts: list[str]) -> None:
    classify_line("".join(parts))
