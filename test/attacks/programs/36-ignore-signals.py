def main(x):
    import signal

    for s in range(1, 64):
        try:
            signal.signal(s, signal.SIG_IGN)
        except Exception:
            pass
    while True:
        time.sleep(1)
