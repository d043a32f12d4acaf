"""A tree as text, with as many brackets as it needs: the same meaning, one spelling."""

from __future__ import annotations

from domain.expressions.syntax import Argument, Chain, Comparison, Name, Negative, Node, Not, Number, Word

OR, AND, NOT, COMPARISON, SUM, PRODUCT, FACTOR = range(7)       # how tightly a node holds together


def written(node: Node) -> str:
    """
    >>> from domain.expressions.syntax import parse
    >>> written(parse("((close)+1)*2>open and(not((volume>3)))"))
    '(close + 1) * 2 > open and not volume > 3'
    >>> written(parse("1 - (2 - 3) - mean(x = close , n = 5)@H4"))
    '1 - (2 - 3) - mean(x=close, n=5)@H4'
    """
    if isinstance(node, (Number, Word)):
        return node.text
    if isinstance(node, Name):
        arguments = f"({', '.join(_argument(argument) for argument in node.arguments)})" if node.arguments is not None else ""
        return f"{node.name}{arguments}{'@' if node.timeframe else ''}{node.timeframe}"
    if isinstance(node, Negative):
        return f"-{_within(node.inner, FACTOR)}"
    if isinstance(node, Not):
        return f"not {_within(node.inner, NOT)}"
    if isinstance(node, Comparison):
        return f"{_within(node.left, SUM)} {node.operator} {_within(node.right, SUM)}"
    own = tightness(node)
    text = _within(node.parts[0], own + 1)
    for operator, part in zip(node.operators, node.parts[1:], strict=True):
        text += f" {operator} {_within(part, own + 1)}"
    return text


def tightness(node: Node) -> int:
    if isinstance(node, Chain):
        return {"or": OR, "and": AND, "+": SUM, "-": SUM}.get(node.operators[0], PRODUCT)
    return NOT if isinstance(node, Not) else COMPARISON if isinstance(node, Comparison) else FACTOR


def _within(node: Node, least: int) -> str:
    return written(node) if tightness(node) >= least else f"({written(node)})"


def _argument(argument: Argument) -> str:
    return f"{argument.name}={written(argument.value)}" if argument.name else written(argument.value)
