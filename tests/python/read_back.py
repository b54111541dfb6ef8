#!/usr/bin/env python3
"""Whether gensim, fastText, numpy and safetensors read the vectors that this crate writes, and this crate theirs.

    python3 tests/python/read_back.py [TEXT]

TEXT is what fastText learns from, instead of made-up sentences. Run in the crate's folder. It builds the command `nanoembed`, writes made-up vectors with each program that is installed, converts them into
each format, and reads the results with the same programs. Numbers are compared by bits; of fastText's model, whose vectors are means, within
1e-6. A program that is not installed is printed as NOT RUN. Ends with status 1 if anything differs.
"""

import importlib.util
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

WORDS = ["the", "of", "café", "naïve", "日本", "can't", "x", "New_York", "0.5", "</s>"]
DIM = 7
failures = 0


def has(module):
    """Whether a module is installed; says so if not."""
    if importlib.util.find_spec(module) is None:
        print(f"NOT RUN: {module} is not installed")
        return False
    return True


def said(what, right):
    global failures
    print(f"{'ok' if right else 'WRONG'}: {what}")
    failures += not right


def f32(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


def same(rows, expected, tolerance=0.0):
    """Whether rows, a mapping of words, hold the expected numbers."""
    return all(
        len(rows[word]) == len(row) and all(abs(a - b) <= tolerance for a, b in zip(map(float, rows[word]), row))
        for word, row in expected.items())


def read_text(path):
    """word2vec's text file, by hand."""
    with open(path, encoding="utf-8") as file:
        rows, dim = map(int, file.readline().split())
        table = {}
        for line in file:
            fields = line.rstrip("\n").split(" ")
            table[fields[0]] = [f32(float(x)) for x in fields[1:]]
    assert len(table) == rows and all(len(row) == dim for row in table.values())
    return table


def main():
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "nanoembed-cli"], check=True)
    program = os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "release", "nanoembed")
    rng = random.Random(1)
    sizes = [1.0, 1e-3, 1e3]
    table = {word: [f32(rng.gauss(0, 1) * sizes[i % 3]) for _ in range(DIM)] for i, word in enumerate(WORDS)}
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)

        def convert(start, end):
            done = subprocess.run([program, "convert", path(start), path(end)], capture_output=True, text=True)
            if done.returncode:
                said(f"{start} to {end}: {done.stderr.strip()}", False)
            return path(end)

        with open(path("glove.txt"), "w", encoding="utf-8") as file:
            for word, row in table.items():
                file.write(" ".join([word, *map(repr, row)]) + "\n")
        said("GloVe text to word2vec text", same(read_text(convert("glove.txt", "ours.vec")), table))
        for end in ("ours.bin", "ours.npy", "ours.safetensors"):
            convert("glove.txt", end)
        said("binary to text", same(read_text(convert("ours.bin", "again.vec")), table))

        if has("gensim"):
            from gensim.models import KeyedVectors
            for name, binary in (("ours.vec", False), ("ours.bin", True)):
                read = KeyedVectors.load_word2vec_format(path(name), binary=binary)
                said(f"gensim reads {name}", list(read.index_to_key) == WORDS and same(read, table))
            for name, binary in (("gensim.vec", False), ("gensim.bin", True)):
                read.save_word2vec_format(path(name), binary=binary)
                said(f"gensim's {name} to text", same(read_text(convert(name, f"{name}.txt")), table))
        if has("numpy"):
            import numpy
            array = numpy.load(path("ours.npy"))
            said("numpy reads ours.npy", same(dict(zip(WORDS, array)), table) and array.dtype == numpy.float32)
            numpy.savez_compressed(path("numpy.npz"), array=array)
            read = read_text(convert("numpy.npz", "numpy.vec"))
            said("numpy's npz to text", same({word: read[str(i)] for i, word in enumerate(WORDS)}, table))
        if has("safetensors") and has("numpy"):
            from safetensors.numpy import load_file, save_file
            array = load_file(path("ours.safetensors"))["vectors"]
            said("safetensors reads ours.safetensors", same(dict(zip(WORDS, array)), table))
            save_file({"a": array}, path("theirs.safetensors"))
            read = read_text(convert("theirs.safetensors", "theirs.vec"))
            said("its safetensors to text", same({word: read[str(i)] for i, word in enumerate(WORDS)}, table))
        if has("fasttext"):
            import fasttext
            if len(sys.argv) > 1:
                model = fasttext.train_unsupervised(sys.argv[1], epoch=1, verbose=0)
            else:
                write_sentences(path("text"), rng)
                # A threshold of 1 drops no word: all are frequent. With few buckets fastText at times learns NaN.
                options = {"dim": DIM, "minCount": 1, "epoch": 2, "thread": 1, "bucket": 50_000, "t": 1.0, "verbose": 0}
                model = fasttext.train_unsupervised(path("text"), **options)
            model.save_model(path("fasttext.bin"))
            expected = {word: list(map(float, model.get_word_vector(word))) for word in model.get_words()}
            said("fastText's model to text", same(read_text(convert("fasttext.bin", "fasttext.vec")), expected, 1e-6))
            # Words that it has, and words that its n-grams stand for.
            words = [*WORDS[:-1], "unseen", "caf", "日本語", "New_Yorker"]
            for a, b in zip(words, reversed(words)):
                done = subprocess.run([program, "similarity", path("fasttext.bin"), a, b, "--json"], capture_output=True, text=True)
                x, y = model.get_word_vector(a), model.get_word_vector(b)
                norms = (sum(map(float, x * x)) * sum(map(float, y * y))) ** 0.5
                # A word without n-grams has zeros, whose cosine is 0.
                cosine = sum(map(float, x * y)) / norms if norms > 0.0 else 0.0
                found = json.loads(done.stdout)["cosine"] if done.returncode == 0 else math.nan
                said(f"the cosine of {a} and {b} by fastText's model", abs(found - cosine) <= 1e-6)
            # Its training starts from our text: no row may be lost on the way.
            write_labels(path("labels"))
            options = {"dim": DIM, "minCount": 1, "epoch": 1, "lr": 0.0, "thread": 1, "verbose": 0}
            model = fasttext.train_supervised(path("labels"), pretrainedVectors=path("ours.vec"), **options)
            said("fastText starts from ours.vec", same({word: model.get_word_vector(word) for word in WORDS[:-1]},
                                                       {word: table[word] for word in WORDS[:-1]}, 1e-6))
    return 1 if failures else 0


def write_sentences(path, rng):
    """Writes sentences of all words."""
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(300):
            file.write(" ".join(rng.choice(WORDS[:-1]) for _ in range(9)) + "\n")


def write_labels(path):
    """Writes labelled text for fastText, of all words."""
    with open(path, "w", encoding="utf-8") as file:
        for i in range(20):
            file.write(f"__label__{i % 2} " + " ".join(WORDS[:-1]) + "\n")


if __name__ == "__main__":
    sys.exit(main())
