"""The rules that keep the plain and the compiled fold equal to the bit, held against the source text."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from types import FunctionType, ModuleType

import pytest

from purchase_intent.features import journey, nights, observe, past, vector
from purchase_intent.features.hit import Hit

MODULES = (observe, past, vector, journey, nights)
NAMES = [module.__name__.rpartition(".")[2] for module in MODULES]
BUILTINS = {"max", "min", "range"}
FORBIDDEN = (
    ast.Pow,
    ast.MatMult,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Lambda,
    ast.Try,
    ast.TryStar,
    ast.Raise,
    ast.Assert,
    ast.With,
    ast.JoinedStr,
    ast.Starred,
    ast.Global,
    ast.Nonlocal,
    ast.Import,
    ast.ImportFrom,
    ast.Yield,
    ast.YieldFrom,
    ast.Await,
    ast.Dict,
    ast.Set,
    ast.List,
    ast.Match,
    ast.NamedExpr,
    ast.Slice,
    ast.In,
    ast.NotIn,
    ast.Is,
    ast.IsNot,
)
"""Powers and libraries round differently; the rest compiles to something else, slowly or not at all."""


def tree_of(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def functions(module: ModuleType) -> dict[str, ast.FunctionDef]:
    found = {node.name: node for node in tree_of(module).body if isinstance(node, ast.FunctionDef)}
    if module is vector:
        del found["feature"]  # declares the features; the fold never calls it
    return found


def helpers(module: ModuleType) -> list[FunctionType]:
    return list(module.HELPERS)


def called(node: ast.AST) -> Iterator[str]:
    """What a function calls, as written."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            yield ast.unparse(inner.func)


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_the_fold_uses_plain_arithmetic_only(module: ModuleType) -> None:
    for name, function in functions(module).items():
        found = [type(node).__name__ for node in ast.walk(function) if isinstance(node, FORBIDDEN)]
        assert found == [], name


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_the_fold_calls_itself_and_three_builtins_only(module: ModuleType) -> None:
    allowed = BUILTINS | {helper.__name__ for other in MODULES for helper in other.HELPERS}
    for name, function in functions(module).items():
        assert set(called(function)) <= allowed, name


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_every_function_is_compiled_as_it_stands(module: ModuleType) -> None:
    listed = [helper.__name__ for helper in helpers(module)]
    assert sorted(listed) == sorted(functions(module))
    assert len(listed) == len(set(listed))
    for helper in helpers(module):
        assert type(helper) is FunctionType
        assert helper.__defaults__ is None
        assert helper.__kwdefaults__ is None
        assert helper.__closure__ is None


def test_every_helper_comes_after_those_it_calls() -> None:
    compiled: set[str] = set()
    for module in MODULES:
        bodies = functions(module)
        for helper in helpers(module):
            needed = set(called(bodies[helper.__name__])) - BUILTINS
            assert needed <= compiled, f"{helper.__name__} is compiled before {needed - compiled}"
            compiled.add(helper.__name__)


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_what_the_fold_reads_from_outside_is_a_constant_number(module: ModuleType) -> None:
    names = {helper.__name__ for other in MODULES for helper in other.HELPERS} | BUILTINS
    for name, function in functions(module).items():
        arguments = {argument.arg for argument in function.args.args}
        stored = {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        body = [inner for statement in function.body for inner in ast.walk(statement)]
        read = {node.id for node in body if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        outside = read - arguments - stored - names
        kinds = {outer: type(getattr(module, outer)) for outer in outside}
        assert set(kinds.values()) <= {int, float}, f"{name} reads {kinds}"
        assert all(outer.isupper() for outer in outside), name


def test_the_fold_reads_every_number_that_an_event_carries() -> None:
    read = {
        node.attr
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "hit"
    }
    assert read == {item.name for item in fields(Hit)}


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_every_division_is_by_what_cannot_be_zero(module: ModuleType) -> None:
    """A divisor is a number above 0, a count plus one, or stands behind `> 0` in the same expression."""
    for name, function in functions(module).items():
        for node in ast.walk(function):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
                divisor = ast.unparse(node.right)
                source = ast.unparse(function)
                plain = isinstance(node.right, ast.Constant | ast.Name) and divisor != "whole"
                shifted = isinstance(node.right, ast.BinOp) and isinstance(node.right.op, ast.Add)
                guarded = f"if {divisor.partition(' ')[0]} > 0" in source
                assert plain or shifted or guarded, f"{name}: / {divisor}"


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_numbers_of_an_event_index_nothing_unguarded(module: ModuleType) -> None:
    """`ring[hit.kind]` is only right behind `if 0 <= hit.kind < KINDS`: compiled code would write anywhere."""
    for name, function in functions(module).items():
        source = ast.unparse(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript):
                index = ast.unparse(node.slice)
                if index.startswith(("hit.", "state.")) and "%" not in index:
                    assert f"if 0 <= {index} < " in source, f"{name}: [{index}]"


def test_the_web_never_loads_numba() -> None:
    script = """
import sys
from purchase_intent.features import encode, hit, history, journey, live, observe, past, schema, state, vector
from purchase_intent.features.hit import Hit
journeys = live.Journeys()
journeys.observe(Hit(time=1_700_000_000_000, kind=4, page=3, product=7), visitor="v", session="s")
assert journeys.row("s", 1_700_000_000_000).shape == (1, len(schema.FEATURES))
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("numba", "llvmlite", "django", "duckdb")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "[]"
