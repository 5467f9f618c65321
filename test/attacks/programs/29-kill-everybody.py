import signal


def main(x):
    r = []
    for p in (1, os.getppid(), -1):
        # Where the machine's processes are in sight, a hole must not cost the machine.
        probe_only = not OWN_PROCESSES and p != os.getppid()
        for s in (0,) if probe_only else (signal.SIGSTOP, signal.SIGKILL):
            try:
                os.kill(p, s)
                r.append((p, int(s)))
            except OSError as e:
                r.append(repr(e)[:30])
    return {"breach": any(type(step) is tuple for step in r), "got": r}
