def main(x):
    return "x" * (64 << 20)
