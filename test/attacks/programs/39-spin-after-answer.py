def main(x):
    import threading

    if x == 1:

        def f():
            t = time.time()
            while time.time() - t < 3:
                pass

        try:
            threading.Thread(target=f, daemon=True).start()
        except RuntimeError:
            pass
        return {"breach": False}
    return {"breach": threading.active_count() > 1, "got": threading.active_count()}
