def main(x):
    import threading

    n = 0
    e = ""
    threading.stack_size(65536)
    try:
        while n < 200:
            threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
            n += 1
    except BaseException as ex:
        e = repr(ex)[:60]
    return {"breach": n > 64, "got": n, "e": e}
