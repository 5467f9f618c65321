def main(x):
    import atexit

    atexit.register(lambda: time.sleep(30))

    class Z:
        def __del__(self):
            time.sleep(30)

    global z
    z = Z()
    return {"breach": False}
