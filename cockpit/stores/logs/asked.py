"""What a view is narrowed by, written as one query that a source can be asked."""

from __future__ import annotations

from cockpit.errors import UsageError
from cockpit.signals import level_name
from cockpit.stores.logs.criteria import Criteria
from cockpit.stores.logs.terms import All, Node


def asked_of(criteria: Criteria) -> str:
    """Return criteria as one query: the filter line, the named filters that are on, the level floor and the scope.

    What is typed may leave a quote open, and a name may hold one, so what was written is read again and compared.

    Raises:
        UsageError: They can't be said in one query.
    """
    wanted = _conjuncts(criteria.node)
    text = criteria.filter.text
    if wanted == _conjuncts(criteria.filter.query.root):
        return text if wanted else ""
    for quote in ("", '"'):
        query = _written(criteria, f"( {text}{quote} )" if text.strip() else "")
        if _read(query) == wanted:
            return query
    raise UsageError(
        "filter, named filters, level floor and scope can't be said to a source in one query",
        remedy="take one of them away",
    )


def _written(criteria: Criteria, text: str) -> str:
    parts = [f"level>={level_name(criteria.floor)}"] if criteria.floor else []
    named = (("trace", criteria.trace_id), ("service", criteria.service), ("host", criteria.host))
    parts += [f'{name}="{value}"' for name, value in named if value]
    parts.append(text)
    on = [each for each in criteria.filters if each.on]
    if keeping := [f"( {each.text} )" for each in on if each.keeps]:
        parts.append(f"( {' or '.join(keeping)} )")
    parts += [f"-( {each.text} )" for each in on if not each.keeps]
    return " ".join(filter(None, parts))


def _read(query: str) -> tuple[Node, ...] | None:
    from cockpit.stores.logs.query import parse_query  # not for what is drawn first

    try:
        return _conjuncts(parse_query(query).root)
    except UsageError:  # a group that was left open, or more terms than a query may have
        return None


def _conjuncts(node: Node) -> tuple[Node, ...]:
    """Return what must all hold, whatever the groups that it was written in."""
    if not isinstance(node, All):
        return (node,)
    return tuple(part for inner in node.nodes for part in _conjuncts(inner))
