def head(description):
    """Returns a function that answers one part of the output from the input and the scores of its text."""
    by = description["by"]
    if by == "code":
        return CODE[description["code"]]
    read = reading(description["reading"])
    if by == "trees":
        scores_of = trees(description)
        return lambda input_data, scores: read(scores_of(input_data))
    first, last = description["span"]["from"], description["span"]["to"]
    return lambda input_data, scores: read(scores and scores[first:last])


HEADS = [head(description) for description in MODEL["heads"]]
SHAPE = MODEL["shape"]
ORDER = MODEL["order"]  # the order in which properties of the input are read
@@LINEAR@@

def execute(input_data):
    scores = @@SCORES@@
    answers = [answer(input_data, scores) for answer in HEADS]
    confidence = 1.0
    for _, sure in answers:
        confidence *= sure
    return {"result": put_together(SHAPE, answers), "confidence": round(confidence, 4)}


def put_together(shape, answers):
    """The output from the answers to its parts."""
    if "answer" in shape:
        return answers[shape["answer"]][0]
    if "always" in shape:
        return shape["always"]
    if "properties" in shape:
        return {name: put_together(part, answers) for name, part in shape["properties"].items()}
    return [label for label, part in shape["labels"] if put_together(part, answers)]
