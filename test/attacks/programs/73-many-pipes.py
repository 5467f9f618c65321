def main(x):
    r = [sysc(294, 0)[0] >= 0]
    n = 0
    try:
        while n < 2000:
            os.pipe()
            n += 2
    except OSError:
        pass
    return {"breach": n > 200, "got": [r, n]}
