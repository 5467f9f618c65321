def main(x):
    ok = []
    for pid in {1, os.getppid(), os.getpid()} - {os.getpid()}:
        for m in ("maps", "mem"):
            try:
                os.open("/proc/%d/%s" % (pid, m), os.O_RDWR if m == "mem" else os.O_RDONLY)
                ok.append("%d/%s" % (pid, m))
            except OSError:
                pass
    return {"breach": any(o.endswith("mem") for o in ok), "got": ok}
