def linear(model):
    """A linear model of the words, pairs of words and character sequences of a text: returns a function that gives its scores.

    Each feature owns one small weight per score, its lane. A score is its bias plus the weights of what was found, divided by a
    norm, so that long and short texts compare. One integer holds a number of 32 bits for each lane, so that one addition adds
    all of them. Weights are kept as weight + 128, which is never negative; how often 128 has to be taken off again is counted.
    """
    biases = model["biases"]
    lanes = len(biases)
    word_scale, char_scale = (scale / 16 for scale in model["scales"])  # sums are in sixteenths

    # Features are numbered through: words and pairs first, then character sequences.
    words = {word: number for number, word in enumerate(model["words"])}
    chars = {gram: number for number, gram in enumerate(model["chars"], len(words))}
    weights = base64.b64decode(model["weights"])
    ends = list(itertools.accumulate(model["lengths"]))
    rows = [0] * len(ends)  # weights of a feature as one integer, once it has been needed

    def squared_idf_of(documents):
        idf = math.log((1 + model["rows"]) / (1 + documents)) + 1
        return idf * idf

    by_documents = {documents: squared_idf_of(documents) for documents in set(model["documents"])}
    squared_idf = [by_documents[documents] for documents in model["documents"]]

    zeros = int.from_bytes(b"\x80\0\0\0" * lanes, "little")
    unpack_lanes = struct.Struct("<%dI" % lanes).unpack

    def lanes_of(integer):
        return unpack_lanes(integer.to_bytes(4 * lanes, "little"))

    # Of a word: its lanes, those of its character sequences if there are any, and how many of either were found.
    both_lanes = 2 * lanes if chars else lanes
    unpack_sums = struct.Struct("<%dI" % (both_lanes + 2)).unpack

    # Sums of words seen before, within some 20 MB.
    known_words = {}
    most_known_words = 20_000_000 // (8 * lanes + 400)
    longest_known_word = 64

    def scores_of(tokens):
        """One score a lane, or None if the text has no known feature. Of each block: lanes, sixteenths added, squared norm."""
        counts = {}
        for token in tokens:
            counts[token] = counts.get(token, 0) + 1
        once = more = pair_rows = pairs = 0
        word_norm = char_norm = 0.0
        for word, count in counts.items():
            row, norm, gram_norm = known_words.get(word) or sums_of(word)
            if count == 1:
                once += row
                word_norm += norm
                char_norm += gram_norm
            else:
                damped = 1 + math.log(count)
                more += int(16 * damped + 0.5) * row
                word_norm += damped * damped * norm
                char_norm += damped * damped * gram_norm
        for pair in map(words.get, map(" ".join, zip(tokens, itertools.islice(tokens, 1, None)))):
            if pair is not None:
                pair_rows += rows[pair] or spread_row(pair)
                pairs += 1
                word_norm += squared_idf[pair]
        sums = unpack_sums(((once + pair_rows << 4) + more).to_bytes(4 * both_lanes + 8, "little"))
        word_parts, char_parts = sums[-2] + 16 * pairs, sums[-1]
        return scores_from(sums[:lanes], word_parts, word_norm, sums[lanes:-2], char_parts, char_norm)

    def exact_scores_of(tokens):
        """The same for long texts, where each feature counts what its own occurrences are worth."""
        times = {}
        for token in tokens:
            times[token] = times.get(token, 0) + 1
        found = []
        for word, count in times.items():
            features = known_words.get(word)
            if features is None:
                features = features_of(word)
            found += features if count == 1 else features * count
        for pair in map(words.get, map("%s %s".__mod__, zip(tokens, itertools.islice(tokens, 1, None)))):
            if pair is not None:
                if not rows[pair]:
                    spread_row(pair)
                found.append(pair)
        by_count = {}
        for number, count in collections.Counter(found).items():
            by_count.setdefault(count, []).append(number)
        sums = [[0, 0, 0.0], [0, 0, 0.0]]  # of words and of character sequences: lanes, sixteenths, squared norm
        for count, numbers in by_count.items():
            numbers.sort()
            first_char = bisect.bisect_left(numbers, len(words))
            damped = 1 + math.log(count)
            parts = int(16 * damped + 0.5)
            for block, own in zip(sums, (numbers[:first_char], numbers[first_char:])):
                block[0] += parts * sum(map(rows.__getitem__, own))
                block[1] += parts * len(own)
                block[2] += damped * damped * sum(map(squared_idf.__getitem__, own))
        (word_lanes, *of_words), (char_lanes, *of_chars) = sums
        return scores_from(lanes_of(word_lanes), *of_words, lanes_of(char_lanes), *of_chars)

    def features_of(word):
        """Numbers of the word itself and of its character sequences, as far as they are known."""
        padded = " " + word + " "
        names = [padded[at : at + length] for length in range(@@SHORTEST_GRAM@@, @@LONGEST_GRAM@@ + 1) for at in range(len(padded) - length + 1)]
        numbers = [words.get(word)] + [chars.get(name) for name in names]
        numbers = [number for number in numbers if number is not None]
        for number in numbers:
            if not rows[number]:
                spread_row(number)
        if len(word) <= longest_known_word:
            if len(known_words) >= most_known_words:
                known_words.clear()
            known_words[word] = numbers
        return numbers

    def scores_from(word_lanes, word_parts, word_norm, char_lanes, char_parts, char_norm):
        if not word_parts and not char_parts:
            return None
        word_factor = word_scale / math.sqrt(word_norm) if word_norm else 0.0
        char_factor = char_scale / math.sqrt(char_norm) if char_norm else 0.0
        offset = 128 * (word_factor * word_parts + char_factor * char_parts)
        if not char_parts:
            return [bias + word_factor * from_words - offset for bias, from_words in zip(biases, word_lanes)]
        return [
            bias + word_factor * from_words + char_factor * from_chars - offset
            for bias, from_words, from_chars in zip(biases, word_lanes, char_lanes)
        ]

    def sums_of(word):
        """Rows of the word itself, of its character sequences, and how many of either were found, as one integer; their squared idf."""
        number = words.get(word)
        row, found, norm = (0, 0, 0.0) if number is None else (rows[number] or spread_row(number), 1, squared_idf[number])
        gram_rows = grams_found = 0
        gram_norm = 0.0
        if chars:
            padded = " " + word + " "
            for length in range(@@SHORTEST_GRAM@@, @@LONGEST_GRAM@@ + 1):
                for at in range(len(padded) - length + 1):
                    number = chars.get(padded[at : at + length])
                    if number is not None:
                        gram_rows += rows[number] or spread_row(number)
                        grams_found += 1
                        gram_norm += squared_idf[number]
        counts = (found | grams_found << 32) << 32 * both_lanes
        sums = (row | gram_rows << 32 * lanes | counts, norm, gram_norm)
        if len(word) <= longest_known_word:
            if len(known_words) >= most_known_words:
                known_words.clear()
            known_words[word] = sums
        return sums

    def spread_row(number):
        """The stored row of a feature as lanes: a byte a lane, or pairs of the distance to the next lane and its weight."""
        stored = weights[ends[number - 1] if number else 0 : ends[number]]
        if len(stored) == lanes:
            row = int.from_bytes(b"".join([b"%c\0\0\0" % weight for weight in stored]), "little")
        else:
            row, lane = zeros, -1
            for at in range(0, len(stored), 2):
                lane += stored[at]
                row += (stored[at + 1] - 128) << (32 * lane)
        rows[number] = row
        return row

    return exact_scores_of if model["counting"] == "features" else scores_of
