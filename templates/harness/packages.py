"""Says, as JSON, which installed packages fit requirements. Started with `-I -S`, then the folders they may be in, then the requirements."""

import importlib.metadata
import json
import re
import sys


def main():
    folders, requirements = json.loads(sys.argv[1])
    installed = {}
    for found in importlib.metadata.distributions(path=folders):
        if found.metadata["Name"]:
            installed.setdefault(normal(found.metadata["Name"]), found)
    missing, chosen = [], {}
    for requirement in requirements:
        name, versions = parse(requirement)
        found = installed.get(name)
        if found is None:
            # What is needed on some systems only may be needed elsewhere.
            missing += [] if ";" in requirement else [requirement]
        elif not all(fits(found.version, *clause) for clause in versions):
            missing.append("%s (installed is %s)" % (requirement, found.version))
        else:
            choose(found, name, installed, chosen)
    print(
        json.dumps(
            {
                "missing": missing,
                "pins": [[name, found.version] for name, found in sorted(chosen.items())],
                "modules": sorted({module for found in chosen.values() for module in modules(found)}),
            }
        )
    )


def choose(found, name, installed, chosen):
    """With what it needs: the system has seen to their versions."""
    if name in chosen:
        return
    chosen[name] = found
    for requirement in found.requires or []:
        needed = parse(requirement)[0]
        if "extra ==" not in requirement and needed in installed:
            choose(installed[needed], needed, installed, chosen)


def parse(requirement):
    name, rest = re.match(r"([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?([^;]*)", requirement).groups()
    return normal(name), re.findall(r"(===?|~=|!=|<=?|>=?)\s*([^\s,()]+)", rest)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def fits(version, relation, wanted):
    if wanted.endswith(".*"):
        is_below = numbers(version)[: len(numbers(wanted[:-2]))] == numbers(wanted[:-2])
        return is_below == (relation != "!=")
    have, want = padded(numbers(version), numbers(wanted))
    if relation == "~=":
        known = len(numbers(wanted)) - 1
        return have >= want and have[:known] == want[:known]
    return {
        "==": have == want,
        "===": version == wanted,
        "!=": have != want,
        "<": have < want,
        "<=": have <= want,
        ">": have > want,
        ">=": have >= want,
    }[relation]


def numbers(version):
    return [int(number) for number in re.match(r"[0-9.]*", version.split("!")[-1]).group().split(".") if number]


def padded(one, other):
    length = max(len(one), len(other))
    return [numbers + [0] * (length - len(numbers)) for numbers in (one, other)]


def modules(found):
    listed = (found.read_text("top_level.txt") or "").split()
    return listed or {file.parts[0].split(".")[0] for file in found.files or [] if not file.parts[0].endswith("-info")}


main()
