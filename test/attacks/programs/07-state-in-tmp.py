def main(x):
    p = "/tmp/state"
    try:
        v = open(p).read()
    except OSError:
        v = None
    try:
        open(p, "w").write(str(x))
    except OSError:
        pass
    return {"breach": v is not None, "got": v}
