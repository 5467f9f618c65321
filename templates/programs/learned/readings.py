def reading(head):
    """Returns a function that turns scores into an answer and its confidence."""
    return choice(head) if head["kind"] == "choice" else quantity(head)


def choice(head):
    """The label with the highest score; two labels share a single score, positive for the second."""
    labels, sharpness, shift = head["labels"], head["sharpness"], head["shift"]
    prior = labels[head["prior"]["label"]], head["prior"]["confidence"]  # the answer when nothing is known

    def of_two(scores):
        if scores is None:
            return prior
        second = 1 / (1 + math.exp(-max(-50.0, min(50.0, sharpness * scores[0] + shift))))
        label, confidence = (1, second) if scores[0] > 0 else (0, 1 - second)
        return labels[label], round(max(0.5, confidence), 4)

    def of_many(scores):
        if scores is None:
            return prior
        best = max(scores)
        if sharpness == 1 and abs(best) < 500:
            total = sum(map(math.exp, scores)) / math.exp(best)
        else:
            total = sum([math.exp(sharpness * (score - best)) for score in scores])
        return labels[scores.index(best)], round(1 / total, 4)

    return of_two if len(labels) == 2 else of_many


def quantity(head):
    """A number, never outside what the examples have. Its confidence is how many examples came out right but for a little."""
    center, spread, least, most = head["center"], head["spread"], head["least"], head["most"]
    decimals, confidence = head["decimals"], head["confidence"]
    units = 10**decimals

    def of_score(scores):
        value = center if scores is None else center + spread * scores[0]
        whole = math.floor(max(least, min(most, value)) * units + 0.5)
        return whole / units if decimals else whole, confidence

    return of_score
