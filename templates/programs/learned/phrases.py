def phrases(tokens):
    """The words of a text and the pairs of words that follow each other."""
    return {*tokens, *map("%s %s".__mod__, zip(tokens, itertools.islice(tokens, 1, None)))}
