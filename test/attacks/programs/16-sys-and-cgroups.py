def main(x):
    ok = []
    for p in ("/sys", "/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/kernel"):
        try:
            os.listdir(p)
            ok.append(p)
        except OSError:
            pass
    return {"breach": bool(ok), "got": ok}
