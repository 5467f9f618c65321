def main(x):
    import ctypes

    if x == 0:
        os._exit(0)
    if x == 1:
        sys.exit(0)
    if x == 2:
        raise KeyboardInterrupt
    if x == 3:
        os.abort()
    if x == 4:
        ctypes.string_at(0)
    return {"breach": False}
