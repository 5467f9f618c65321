def main(x):
    class S(str):
        pass

    class Dd(dict):
        def items(self):
            raise SystemExit

    class L:
        __class__ = dict

    return [S("a"), Dd(a=1), L()]
