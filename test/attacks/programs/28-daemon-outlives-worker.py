def main(x):
    import ctypes, signal

    try:
        p = os.fork()
    except OSError as e:
        return {"breach": False, "got": repr(e)}
    if p == 0:
        os.setsid()
        ctypes.CDLL(None).prctl(15, DAEMON.encode())
        for s in (1, 2, 15):
            signal.signal(s, signal.SIG_IGN)
        time.sleep(6)
        os._exit(0)
    time.sleep(30)
