def main(x):
    return {"a": "\ud800"}
