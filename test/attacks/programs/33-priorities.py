def main(x):
    ok = []
    try:
        os.nice(-5)
        ok.append("nice")
    except OSError:
        pass
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
        ok.append("fifo")
    except OSError:
        pass
    return {"breach": bool(ok), "got": ok}
