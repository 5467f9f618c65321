while True:
    pass


def main(x):
    return 1
