def main(x):
    n = 0
    r = []
    import ctypes

    for i in range(10):
        q = sysc(319, b"x", 0)
        if q[0] < 0:
            r.append("memfd " + q[1])
            break
        try:
            for _ in range(8):
                os.write(q[0], b"x" * (1 << 20))
                n += 1
        except OSError as e:
            r.append("memfd " + repr(e)[:30])
            break
    for i in range(10):
        q = sysc(29, 0, 8 << 20, 0o1600)
        if q[0] < 0:
            r.append("shm " + q[1])
            break
        n += 8
    return {"breach": n > 16, "got": n, "r": r}
