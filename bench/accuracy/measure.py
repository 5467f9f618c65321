"""Loads the program in the folder named first and answers the inputs on stdin: prints answers, load time and median time of a call.

All is done in several rounds and the least time counts, of loading and of each input, so that other work on the machine does not.
"""
import importlib
import json
import sys
import time

ROUNDS = 5
sys.path.insert(0, sys.argv[1])
inputs = json.load(sys.stdin)


def run(execute):
    answers, times = [], []
    for value in inputs:
        start = time.perf_counter()
        answers.append(execute(value)["result"])
        times.append(time.perf_counter() - start)
    return answers, times


def median_of_least(rounds):
    least = sorted(map(min, zip(*rounds)))
    return least[len(least) // 2]


loads, new, known = [], [], []
for _ in range(ROUNDS):
    sys.modules.pop("program", None)
    start = time.perf_counter()
    program = importlib.import_module("program")
    loads.append(time.perf_counter() - start)
    answers, times = run(program.execute)
    new.append(times)
    known.append(run(program.execute)[1])
json.dump({"answers": answers, "load": min(loads), "new": median_of_least(new), "known": median_of_least(known)}, sys.stdout)
