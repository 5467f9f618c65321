def main(x):
    n = 0
    rd, wr = os.pipe()
    try:
        for i in range(8):
            if os.fork() == 0:
                try:
                    b = bytearray(200 << 20)
                    b[::4096] = b"x" * len(b[::4096])
                    os.write(wr, b"k")
                finally:
                    time.sleep(0.8)
                    os._exit(0)
            n += 1
    except OSError as e:
        return {"breach": n > 2, "got": n, "e": repr(e)[:40]}
    time.sleep(0.7)
    os.set_blocking(rd, False)
    try:
        k = len(os.read(rd, 100))
    except OSError:
        k = 0
    return {"breach": k > 3, "got": k * 200}
