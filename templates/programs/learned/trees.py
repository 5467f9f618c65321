def trees(model):
    """Boosted trees: returns a function that gives the scores of an input.

    A score is its base plus one leaf of each of its trees. Nobody walks down the trees: values fall into bins, and each bin of each
    column knows the leaves that it leaves possible, as one integer with 32 bits for each tree. What all columns leave possible
    starts, tree by tree, with the leaf that is meant (Lucchese et al. 2015, QuickScorer).
    """
    bases, unit = model["bases"], model["unit"]
    lanes = len(bases)
    texts = [linear(text) for text in model["texts"]]
    leaves = []  # of each tree: answers by bit
    removed = [[0] * (bins_of(column) + 1) for column in model["columns"]]

    def number_leaves(node, answers):
        """Numbers the leaves below a node, notes what its two sides remove, and returns their bits."""
        tree = 32 * len(leaves)
        if not isinstance(node, list):
            bit = 1 << len(answers)
            answers[bit] = node
            return bit << tree
        at, position, missing_left, left, right = node
        left_leaves = number_leaves(left, answers)
        right_leaves = number_leaves(right, answers)
        order = model["columns"][at].get("orders")
        bins = order[len(leaves) % lanes] if order else range(1, len(removed[at]))
        notes = cuts[at][len(leaves) % lanes]
        notes[0][position] |= right_leaves
        if position + 1 < len(bins):
            notes[1][position + 1] |= left_leaves
        removed[at][0] |= right_leaves if missing_left else left_leaves
        return left_leaves | right_leaves

    # By column and lane: what bins up to a position remove, and what bins from a position on remove.
    cuts = [[([0] * len(row), [0] * len(row)) for _ in range(lanes)] for row in removed]
    for tree in model["trees"]:
        answers = {}
        number_leaves(tree, answers)
        leaves.append(answers)
    for at, column in enumerate(model["columns"]):
        for lane in range(lanes):
            up_to, onwards = cuts[at][lane]
            bins = column["orders"][lane] if "orders" in column else range(1, len(removed[at]))
            for name, gone in zip(bins, itertools.accumulate(onwards, operator.or_)):
                removed[at][name] |= gone
            for name, gone in zip(reversed(bins), itertools.accumulate(reversed(up_to[: len(bins)]), operator.or_)):
                removed[at][name] |= gone

    ones = int.from_bytes(b"\1\0\0\0" * len(leaves), "little")
    everything = int.from_bytes(b"\xff\xff\xff\xff" * len(leaves), "little")
    possible = [[everything & ~gone for gone in row] for row in removed]
    unpack_leaves = struct.Struct("<%dI" % len(leaves)).unpack
    readers = [reader(column) for column in model["columns"]]

    def scores_of(input_data):
        scores = [text(tokenize("\n".join(pieces(cell(input_data, path), {}, "")))) for text, path in zip(texts, model["text_paths"])]
        left = everything
        for read_bin, row in zip(readers, possible):
            left &= row[read_bin(input_data, scores)]
        first = (left & (left ^ (left - ones))).to_bytes(4 * len(leaves), "little")
        units = list(map(operator.getitem, leaves, unpack_leaves(first)))
        return [base + sum(units[lane::lanes]) * unit for lane, base in enumerate(bases)]

    return scores_of


def bins_of(column):
    return len(column["cuts"]) + 1 if column["kind"] == "number" else len(column["values"])


def reader(column):
    """A function that finds the bin of an input; bin 0 is for missing values and unknown categories."""
    path = column["path"]
    if column["kind"] == "category":
        bins = {value: at for at, value in enumerate(column["values"], 1)}
        return lambda input_data, scores: bins.get(category(cell(input_data, path)), 0)
    cuts = column["cuts"]

    def bin_of_number(value):
        return 0 if value != value else bisect.bisect_left(cuts, value) + 1

    if "text" in column:
        model, lane = column["text"]["model"], column["text"]["lane"]
        return lambda input_data, scores: 0 if scores[model] is None else bin_of_number(scores[model][lane])
    return lambda input_data, scores: bin_of_number(number(cell(input_data, path)))
