def main(x):
    v = []
    for _ in range(20000):
        v = [v]
    return v
