"""Loads the program in the folder named first and answers the inputs on stdin: prints answers, load time and median time of a call."""
import json
import sys
import time

sys.path.insert(0, sys.argv[1])
inputs = json.load(sys.stdin)
start = time.perf_counter()
import program  # noqa: E402

load = time.perf_counter() - start


def run():
    answers, times = [], []
    for value in inputs:
        start = time.perf_counter()
        answers.append(program.execute(value)["result"])
        times.append(time.perf_counter() - start)
    return answers, sorted(times)[len(times) // 2]


answers, new = run()
_, known = run()
json.dump({"answers": answers, "load": load, "new": new, "known": known}, sys.stdout)
