def main(x):
    import subprocess

    r = []
    for c in (["/bin/sh", "-c", "echo hi"], ["/usr/bin/python3", "-c", "print(1)"]):
        try:
            r.append(subprocess.run(c, capture_output=True, timeout=2).stdout.decode())
        except BaseException as e:
            r.append(repr(e)[:50])
    return {"breach": any(v.strip() in ("hi", "1") for v in r), "got": r}
