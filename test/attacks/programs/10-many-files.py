def main(x):
    n = 0
    t = time.time()
    try:
        for i in range(30000):
            os.close(os.open("/tmp/i%d" % i, os.O_CREAT | os.O_WRONLY))
            n += 1
    except BaseException as e:
        return {"breach": n > 20000, "got": n, "e": repr(e)[:80]}
    return {"breach": n > 20000, "got": n, "s": round(time.time() - t, 2)}
