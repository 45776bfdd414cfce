"""Concatenated files are read in full, and flawed audio is reported by kind."""

from __future__ import annotations

import numpy as np
import pytest
from sample_sounds import encoded, hiss, tone

from mmzoo.modalities.audio.audio_decoding import audio_info, decode_batch
from mmzoo.modalities.audio.audio_files import (
    WaveformFormat,
    decode_audio,
    read_audio_header,
)
from mmzoo.modalities.audio.audio_flaws import find_audio_flaw
from mmzoo.modalities.audio.mp3_frames import parse_frame
from mmzoo.modalities.file_probe import UnreadableError

ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x05" + bytes(5)
ID3_1 = b"TAG" + b"a title".ljust(125)
OPTIONS = [
    {"container": "MP3", "mode": "VARIABLE"},
    {"container": "OGG", "subtype": "VORBIS"},
    {"container": "OGG", "subtype": "OPUS"},
    {"container": "FLAC"},
    {"container": "WAV"},
]


def decoded_in_full(content: bytes) -> np.ndarray:
    header = read_audio_header(content)
    return decode_audio(content, WaveformFormat(header.rate, header.samples, "start"))


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options.values()))
@pytest.mark.parametrize("count", [2, 3])
def test_concatenated_files_are_decoded_in_full(options, count, tmp_path):
    parts = [encoded(hiss(4_000 + 999 * n, seed=n), **options) for n in range(count)]
    joined = b"".join(parts)
    expected = np.concatenate([decoded_in_full(part) for part in parts])
    header = read_audio_header(joined)
    assert header.samples == len(expected) == sum(4_000 + 999 * n for n in range(count))
    assert header.parts == tuple(len(b"".join(parts[:n])) for n in range(count))
    np.testing.assert_array_equal(decoded_in_full(joined), expected)
    assert find_audio_flaw(joined) is None
    # As the pipeline reads the middle.
    path = tmp_path / "joined"
    path.write_bytes(joined)
    first = (len(expected) - 3_000) // 2
    files = np.array([[str(path), audio_info(header), "0"]], np.bytes_)
    [decoded] = decode_batch(files, WaveformFormat(8_000, 3_000, "center")).numpy()
    np.testing.assert_array_equal(decoded, expected[first : first + 3_000])


@pytest.mark.parametrize("tags", [ID3, ID3_1, ID3_1 + ID3], ids=["ID3v2", "ID3v1", "both"])
def test_concatenated_mp3_files_can_have_tags(tags):
    one, other = (encoded(hiss(seed=seed), container="MP3") for seed in (0, 1))
    np.testing.assert_array_equal(
        decoded_in_full(ID3 + one + tags + other + ID3_1),
        np.concatenate([decoded_in_full(one), decoded_in_full(other)]),
    )


@pytest.mark.parametrize("gap", [bytes(3), bytes(5_000), b"between" * 20], ids=len)
def test_concatenated_mp3_files_can_have_other_bytes_between(gap):
    one, other = (encoded(hiss(seed=seed), container="MP3") for seed in (0, 1))
    content = one + gap + other
    np.testing.assert_array_equal(
        decoded_in_full(content), np.concatenate([decoded_in_full(one), decoded_in_full(other)])
    )
    assert find_audio_flaw(content) is None


def test_mp3_files_without_a_length_can_have_zeros_between():
    one, other = (encoded(hiss(seed=seed), container="MP3") for seed in (0, 1))
    one = one[parse_frame(one, 0).length :]
    np.testing.assert_array_equal(
        decoded_in_full(one + bytes(999) + other),
        np.concatenate([decoded_in_full(one), decoded_in_full(other)]),
    )


def test_bytes_after_an_mp3_file_are_reported():
    content = encoded(hiss(), container="MP3")
    other = np.random.RandomState(0).bytes(8_000)
    assert find_audio_flaw(content + other) == (
        "have data that is not MP3 after their audio, which is not read: convert them again, for "
        "example with sox or ffmpeg"
    )
    for harmless in (bytes(8_000), other[:100], ID3_1, b"LYRICSBEGIN" + other):
        assert find_audio_flaw(content + harmless) is None


def test_a_part_without_a_length_can_follow_one_with_it():
    one, other = (encoded(hiss(seed=seed), container="MP3") for seed in (0, 1))
    other = other[parse_frame(other, 0).length :]
    np.testing.assert_array_equal(
        decoded_in_full(one + other), np.concatenate([decoded_in_full(one), decoded_in_full(other)])
    )


def test_parts_of_several_rates_are_refused():
    content = encoded(hiss(), 8_000, "FLAC") + encoded(hiss(), 16_000, "FLAC")
    with pytest.raises(UnreadableError) as caught:
        read_audio_header(content)
    assert str(caught.value) == (
        "2 audio files were joined to this one, with sample rates from 8,000 to 16,000 Hz: split "
        "or resample it"
    )


def test_a_damaged_part_is_found():
    content = encoded(hiss(), container="FLAC")
    damaged = content[:-2_000] + bytes(64) + content[-1_936:]
    with pytest.raises(UnreadableError, match="the audio is damaged"):
        find_audio_flaw(content + damaged)


def wav_that_declares(size: int) -> bytes:
    content = encoded(hiss())
    return content[:40] + size.to_bytes(4, "little") + content[44:]


SINE = tone()
FLAWS = {
    "silent": (0 * SINE, {}),
    "silent ogg": (0 * SINE, {"container": "OGG"}),
    "one bit": (np.random.RandomState(0).randint(-1, 2, 8_000).astype("int16"), {}),
    "constant": (0 * SINE + 0.3, {}),
    "opposite": (np.stack([SINE, -SINE], 1), {}),
    "nearly opposite": (np.stack([SINE, -0.98 * SINE], 1), {}),
    "integers": (SINE * 2.0**15, {"subtype": "FLOAT"}),
    "24 bits": (SINE * 2.0**23, {"subtype": "DOUBLE"}),
}


@pytest.mark.parametrize("kind", FLAWS)
def test_audio_that_becomes_nothing_is_reported(kind):
    values, options = FLAWS[kind]
    words = {
        "silent": "are silent",
        "one": "are silent",
        "constant": "are constant",
        "opposite": "cancel each other out",
        "nearly": "cancel each other out",
        "integers": "were integers saved as floats?",
        "24": "were integers saved as floats?",
    }[kind.split()[0]]
    assert words in find_audio_flaw(encoded(values, **options))


@pytest.mark.parametrize(
    "values",
    [SINE, 0.001 * SINE, 3 * SINE, np.stack([SINE, 0 * SINE], 1), np.stack([SINE, -0.5 * SINE], 1)],
    ids=["sine", "quiet", "loud", "one channel", "half opposite"],
)
def test_audio_with_sound_is_not_reported(values):
    assert find_audio_flaw(encoded(values, subtype="FLOAT")) is None


HALF = np.concatenate([0 * SINE, SINE])


@pytest.mark.parametrize(
    ("values", "seconds", "keep", "words"),
    [
        (HALF, 0.5, "start", "are silent in the first 0.5 s, the part that is kept: change `keep`"),
        (HALF, 1.0, "start", "are silent in the first 1 s"),
        (HALF, 1.1, "start", None),
        (HALF, 0.5, "center", None),
        (HALF, 3.0, "start", None),
        (np.concatenate([SINE, 0 * SINE, 0 * SINE, SINE]), 2.0, "center", "in the middle 2 s"),
        (np.concatenate([SINE, 0 * SINE, 0 * SINE, SINE]), 2.1, "center", None),
        (0 * SINE, 0.5, "start", "are silent"),
    ],
)
@pytest.mark.parametrize("joined", [False, True])
def test_audio_that_is_silent_where_it_is_kept_is_reported(values, seconds, keep, words, joined):
    form = WaveformFormat(8_000, round(seconds * 8_000), keep)
    content = encoded(values)
    if joined:
        half = len(values) // 2
        content = encoded(values[:half]) + encoded(values[half:])
    found = find_audio_flaw(content, form)
    assert found is None if words is None else words in found
    is_silent = not decode_audio(content, form).any()
    assert is_silent == (found is not None)


def test_samples_beyond_the_declared_length_are_reported():
    assert "declare fewer bytes of samples than they have" in find_audio_flaw(
        wav_that_declares(4_000)
    )
    assert find_audio_flaw(encoded(hiss()) + bytes(5_000)) is None
    assert find_audio_flaw(encoded(hiss()) + b"\x8a\xff" * 90) is None
