"""Plain YAML: what is read, what is refused, and where."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.yaml_plain import DEEPEST, NotPlain, place, read


def _refused(text: str | bytes) -> tuple[tuple[int, int], str]:
    with pytest.raises(NotPlain) as caught:
        read(text.encode() if isinstance(text, str) else text)
    return caught.value.place, str(caught.value)


def test_plain_values_are_read() -> None:
    plain = read(b"a: [1, -2.5, yes, ~, 'x y']\nb: {c: 0x10}\n")
    assert plain.data == {"a": [1, -2.5, True, None, "x y"], "b": {"c": 16}}


def test_a_date_a_merge_and_an_equals_sign_stay_texts() -> None:
    assert read(b"{a: 2026-11-20, <<: '=', b: =}").data == {"a": "2026-11-20", "<<": "=", "b": "="}


@pytest.mark.parametrize("text", [b"", b"# only a comment\n", b"---\n...\n"])
def test_an_empty_text_has_no_value(text: bytes) -> None:
    assert read(text).data is None


def test_nodes_know_their_place() -> None:
    plain = read(b"a:\n  bc: 1\n")
    (key, value), *_ = plain.root.value  # type: ignore[union-attr]
    assert (place(key), place(value.value[0][0])) == ((1, 1), (2, 3))


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("a: &x 1\n", (1, 4), "anchors (x)"),
        ("a: 1\nb: *x\n", (2, 4), "anchors (x)"),
        ("a: !!timestamp abc\n", (1, 4), "tags"),
        ("a: !!bool x\n", (1, 4), "tags"),
        ("a: !!int ''\n", (1, 4), "tags"),
        ("a: !!python/object:os.system x\n", (1, 4), "tags"),
        ("a: .nan\n", (1, 4), "finite"),
        ("a: -.inf\n", (1, 4), "finite"),
        ("a: 0x_\n", (1, 4), "not a number"),
        ("a: 9223372036854775808\n", (1, 4), "too large"),
        ("a: 0x" + "f" * 9000 + "\n", (1, 4), "too large"),
        ("a: 1\n2: b\n", (2, 1), "expected a name"),
        ("? [a, b]\n: 1\n", (1, 3), "expected a name"),
        ("~: 1\n", (1, 1), "expected a name"),
        ('a: "x\\ud800"\n', (1, 4), "characters"),
        ('a: "x\\0y"\n', (1, 4), "characters"),
        ("a: 1\n\tb: 2\n", (2, 1), "'\\t'"),
        ("a: [1\nb: 2\n", (2, 2), "expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", (2, 1), "another document"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_place(
    text: str, at: tuple[int, int], words: str
) -> None:
    found, message = _refused(text)
    assert found == at
    assert words in message


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"\xff\xfe\xff", b"a: \x80\n", b"\x89PNG\r\n"])
def test_binary_data_are_no_text(data: bytes) -> None:
    assert _refused(data)[1]


@pytest.mark.parametrize("text", ["[" * 5000, "- " * 5000 + "x", "{a: " * 5000, "? " * 5000])
def test_depth_is_bounded(text: str) -> None:
    assert f"more than {DEEPEST} levels" in _refused(text)[1]


def test_a_text_that_would_fill_the_memory_is_refused_at_its_first_anchor() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    assert _refused("\n".join(lines))[0] == (1, 5)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet="ab:-[]{},&*!<>|#?%@'\" \n\t~0.x_=\\u", max_size=60).map(str.encode),
    )
)
def test_whatever_the_bytes_the_answer_is_plain_or_refused(data: bytes) -> None:
    try:
        found = read(data).data
    except NotPlain as refusal:
        found = [*refusal.place, str(refusal)]
    json.dumps(found, allow_nan=False)
