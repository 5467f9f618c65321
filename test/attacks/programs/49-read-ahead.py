import threading

CAUGHT = []


def main(x):
    if x == "first":

        def spy():
            end = time.time() + 0.4
            while time.time() < end:
                for fd in range(3, 64):
                    try:
                        os.set_blocking(fd, False)
                        CAUGHT.append(os.read(fd, 65536))
                    except OSError:
                        pass
                time.sleep(0.001)

        try:
            threading.Thread(target=spy, daemon=True).start()
        except RuntimeError:
            pass
        return {"breach": False}
    time.sleep(0.1)
    return {"breach": any(b"secret-input" in part for part in CAUGHT), "got": len(CAUGHT)}
