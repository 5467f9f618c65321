def main(x):
    ok = []
    try:
        n = [p for p in os.listdir("/proc") if p.isdigit()]
        if len(n) > 6:
            ok.append("sees %d processes" % len(n))
    except OSError:
        pass
    for p in ("/proc/1/root/home", "/proc/1/cwd/..", "/proc/sys/kernel/core_pattern", "/proc/kcore"):
        try:
            if os.path.isdir(p):
                l = os.listdir(p)
                if "root" in l or os.path.basename(OUTSIDE) in l or len(l) > 0 and p.endswith("home"):
                    ok.append(p)
            else:
                os.open(p, os.O_RDWR)
                ok.append(p)
        except OSError:
            pass
    return {"breach": bool(ok), "got": ok}
