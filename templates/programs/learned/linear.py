def linear(model):
    """A linear model of the words, pairs of words and character sequences of a text: returns a function that gives its scores.

    Each feature owns one small weight per score, its lane. A score is its bias plus the weights of what was found, divided by a
    norm, so that long and short texts compare. One integer holds a number for each lane, weight * 2**(32 * lane) added up, so
    that one addition adds all of them. Weights are stored as weight + 128, which is never negative.
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

    zeros = b"\x80\0\0\0" * lanes
    zero_row = int.from_bytes(zeros, "little")
    both_lanes = 2 * lanes if chars else lanes
    unpack = struct.Struct("<%di" % both_lanes).unpack
    middle = int.from_bytes(b"\0\0\0\x80" * both_lanes, "little")

    def lanes_of(row):
        """The numbers in an integer: with 2**31 added no lane borrows from the next, and the top bit is turned to make it a sign."""
        return unpack(((row + middle) ^ middle).to_bytes(4 * both_lanes, "little"))

    # Sums of words seen before, within some 20 MB.
    known_words = {}
    most_known_words = 20_000_000 // (8 * lanes + 400)
    longest_known_word = 64

    def scores_of(tokens):
        """One score a lane, or None if the text has no known feature."""
        counts = {}
        for token in tokens:
            counts[token] = counts.get(token, 0) + 1
        once = more = 0
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
                once += rows[pair] or spread_row(pair)
                word_norm += squared_idf[pair]
        return scores_from((once << 4) + more, word_norm, char_norm)

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
        sums = [[0, 0.0], [0, 0.0]]  # of words and of character sequences: lanes, squared norm
        for count, numbers in by_count.items():
            numbers.sort()
            first_char = bisect.bisect_left(numbers, len(words))
            damped = 1 + math.log(count)
            for block, own in zip(sums, (numbers[:first_char], numbers[first_char:])):
                block[0] += int(16 * damped + 0.5) * sum(map(rows.__getitem__, own))
                # `sum` of numbers that are not whole has another last digit from Python 3.12 on.
                block[1] += damped * damped * math.fsum(map(squared_idf.__getitem__, own))
        (word_row, word_norm), (char_row, char_norm) = sums
        return scores_from(word_row + (char_row << 32 * lanes), word_norm, char_norm)

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

    def scores_from(row, word_norm, char_norm):
        """From the lanes of words and then those of character sequences, in sixteenths, and the squared norm of either block."""
        if not word_norm and not char_norm:
            return None
        sums = lanes_of(row)
        word_factor = word_scale / math.sqrt(word_norm) if word_norm else 0.0
        if not char_norm:
            return [bias + word_factor * from_words for bias, from_words in zip(biases, sums)]
        char_factor = char_scale / math.sqrt(char_norm)
        return [
            bias + word_factor * from_words + char_factor * from_chars
            for bias, from_words, from_chars in zip(biases, sums, sums[lanes:])
        ]

    def sums_of(word):
        """Lanes of the word itself and then those of its character sequences, as one integer; the squared idf of both."""
        number = words.get(word)
        row, norm = (0, 0.0) if number is None else (rows[number] or spread_row(number), squared_idf[number])
        gram_rows = 0
        gram_norm = 0.0
        if chars:
            padded = " " + word + " "
            for length in range(@@SHORTEST_GRAM@@, @@LONGEST_GRAM@@ + 1):
                for at in range(len(padded) - length + 1):
                    number = chars.get(padded[at : at + length])
                    if number is not None:
                        gram_rows += rows[number] or spread_row(number)
                        gram_norm += squared_idf[number]
        sums = (row + (gram_rows << 32 * lanes), norm, gram_norm)
        if len(word) <= longest_known_word:
            if len(known_words) >= most_known_words:
                known_words.clear()
            known_words[word] = sums
        return sums

    def spread_row(number):
        """The stored row of a feature as lanes: a byte a lane, or pairs of the distance to the next lane and its weight."""
        stored = weights[ends[number - 1] if number else 0 : ends[number]]
        spread = bytearray(zeros)
        if len(stored) == lanes:
            spread[::4] = stored
        else:
            at = -4
            for distance, weight in zip(stored[::2], stored[1::2]):
                at += 4 * distance
                spread[at] = weight
        row = rows[number] = int.from_bytes(spread, "little") - zero_row
        return row

    return exact_scores_of if model["counting"] == "features" else scores_of
