def main(x):
    n = 0
    for d in ("/dev/shm", "/dev", "/run", "/var/tmp", "/"):
        try:
            for i in range(12):
                with open(d + "/f%d" % i, "wb") as f:
                    for _ in range(8):
                        f.write(b"x" * (1 << 20))
                        n += 1
        except BaseException as e:
            pass
    return {"breach": n > 16, "got": n}
