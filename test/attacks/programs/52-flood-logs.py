def main(x):
    for i in range(1024):
        os.write(1 + (i & 1), b"y" * 65536)
    return {"breach": False}
