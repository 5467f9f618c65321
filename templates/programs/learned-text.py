"""Answers with one of a few labels after looking at the text of its input.

Learned by loopai from labelled examples; the comments below name the task and what speaks most for each label. The text is cut into
lower-case words, pairs of words and short character sequences inside words. Each of these owns one small weight per label
(model.json). A label's score is its bias plus the sum of the weights of what was found, divided by a norm, so that long and short
texts compare. Only the standard library is used.
"""
# Name: @@NAME@@
# Task: @@TASK@@
#
# Strongest words for each label:
@@STRONGEST@@

import base64
import itertools
import json
import math
import os
import re
import struct

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.json"), encoding="utf-8") as file:
    MODEL = json.load(file)

LABELS = MODEL["labels"]
ORDER = MODEL["order"]  # the order in which properties of the input are read
PRIOR_LABEL, PRIOR_CONFIDENCE = MODEL["prior"]  # the answer to a text in which nothing is known
BIASES = MODEL["biases"]  # one a lane; two labels share a single lane, positive for the second
LANES = len(BIASES)
SHARPNESS, SHIFT = MODEL["sharpness"], MODEL["shift"]
WORD_SCALE, CHAR_SCALE = (scale / 16 for scale in MODEL["scales"])  # sums are in sixteenths

# Features are numbered through: words and pairs first, then character sequences.
WORDS = {word: number for number, word in enumerate(MODEL["words"])}
CHARS = {gram: number for number, gram in enumerate(MODEL["chars"], len(WORDS))}
WEIGHTS = base64.b64decode(MODEL["weights"])
ENDS = list(itertools.accumulate(MODEL["lengths"]))
ROWS = [0] * len(ENDS)  # weights of a feature as one integer, once it has been needed


def squared_idf(rows):
    idf = math.log((1 + MODEL["rows"]) / (1 + rows)) + 1
    return idf * idf


SQUARED_IDF_OF = {rows: squared_idf(rows) for rows in set(MODEL["documents"])}
SQUARED_IDF = [SQUARED_IDF_OF[rows] for rows in MODEL["documents"]]

# One integer holds a number of 32 bits for each label, its lane, so that one addition adds all labels at once. Weights are kept as
# weight + 128, which is never negative; how often 128 has to be taken off again is counted.
ZEROS = int.from_bytes(b"\x80\0\0\0" * LANES, "little")
unpack_lanes = struct.Struct("<%dI" % LANES).unpack

# Sums of words seen before, within some 20 MB.
KNOWN_WORDS = {}
MOST_KNOWN_WORDS = 20_000_000 // (8 * LANES + 400)
LONGEST_KNOWN_WORD = 64

# Character classes and case are spelled out, because the tables of Python versions differ.
LOWER = {code: chr(code).lower()[0] for codes in (@@CASED@@) for code in codes}
LOWER[0x3C2] = "\u03c3"  # final sigma
TOKEN = re.compile(r"@@TOKEN@@")

# What could identify somebody is replaced by its kind, here as in learning.
LINK = re.compile(r"@@LINK@@")
MAIL = re.compile(r"@@MAIL@@")
IBAN = re.compile(r"@@IBAN@@")
TWO_DIGITS = re.compile(r"[0-9]{2}")
NUMBER = re.compile(r"@@NUMBER@@")
NUMBER_BLANKS = re.compile(r"[ .,/-]")


def execute(input_data):
    scores = scores_of(tokenize("\n".join(pieces(input_data, ORDER, ""))))
    if scores is None:
        return {"result": LABELS[PRIOR_LABEL], "confidence": PRIOR_CONFIDENCE}
    if LANES == 1:
        second = 1 / (1 + math.exp(-max(-50.0, min(50.0, SHARPNESS * scores[0] + SHIFT))))
        label, confidence = (1, second) if scores[0] > 0 else (0, 1 - second)
        return {"result": LABELS[label], "confidence": round(max(0.5, confidence), 4)}
    best = max(scores)
    total = sum([math.exp(SHARPNESS * (score - best)) for score in scores])
    return {"result": LABELS[scores.index(best)], "confidence": round(1 / total, 4)}


def pieces(value, order, name):
    """All text of the input; booleans and the whole part of numbers become words like urgent_true and amount_12."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool):
        yield name + ("_true" if value else "_false")
    elif isinstance(value, (int, float)):
        if abs(value) < 1e15:
            yield "%s_%d" % (name, math.floor(value))
    elif isinstance(value, list):
        for item in value:
            yield from pieces(item, order, name)
    elif isinstance(value, dict):
        for key in order:
            if key in value:
                yield from pieces(value[key], order[key], key)
        for key in sorted(value.keys() - order.keys()):
            yield from pieces(value[key], {}, key)


def tokenize(text):
    text = text.lower() if text.isascii() else text.translate(LOWER)
    if "://" in text or "www." in text:
        text = LINK.sub(" _link_ ", text)
    if "@" in text:
        text = MAIL.sub(" _mail_ ", text)
    if TWO_DIGITS.search(text):
        text = IBAN.sub(" _iban_ ", text)
    return TOKEN.findall(NUMBER.sub(number_shape, text)[:@@LONGEST_TEXT@@])


def number_shape(match):
    return " _number%d_ " % len(NUMBER_BLANKS.sub("", match.group()))


def scores_of(tokens):
    """One score a lane, or None if the text has no known feature. Of each block: lanes, sixteenths added, squared norm."""
    counts = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    word_lanes = word_parts = char_lanes = char_parts = 0
    word_norm = char_norm = 0.0
    for word, count in counts.items():
        row, found, norm, gram_rows, grams_found, gram_norm = KNOWN_WORDS.get(word) or sums_of(word)
        if count == 1:
            factor, parts = 1, 16
        else:
            damped = 1 + math.log(count)
            factor, parts = damped * damped, int(16 * damped + 0.5)
        word_lanes += parts * row
        word_parts += parts * found
        word_norm += factor * norm
        char_lanes += parts * gram_rows
        char_parts += parts * grams_found
        char_norm += factor * gram_norm
    for left, right in zip(tokens, itertools.islice(tokens, 1, None)):
        pair = WORDS.get(left + " " + right)
        if pair is not None:
            word_lanes += 16 * (ROWS[pair] or spread_row(pair))
            word_parts += 16
            word_norm += SQUARED_IDF[pair]
    if not word_parts and not char_parts:
        return None
    word_factor = WORD_SCALE / math.sqrt(word_norm) if word_norm else 0.0
    char_factor = CHAR_SCALE / math.sqrt(char_norm) if char_norm else 0.0
    offset = 128 * (word_factor * word_parts + char_factor * char_parts)
    of_words = unpack_lanes(word_lanes.to_bytes(4 * LANES, "little"))
    of_chars = unpack_lanes(char_lanes.to_bytes(4 * LANES, "little"))
    return [
        bias + word_factor * from_words + char_factor * from_chars - offset
        for bias, from_words, from_chars in zip(BIASES, of_words, of_chars)
    ]


def sums_of(word):
    """Row, count and squared idf of the word itself, and the sums of these over its character sequences."""
    number = WORDS.get(word)
    row, found, norm = (0, 0, 0.0) if number is None else (ROWS[number] or spread_row(number), 1, SQUARED_IDF[number])
    gram_rows = grams_found = 0
    gram_norm = 0.0
    if CHARS:
        padded = " " + word + " "
        for length in range(@@SHORTEST_GRAM@@, @@LONGEST_GRAM@@ + 1):
            for at in range(len(padded) - length + 1):
                number = CHARS.get(padded[at : at + length])
                if number is not None:
                    gram_rows += ROWS[number] or spread_row(number)
                    grams_found += 1
                    gram_norm += SQUARED_IDF[number]
    sums = (row, found, norm, gram_rows, grams_found, gram_norm)
    if len(word) <= LONGEST_KNOWN_WORD:
        if len(KNOWN_WORDS) >= MOST_KNOWN_WORDS:
            KNOWN_WORDS.clear()
        KNOWN_WORDS[word] = sums
    return sums


def spread_row(number):
    """The stored row of a feature as lanes: a byte a lane, or pairs of the distance to the next lane and its weight."""
    stored = WEIGHTS[ENDS[number - 1] if number else 0 : ENDS[number]]
    if len(stored) == LANES:
        lanes = int.from_bytes(b"".join([b"%c\0\0\0" % weight for weight in stored]), "little")
    else:
        lanes, lane = ZEROS, -1
        for at in range(0, len(stored), 2):
            lane += stored[at]
            lanes += (stored[at + 1] - 128) << (32 * lane)
    ROWS[number] = lanes
    return lanes
