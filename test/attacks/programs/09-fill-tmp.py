def main(x):
    n = 0
    try:
        for i in range(12):
            with open("/tmp/f%d" % i, "wb") as f:
                for _ in range(8):
                    f.write(b"x" * (1 << 20))
                    n += 1
    except BaseException as e:
        return {"breach": n > 32, "got": n, "e": repr(e)}
    return {"breach": True, "got": n}
