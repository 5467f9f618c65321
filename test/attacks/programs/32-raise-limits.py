import resource


def main(x):
    ok = []
    for n in ("AS", "NPROC", "NOFILE", "CPU", "FSIZE", "DATA"):
        k = getattr(resource, "RLIMIT_" + n)
        _, hard = resource.getrlimit(k)
        if hard == resource.RLIM_INFINITY:
            ok.append(n + "=unlimited")
            continue
        try:
            resource.setrlimit(k, (hard * 2 + 1, hard * 2 + 1))
            ok.append(n)
        except (ValueError, OSError):
            pass
    return {"got": ok}
