def main(x):
    import socket

    r = []
    for a in (OUTSIDE + "/sock", "\0" + ABSTRACT):
        try:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(1)
            s.connect(a)
            r.append("connected")
        except BaseException as e:
            r.append(repr(e)[:40])
    return {"breach": "connected" in r, "got": r}
