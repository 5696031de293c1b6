"""Python: code that only looks at what it reads, and modules that are run by name.

Source: the documentation of Python 3.13. Code is parsed by Python's own grammar; every name, attribute and module in
it has to be one that can only read, and none begins with an underscore.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence, Set

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.languages.code import plain
from cockpit.guard.options import Form, split
from cockpit.guard.words import Word, literal

_MODULES = frozenset(
    {
        "sys", "json", "re", "math", "datetime", "time", "collections", "itertools", "functools", "string", "base64",
        "binascii", "hashlib", "textwrap", "statistics", "urllib.parse", "ipaddress", "uuid", "decimal", "fractions",
        "random", "secrets", "calendar", "zlib", "operator", "bisect", "heapq", "pprint", "html", "struct", "csv",
        "platform", "zoneinfo", "ssl", "socket",
    }
)  # fmt: skip
_BUILTINS = frozenset(
    {
        "print", "len", "sorted", "sum", "min", "max", "abs", "round", "int", "float", "str", "bytes", "bool", "list",
        "dict", "set", "tuple", "frozenset", "enumerate", "zip", "map", "filter", "range", "reversed", "any", "all",
        "isinstance", "type", "repr", "ord", "chr", "hex", "oct", "bin", "divmod", "pow", "format", "input", "iter",
        "next", "Exception", "ValueError", "KeyError", "TypeError", "IndexError",
    }
)  # fmt: skip
_ATTRIBUTES = frozenset(
    {
        # of modules
        "load", "loads", "dumps", "stdin", "stdout", "stderr", "buffer", "argv", "version", "version_info", "maxsize",
        "platform", "byteorder", "prefix", "executable", "sub", "subn", "search", "match", "fullmatch",
        "findall", "finditer", "compile", "escape", "group", "groups", "groupdict", "start", "end", "datetime",
        "date", "timedelta", "timezone", "utc", "now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp",
        "timestamp", "isoformat", "fromisoformat", "strftime", "strptime", "total_seconds", "days", "seconds", "time",
        "ctime", "gmtime", "localtime", "Counter", "OrderedDict", "defaultdict", "deque", "most_common", "elements",
        "groupby", "chain", "islice", "count", "itemgetter", "b64encode", "b64decode", "urlsafe_b64decode",
        "urlsafe_b64encode", "hexlify", "unhexlify", "md5", "sha1", "sha256", "sha512", "hexdigest", "digest", "mean",
        "median", "stdev", "quantiles", "parse", "quote", "unquote", "quote_plus", "unquote_plus", "urlparse",
        "urlsplit", "parse_qs", "parse_qsl", "urlencode", "urljoin", "ip_address", "ip_network", "hosts", "subnets",
        "network_address", "broadcast_address", "num_addresses", "netmask", "prefixlen", "uuid4", "uuid1",
        "token_hex", "token_urlsafe", "randint", "random", "choice", "floor", "ceil", "sqrt", "log", "log10", "log2",
        "pi", "pprint", "pformat", "unpack", "reader", "DictReader", "decompress", "ZoneInfo", "Decimal", "Fraction",
        "machine", "node", "release", "python_version", "unescape", "crc32",
        "OPENSSL_VERSION", "gethostbyname", "gethostbyaddr", "getaddrinfo", "gethostname", "getfqdn",
        # of what is read
        "read", "readline", "readlines", "split", "rsplit", "splitlines", "strip", "lstrip", "rstrip", "join", "get",
        "items", "keys", "values", "startswith", "endswith", "replace", "lower", "upper", "title", "index", "find",
        "append", "extend", "insert", "add", "pop", "setdefault", "update", "sort", "reverse", "decode", "encode",
        "isdigit", "partition", "rpartition", "zfill", "ljust", "rjust", "center", "copy", "hostname", "port",
        "netloc", "scheme", "query", "year", "month", "day", "hour", "minute", "second", "weekday", "format", "exit",
        "hex", "write", "writelines", "flush", "writer", "writerow", "reduce", "intersection", "union", "difference",
        "issubset", "dump",
    }
)  # fmt: skip
_OPTIONS = frozenset({"-c", "-u", "-s", "-S", "-E", "-I", "-B", "-b", "-O", "-q"})
_FORBIDDEN = (ast.Delete, ast.Global, ast.Nonlocal, ast.ClassDef, ast.AsyncFunctionDef, ast.Await)
_RUN = {
    "json.tool": Risk.READ, "site": Risk.READ, "sysconfig": Risk.READ, "platform": Risk.READ, "calendar": Risk.READ,
    "this": Risk.READ, "base64": Risk.READ, "tokenize": Risk.READ, "ast": Risk.READ,
    "http.server": Risk.CHANGE, "venv": Risk.CHANGE, "virtualenv": Risk.CHANGE, "py_compile": Risk.CHANGE,
    "compileall": Risk.CHANGE, "ensurepip": Risk.CHANGE, "zipapp": Risk.CHANGE,
}  # fmt: skip


def python(call: Call) -> list[Finding]:
    """Judge `python -c CODE`, `python -m MODULE` and scripts."""
    codes, modules = call.values("-c")[:1], call.values("-m")[:1]
    if modules and not codes:
        return _module(call, modules[0])
    if call.has("-V", "--version") and not call.parts.operands:
        return [call.finding(Risk.READ, "prints its version")]
    stdin = not codes and all(word.text == "-" for word in call.parts.operands[:1])
    if stdin and call.given != NOTHING and call.given.text is not None:
        codes = [literal(call.given.text)]
    plainly = all(set(option.names) <= _OPTIONS for option in call.parts.options)
    old = "2" in (call.words[0].text or "") or (call.words[0].text or "").endswith("python")
    if old and any("input" in (word.text or "") for word in codes):
        plainly = False  # Python 2 runs what it is given there
    if codes and plainly and all(word.text is not None and _only_reads(word.text) for word in codes):
        return [call.finding(Risk.READ, "looks at what it reads")]
    return [call.finding(Risk.UNKNOWN, "runs code, which may do anything"), *plain(call, codes)]


def _only_reads(text: str) -> bool:
    """Return whether code is made of nothing but names that only read."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    nodes = list(ast.walk(tree))
    own = set(_named(nodes))
    if own & (set(dir(builtins)) - _BUILTINS):
        return False  # a name that means something else in one place still means itself in another
    opens = {id(node.func) for node in nodes if isinstance(node, ast.Call) and _opens_to_read(node)}
    return all(id(node) in opens or _reads(node, own) for node in nodes)


def _named(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the names that code gives something."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((each.asname or each.name).partition(".")[0] for each in names)


def _opens_to_read(node: ast.Call) -> bool:
    """Return whether a call is `open(name)`, or with a mode that reads."""
    modes = [each.value if isinstance(each, ast.Constant) else None for each in node.args[1:]]
    return (
        isinstance(node.func, ast.Name)
        and node.func.id == "open"
        and 1 <= len(node.args) <= 2
        and not any(isinstance(each, ast.Starred) for each in node.args)
        and all(mode in {"r", "rb", "rt"} for mode in modes)
        and all(each.arg in {"encoding", "errors"} for each in node.keywords)
    )


def _reads(node: ast.AST, own: Set[str]) -> bool:
    match node:
        case ast.Import(names=names):
            return all(each.name in _MODULES for each in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            return module in _MODULES and not level and all(each.name in _ATTRIBUTES for each in names)
        case ast.Name(id=name):
            return name in own or name in _BUILTINS
        case ast.Attribute(attr=name, ctx=ctx):
            return name in _ATTRIBUTES and isinstance(ctx, ast.Load)
        case ast.FunctionDef(decorator_list=decorators):
            return not decorators
        case _:
            return not isinstance(node, _FORBIDDEN)


def _module(call: Call, module: Word) -> list[Finding]:
    name = module.text or ""
    at = next(index for index, word in enumerate(call.rest) if (word.text or "").endswith(name)) + 1
    rest = call.rest[at:]
    first = rest[0].text if rest else None
    if name == "json.tool":
        operands = split(rest, Form(takes=frozenset({"--indent"}))).operands
        if len(operands) > 1 or any(word.many for word in rest):
            return [call.finding(Risk.CHANGE, "writes its second file")]
        return [call.finding(Risk.READ, "prints JSON")]
    if name == "pip":
        return call.inner.words([literal("pip"), *rest], call.given)
    if name in {"zipfile", "tarfile"}:
        shows = first in {"-l", "--list", "-t", "--test"}
        return [call.finding(Risk.READ if shows else Risk.CHANGE, "lists or unpacks an archive")]
    risk = _RUN.get(name, Risk.UNKNOWN) if name != "sysconfig" or not rest else Risk.CHANGE
    why = {Risk.READ: "shows something", Risk.CHANGE: "writes files or opens a port"}.get(
        risk, "runs a module"
    )
    return [call.finding(risk, why)]
