# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile JSON and YAML: refused with a reason, in bounded time and memory; plain files read as ever."""

import time
import tracemalloc

import pytest

from ppstyleclip.schema import Unreadable, parse_json, parse_yaml

JSON = {
    "nothing": ("", "no JSON"),
    "blanks": (" \n", "no JSON"),
    "half a list": ("[1", "no JSON"),
    "half a name": ('{"a', "no JSON"),
    "two values": ("1 2", "no JSON"),
    "a comment": ('{"a": 1} // b', "no JSON"),
    "single quotes": ("{'a': 1}", "no JSON"),
    "a comma too many": ("[1,]", "no JSON"),
    "a line end in a text": ('"a\nb"', "no JSON"),
    "no UTF-8": (b'{"a": "\xff"}', "UTF-8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "UTF-8"),
    "bytes of nothing": (b"\0" * 100, "no JSON"),
    "NaN": ('{"a": NaN}', "NaN"),
    "infinity": ("[Infinity]", "Infinity"),
    "minus infinity": ("[-Infinity]", "-Infinity"),
    "a float beyond all": ("[1e999]", "impossible number"),
    "a float below all": ("[-1e999]", "impossible number"),
    "a float of a million digits": ("[0." + "3" * 1_000_000 + "]", "impossible number"),
    "21 digits": ("9" * 21, "impossible number"),
    "5,000 digits": ("9" * 5000, "impossible number"),
    "a million digits": ("[" + "9" * 1_000_000 + "]", "impossible number"),
    "minus a million digits": ("[-" + "9" * 1_000_000 + "]", "impossible number"),
    "one name twice": ('{"a": 1, "a": 2}', "'a' twice"),
    "one name twice inside": ('{"b": {"a": 1, "a": 1}}', "'a' twice"),
    "the last of many names twice": (
        "{" + "".join(f'"{k}": 1,' for k in range(30_000)) + '"0": 1}',
        "'0' twice",
    ),
    "a name of codes twice": ('{"\\u001b": 1, "\\u001b": 2}', "x1b"),
    "33 lists": ("[" * 34 + "]" * 34, "32 deep"),
    "33 named values": ('{"a":' * 34 + "1" + "}" * 34, "32 deep"),
    "a thousand lists": ("[" * 1000 + "]" * 1000, "32 deep"),
    "half a million lists": ("[" * 500_000, "32 deep"),
    "half a million lists and ends": ("[" * 500_000 + "]" * 500_000, "32 deep"),
    "half a million objects": ('{"":' * 200_000, "32 deep"),
    "half a million values": ("[" + "0," * 500_000 + "0]", "200000 values"),
    "half a million names": ("{" + '"":0,' * 200_000 + '"":0}', "200000 values"),
    "half a letter": ('"\\ud800"', "half a letter"),
    "half a letter in a name": ('{"\\udc00": 1}', "half a letter"),
    "the wrong halves": ('["\\udc00\\ud800"]', "half a letter"),
    "two megabytes of blanks": (" " * 2**21, "bytes long"),
    "two megabytes of text": ('"' + "a" * 2**21 + '"', "bytes long"),
}
YAML = {
    "half a list": ("[1", "no YAML"),
    "a tab": ("a:\n\tb: 1", "no YAML"),
    "no UTF-8": (b"a: \xff", "UTF-8"),
    "a control character": ("a: \x07", "no YAML"),
    "two documents": ("a: 1\n---\nb: 2", "no YAML"),
    "infinity": ("a: .inf", "impossible number, .inf"),
    "minus infinity": ("a: -.INF", "impossible number"),
    "not a number": ("a: .nan", "impossible number, .nan"),
    "a float beyond all": ("a: 1.0e+999", "impossible number"),
    "a float of 200 digits": ("a: 0." + "3" * 200, "impossible number"),
    "5,000 digits": ("a: " + "9" * 5000, "impossible number"),
    "60,000 digits": ("a: " + "9" * 60_000, "impossible number"),
    "hexadecimal digits": ("a: 0x" + "f" * 5000, "impossible number"),
    "binary digits": ("a: 0b" + "1" * 5000, "impossible number"),
    "base 60": ("a: 1" + ":59" * 5000, "impossible number|no YAML"),
    "one name twice": ("a: 1\na: 2", "'a' twice"),
    "one name twice inside": ("{b: {a: 1, a: 2}}", "'a' twice"),
    "one number twice": ("1: a\n1: b", "twice"),
    "33 lists": ("[" * 34 + "]" * 34, "32 deep"),
    "20,000 lists": ("[" * 20_000, "32 deep"),
    "60,000 dashes": ("- " * 30_000, "32 deep"),
    "60,000 objects": ("{a: " * 15_000, "32 deep"),
    "60,000 keys": ("? " * 30_000, "32 deep|no YAML"),
    "a list in itself": ("&a [*a]", "32 deep"),
    "a mapping in itself": ("&a {b: *a}", "32 deep"),
    "an alias of nothing": ("[*a]", "no YAML"),
    "101 aliases": ("- &a 1\n" + "- *a\n" * 101, "100 aliases"),
    "a billion laughs": (
        "a0: &a0 [x, x]\n" + "".join(f"a{k}: &a{k} [{f'*a{k - 1}, ' * 9}]\n" for k in range(1, 11)),
        "200000 values",
    ),
    "merges of merges": ("a: &a {b: 1}\nc: &c {<<: [*a, *a]}", "merge key"),
    "an object": ("!!python/object/apply:os.system [echo]", "no YAML"),
    "a name of Python": ("!!python/name:os.system", "no YAML"),
    "a tuple": ("!!python/tuple [1]", "no YAML"),
    "a tag of nobody": ("!mine 1", "no YAML"),
    "a list for a name": ("? [a]\n: 1", "no YAML"),
    "a mapping for a name": ("? {a: 1}\n: 1", "no YAML"),
    "a day that is none": ("a: 2024-13-45", "no YAML"),
    "no base64": ("a: !!binary /////x", "no YAML"),
    "a whole number that is none": ("a: !!int x", "no YAML"),
    "a number that is none": ("a: !!float [1]", "no YAML"),
    "100 kB": ("a: " + "b" * 100_000, "bytes long"),
}


def table(cases):
    return [pytest.param(*case, id=name) for name, case in cases.items()]


def refused(parse, text, words):
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(Unreadable, match=words) as caught:
            parse(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(caught.value).isprintable() and len(str(caught.value)) < 400
    assert peak < 8 * len(text) + 64 * 2**20 and time.process_time() - began < 20


@pytest.mark.parametrize("text, words", table(JSON))
def test_json_that_is_refused(text, words):
    refused(parse_json, text, words)


@pytest.mark.parametrize("text, words", table(YAML))
def test_yaml_that_is_refused(text, words):
    refused(parse_yaml, text, words)


def test_plain_json_is_read():
    text = '\ufeff{"a": [1, -2, 3.5, 1e-3, true, null, "\\u00e9\\ud83d\\ude00"], '
    text += '"b": {"c": 9223372036854775807}}'
    wanted = {"a": [1, -2, 3.5, 1e-3, True, None, "\u00e9\U0001f600"], "b": {"c": 2**63 - 1}}
    assert parse_json(text.encode()) == wanted
    assert parse_json("[" * 32 + "]" * 32) and parse_json("-9223372036854775808") == -(2**63)


def test_plain_yaml_is_read():
    text = "a: [1, 0.5, yes, null]\nb: &b {c: 1.0e-3}\nd: *b\n'e f': word # comment\n7: 0x10\n"
    wanted = {"a": [1, 0.5, True, None], "b": {"c": 1e-3}, "d": {"c": 1e-3}, "e f": "word", 7: 16}
    assert parse_yaml(text.encode()) == wanted
    assert parse_yaml("") is None
