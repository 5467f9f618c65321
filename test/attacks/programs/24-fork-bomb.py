def main(x):
    n = 0
    e = ""
    try:
        while n < 200:
            p = os.fork()
            if p == 0:
                time.sleep(3)
                os._exit(0)
            n += 1
    except BaseException as ex:
        e = repr(ex)[:60]
    return {"breach": n > 32, "got": n, "e": e}
