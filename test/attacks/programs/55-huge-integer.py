def main(x):
    return {"a": 2**53 + 1}
