"""Reads an Ansible inventory: a file in INI, YAML or JSON, or a folder of such files, and the variables beside it.

Source: Ansible's documentation, "How to build your inventory". Nothing is run: a program among the files, or a file
for one of Ansible's plugins, is an error that tells how to have Ansible itself answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cockpit.errors import InventoryError
from cockpit.inventory.dynamic import read_output
from cockpit.inventory.files import Files
from cockpit.inventory.ini import read_ini
from cockpit.inventory.limits import DEEPEST
from cockpit.inventory.reading import Reading
from cockpit.inventory.tree import Resolved, Tree
from cockpit.inventory.variables import Variables, kept

_YAML = (".yml", ".yaml", ".json")
_PASSED_OVER = (
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry", ".ini",
)  # fmt: skip
"""Endings of files that Ansible leaves alone in a folder, `.ini` among them."""
_APART = ("group_vars", "host_vars", "vars_plugins")
_VAULT = "$ANSIBLE_VAULT"
_ASK_ANSIBLE = 'use kind = "command" and command = ["ansible-inventory", "-i", "PATH", "--list"]'
_WANTED = re.compile(r"ansible_(?:host|port|user|connection|ssh_host|ssh_port|ssh_user)")
"""What a file of variables holds that is worth reading as YAML, which takes its time."""


def read_ansible(path: str) -> Reading:
    """Read an inventory.

    Raises:
        InventoryError: It can't be read or makes no sense; with the file and the line.
    """
    files, tree, root = Files(), Tree(), Path(path)
    if root.is_dir():
        for file in _inventory_files(root, files, 0):
            _read_file(file, files, tree)
        beside = root
    else:
        _read_file(root, files, tree)
        beside = root.parent
    resolved = Resolved(
        tree,
        _variables(beside / "group_vars", files, tree.groups.keys()),
        _variables(beside / "host_vars", files, tree.hosts.keys()),
    )
    try:
        hosts, remarks = resolved.hosts()
    except InventoryError as error:
        raise InventoryError(error.message, where=path, remedy=error.remedy) from None
    return Reading(hosts=tuple(hosts), remarks=remarks, stamps=tuple(dict.fromkeys(files.stamps)))


def read_printed(text: str) -> Reading:
    """Read what a command printed.

    Raises:
        InventoryError: It is no inventory.
    """
    tree = Tree()
    read_output(text, tree)
    hosts, remarks = Resolved(tree).hosts()
    return Reading(hosts=tuple(hosts), remarks=remarks)


def _inventory_files(folder: Path, files: Files, depth: int) -> Iterator[Path]:
    if depth > DEEPEST:
        raise InventoryError("has folders nested too deeply", where=str(folder))
    for name in files.names(folder):
        if name.startswith(".") or name in _APART or name.endswith(_PASSED_OVER):
            continue
        path = folder / name
        if path.is_dir():
            yield from _inventory_files(path, files, depth + 1)
        else:
            yield path


def _read_file(path: Path, files: Files, tree: Tree) -> None:
    text = files.text(path)
    try:
        if text.startswith("#!") and files.is_program(path):
            raise InventoryError("is a program, which is not run", remedy=_ASK_ANSIBLE)
        if path.suffix in _YAML or (not path.suffix and _looks_like_yaml(text)):
            _read_yaml(text, tree)
        else:
            read_ini(text, tree)
    except InventoryError as error:
        raise InventoryError(error.message, where=str(path), remedy=error.remedy) from None


def _looks_like_yaml(text: str) -> bool:
    """Whether a file without an ending is YAML: its first line that says something is `---` or a key."""
    first = next((line for line in text.splitlines() if line.strip() and line.lstrip()[0] not in "#;"), "")
    return first.rstrip() == "---" or bool(re.match(r"""["'{]?[\w.-]+["']?:\s*(?:#.*|\{.*)?$""", first))


def _read_yaml(text: str, tree: Tree) -> None:
    from cockpit.inventory.yaml_form import parsed, read_yaml

    read_yaml(parsed(text), tree)


def _variables(folder: Path, files: Files, names: object) -> dict[str, Variables]:
    """Return what the files of a folder say, by the group or host whose name they have."""
    assert hasattr(names, "__contains__")
    found: dict[str, Variables] = {}
    if not files.is_folder(folder):
        return found
    for entry in files.names(folder):
        name = entry
        for ending in _YAML:
            name = name.removesuffix(ending) if not (folder / entry).is_dir() else name
        if entry.startswith(".") or entry.endswith("~") or name not in names:
            continue
        for path in _variable_files(folder / entry, files, 0):
            found[name] = found.get(name, {}) | _variables_of(path, files)
    return found


def _variable_files(path: Path, files: Files, depth: int) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    if depth > DEEPEST:
        raise InventoryError("has folders nested too deeply", where=str(path))
    for name in files.names(path):
        inner = path / name
        if (
            not name.startswith(".")
            and not name.endswith("~")
            and (inner.is_dir() or inner.suffix in (*_YAML, ""))
        ):
            yield from _variable_files(inner, files, depth + 1)


def _variables_of(path: Path, files: Files) -> Variables:
    text = files.text(path)
    if text.startswith(_VAULT) or not _WANTED.search(text):
        return {}
    from cockpit.inventory.yaml_form import parsed

    try:
        content = parsed(text)
    except InventoryError as error:
        raise InventoryError(error.message, where=str(path)) from None
    if content is not None and not isinstance(content, dict):
        raise InventoryError("expected a table of variables", where=str(path))
    return kept(content or {})
