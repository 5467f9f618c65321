"""Says which modules Python files import, and which files do not parse. Loopai runs it in the sandbox, as it runs any program."""

import ast
import warnings

# With these a program could import what nobody can read from its text.
HIDING = {"__import__", "eval", "exec", "compile"}


def execute(files):
    found = {"problems": [], "imports": []}
    warnings.simplefilter("ignore")
    for name, source in files.items():
        try:
            tree = ast.parse(source, name)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
            found["problems"].append(describe(name, problem))
            continue
        for node in ast.walk(tree):
            found["imports"] += [{"file": name, "line": node.lineno, "module": module} for module in imported(node)]
    return found


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return ["." * node.level + (node.module or "")]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in HIDING:
        return [node.func.id + "()"]
    return []


def describe(name, problem):
    line = getattr(problem, "lineno", None)
    place = "%s:%d" % (name, line) if line else name
    text = (getattr(problem, "text", None) or "").strip()[:120]
    message = getattr(problem, "msg", None) or str(problem)
    return "%s: %s: %s%s" % (place, type(problem).__name__, message, " in `%s`" % text if text else "")
