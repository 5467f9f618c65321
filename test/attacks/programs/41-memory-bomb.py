def main(x):
    l = []
    try:
        for i in range(56):
            l.append(bytearray(16 << 20))
    except MemoryError:
        n = len(l) * 16
        l = None
        return {"breach": n > 600, "got": n}
    return {"breach": True, "got": len(l) * 16}
