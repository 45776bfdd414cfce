"""Audio files of every format are decoded; corrupt files are refused."""

from __future__ import annotations

import os

import numpy as np
import pytest
from sample_sounds import encoded, hiss, tone

from mmzoo.modalities.audio.audio_containers import detect_container, with_flac_length
from mmzoo.modalities.audio.audio_files import (
    AudioHeader,
    WaveformFormat,
    decode_audio,
    read_audio_header,
)
from mmzoo.modalities.audio.audio_flaws import find_audio_flaw
from mmzoo.modalities.file_probe import UnreadableError

SECOND = WaveformFormat(rate=8_000, samples=8_000, keep="start")


def reason(content: bytes, decode: bool = True) -> str:
    """Why an audio file cannot be read."""
    with pytest.raises(UnreadableError) as caught:
        decode_audio(content, SECOND) if decode else read_audio_header(content)
    return str(caught.value)


@pytest.mark.parametrize(
    ("container", "subtype", "error"),
    [
        ("WAV", "PCM_16", 4e-5),
        ("WAV", "PCM_24", 2e-7),
        ("WAV", "PCM_32", 1e-7),
        ("WAV", "PCM_U8", 8e-3),
        ("WAV", "FLOAT", 0.0),
        ("WAV", "DOUBLE", 0.0),
        ("WAV", "ULAW", 2e-2),
        ("WAVEX", "PCM_24", 2e-7),
        ("RF64", "PCM_16", 4e-5),
        ("FLAC", "PCM_16", 4e-5),
        ("FLAC", "PCM_24", 2e-7),
        ("OGG", "VORBIS", 0.05),
        ("OGG", "OPUS", 0.1),
        ("MP3", "MPEG_LAYER_III", 0.1),
    ],
)
def test_all_containers_and_bit_depths_give_equal_samples(container, subtype, error):
    values = tone()
    content = encoded(values, container=container, subtype=subtype)
    assert read_audio_header(content) == AudioHeader(8_000, 1, 8_000)
    decoded = decode_audio(content, SECOND)
    assert (decoded.dtype, decoded.shape) == (np.float32, (8_000,))
    # Where a codec begins and ends, it lacks what it looks at to either side.
    np.testing.assert_allclose(decoded[400:-400], values[400:-400], atol=error)
    find_audio_flaw(content)


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG"])
@pytest.mark.parametrize("channels", [2, 8])
def test_channels_are_averaged(container, channels):
    values = np.stack([tone(200.0 * (1 + channel)) for channel in range(channels)], axis=1)
    decoded = decode_audio(encoded(values, container=container), SECOND)
    tolerance = 0.1 if container == "OGG" else 1e-4
    expected = values.mean(axis=1)
    np.testing.assert_allclose(decoded[400:-400], expected[400:-400], atol=tolerance)


@pytest.mark.parametrize(
    ("keep", "samples", "expected"),
    [
        ("start", 4, [1, 2, 3, 4]),
        ("center", 4, [3, 4, 5, 6]),
        ("start", 8, [1, 2, 3, 4, 5, 6, 7, 8]),
        ("start", 11, [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0]),
        ("center", 11, [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0]),
    ],
)
@pytest.mark.parametrize("container", ["WAV", "FLAC"])
def test_audio_is_trimmed_or_padded(container, keep, samples, expected):
    content = encoded(np.arange(1, 9, dtype="int16"), container=container)
    decoded = decode_audio(content, WaveformFormat(8_000, samples, keep))
    assert (decoded * 2**15).tolist() == expected


@pytest.mark.parametrize(
    "options",
    [
        {"container": "MP3", "mode": "VARIABLE"},
        {"container": "MP3", "mode": "CONSTANT"},
        {"container": "OGG", "subtype": "VORBIS"},
        {"container": "OGG", "subtype": "OPUS"},
        {"container": "FLAC"},
        {"container": "WAV", "subtype": "IMA_ADPCM"},
        {"container": "WAV", "subtype": "GSM610"},
    ],
    ids=lambda options: "-".join(options.values()),
)
def test_the_center_is_bit_identical_to_that_of_a_full_decode(options):
    """Alternating noise and tones, so that variable bitrates vary, in a long and a short file."""
    for seconds in (40, 2):
        parts = [hiss(8_000, seed=n)[:, 0] if n % 2 else tone(90.0 * n) for n in range(seconds)]
        content = encoded(np.concatenate(parts), **options)
        samples = read_audio_header(content).samples
        complete = decode_audio(content, WaveformFormat(8_000, samples, "start"))
        assert np.abs(complete).max() > 0.4
        for kept in (700, 9_001):
            first = (samples - kept) // 2
            decoded = decode_audio(content, WaveformFormat(8_000, kept, "center"))
            np.testing.assert_array_equal(decoded, complete[first : first + kept])


@pytest.mark.parametrize("rate", [11_025, 16_000, 22_050, 44_100, 48_000])
def test_resampling_preserves_a_tone(rate):
    decoded = decode_audio(encoded(tone(1_000, rate), rate, subtype="FLOAT"), SECOND)
    error = (decoded - tone(1_000))[200:-200]
    assert 10 * np.log10(np.mean(error**2) / np.mean(tone(1_000) ** 2)) < -90


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_resampling_removes_frequencies_above_the_new_band(rate):
    decoded = decode_audio(encoded(tone(5_000, rate), rate, subtype="FLOAT"), SECOND)
    assert 10 * np.log10(np.mean(decoded[200:-200] ** 2) / np.mean(tone() ** 2)) < -90


@pytest.mark.parametrize("keep", ["start", "center"])
def test_a_segment_is_resampled_like_the_full_file(keep):
    """Only the segment is decoded, without artefacts at its end."""
    long = encoded(tone(1_000, 16_000, seconds=5.0), 16_000, subtype="FLOAT")
    decoded = decode_audio(long, WaveformFormat(8_000, 8_000, keep))
    np.testing.assert_allclose(decoded[200:], tone(1_000)[200:], atol=1e-4)


def test_floats_beyond_one_are_kept():
    content = encoded(np.full(8, 3.0, "float32"), subtype="FLOAT")
    assert decode_audio(content, WaveformFormat(8_000, 8, "start")).tolist() == [3.0] * 8


# Refusals.


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF", b"a text, and no sound", b"\xff\xd8\xff\xe0 a JPEG", b"\xff\xff\xff\xff" * 4],
)
def test_files_that_are_not_audio_are_refused(content):
    assert detect_container(content) is None
    assert (
        reason(content) == "not an audio file that mmzoo can read: expected WAV, FLAC, OGG or MP3"
    )


def test_unsupported_formats_do_not_reach_the_decoder():
    """libsndfile reads two dozen formats, whose bugs would become ours."""
    for container in ("AIFF", "AU", "CAF", "VOC", "W64"):
        assert reason(encoded(tone(), container=container)).startswith(
            "not an audio file that mmzoo"
        )


def test_audio_without_samples_is_refused():
    for container in ("WAV", "OGG"):
        assert reason(encoded(np.zeros(0, "float32"), container=container)) == (
            "the audio is empty: it has a header but no samples"
        )


def with_bytes(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def test_a_rate_of_0_hz_is_refused():
    content = with_bytes(encoded(tone()), 24, bytes(4))
    assert reason(content) == "the audio has a sample rate of 0 Hz in its header"


def test_an_absurd_rate_is_refused():
    content = with_bytes(encoded(tone()), 24, (2**31 - 1).to_bytes(4, "little"))
    assert reason(content) == (
        "the audio has 2,147,483,647 samples per second, and mmzoo reads 1,000 to 768,000: "
        "resample it"
    )


def test_too_many_channels_are_refused():
    assert reason(encoded(hiss(100, channels=9))) == (
        "the audio has 9 channels, and mmzoo mixes at most 8: remove some"
    )


def test_an_absurd_number_of_samples_is_refused(monkeypatch):
    monkeypatch.setattr("mmzoo.modalities.audio.audio_files.MAX_SAMPLES", 9_999)
    assert reason(encoded(hiss(5_000, channels=2)), decode=False) == (
        "the audio has 5,000 samples per channel, and mmzoo reads at most 4,999: split it"
    )


def test_a_truncated_wav_file_is_refused():
    content = encoded(tone())
    assert reason(content[:8_044], decode=False) == (
        "the audio is damaged: it has 8,000 of 16,000 bytes of samples"
    )
    for length in range(12, 41):
        assert reason(content[:length]).startswith("the audio is damaged: ")


@pytest.mark.parametrize("excess", [1, 2, 36, 44])
def test_a_wav_file_that_counts_its_header_as_samples_is_read(excess):
    content = with_bytes(encoded(tone()), 40, (16_000 + excess).to_bytes(4, "little"))
    assert read_audio_header(content) == AudioHeader(8_000, 1, 8_000)
    np.testing.assert_array_equal(
        decode_audio(content, SECOND), decode_audio(encoded(tone()), SECOND)
    )


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0xFFFFFFF8, 0x7FFFFFFF - 36, 0x7FFFEFF6])
def test_a_streamed_wav_file_is_read(size):
    """A writer to a pipe cannot go back to store the length."""
    content = with_bytes(encoded(tone()), 40, size.to_bytes(4, "little"))
    np.testing.assert_array_equal(
        decode_audio(content, SECOND), decode_audio(encoded(tone()), SECOND)
    )
    assert read_audio_header(with_bytes(content, 4, bytes(4))) == AudioHeader(8_000, 1, 8_000)
    assert find_audio_flaw(content) is None


def test_an_empty_wav_file_with_other_chunks_is_empty():
    content = encoded(np.zeros(0, "float32")) + b"LIST" + (4).to_bytes(4, "little") + b"INFO"
    assert reason(content) == "the audio is empty: it has a header but no samples"


def test_flac_without_a_sample_count_is_read():
    """As ffmpeg and flac write it into a pipe."""
    content = encoded(hiss(), container="FLAC")
    streamed = with_flac_length(content, 0)
    assert streamed != content
    assert read_audio_header(streamed) == read_audio_header(content)
    for keep in ("start", "center"):
        form = WaveformFormat(8_000, 3_000, keep)
        np.testing.assert_array_equal(decode_audio(streamed, form), decode_audio(content, form))


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG"])
def test_a_leading_id3_tag_is_skipped(container):
    content = encoded(hiss(), container=container)
    tagged = b"ID3\x04\x00\x00\x00\x00\x00\x05" + bytes(5) + content
    assert read_audio_header(tagged) == read_audio_header(content)
    np.testing.assert_array_equal(decode_audio(tagged, SECOND), decode_audio(content, SECOND))


def in_wav(data: bytes, tag: int, bits: int) -> bytes:
    """A WAV file with any codec."""
    form = tag.to_bytes(2, "little") + (1).to_bytes(2, "little") + (8_000).to_bytes(4, "little")
    form += (8_000 * bits // 8).to_bytes(4, "little") + (bits // 8).to_bytes(2, "little")
    form += bits.to_bytes(2, "little")
    chunks = b"fmt " + len(form).to_bytes(4, "little") + form
    chunks += b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks


def test_mp3_in_wav_is_read():
    content = encoded(tone(), container="MP3")
    decoded = decode_audio(in_wav(content, 0x55, 0), SECOND)
    np.testing.assert_array_equal(decoded, decode_audio(content, SECOND))


@pytest.mark.parametrize(
    ("tag", "bits", "kind"),
    [(1, 64, "64-bit PCM"), (0xFF, 16, "AAC"), (0x7777, 0, "format 0x7777")],
)
def test_unsupported_codecs_are_not_reported_as_damage(tag, bits, kind):
    assert reason(in_wav(bytes(4_000), tag, bits)) == (
        f"a WAV file with {kind} audio, which mmzoo cannot read: convert it to 16-bit PCM"
    )


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("container", ["FLAC", "OGG", "MP3"])
def test_a_truncated_compressed_file_is_refused(container, share):
    content = encoded(hiss(16_000), container=container)
    cut = content[: int(len(content) * share)]
    with pytest.raises(UnreadableError, match="the audio is damaged: "):
        find_audio_flaw(cut)


def test_a_truncated_mp3_reports_where_it_ends():
    content = encoded(tone(seconds=4.0), container="MP3")
    with pytest.raises(UnreadableError, match=r"it ends after 1\d,\d{3} of 32,000 samples"):
        find_audio_flaw(content[: len(content) // 2])


def test_damage_outside_the_used_segment_is_ignored():
    """The part of the file that is used is intact."""
    content = encoded(tone(seconds=4.0), container="MP3")[:-500]
    decode_audio(content, SECOND)
    with pytest.raises(UnreadableError):
        find_audio_flaw(content)


def test_damaged_flac_is_refused():
    content = encoded(hiss(), container="FLAC")
    flipped = with_bytes(content, len(content) // 2, b"\x00" * 64)
    assert reason(flipped).startswith("the audio is damaged: ")


def test_non_finite_samples_are_refused():
    values = tone()
    values[7] = np.nan
    assert reason(encoded(values, subtype="FLOAT")) == (
        "the audio is damaged: it has samples that are not finite"
    )
    values[7] = -1e26
    assert reason(encoded(values, subtype="FLOAT")) == (
        "the audio has samples up to 1.0e+26, expected them from -1 to 1"
    )


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3"])
def test_damage_raises_only_data_errors(container):
    """Changed or lost bytes give finite samples or an UnreadableError."""
    content = encoded(hiss(2_000), container=container)
    random, reasons = np.random.RandomState(0), []
    for _ in range(60):
        damaged = bytearray(content)
        for place in random.randint(0, len(damaged), 8):
            damaged[place] = random.randint(256)
        damaged = bytes(damaged[: random.randint(1, len(damaged) + 1)])
        try:
            assert np.isfinite(decode_audio(damaged, SECOND)).all()
        except UnreadableError as error:
            reasons.append(str(error))
    assert reasons
    assert not any("0x" in one for one in reasons), "an address in memory means nothing to anyone"


def test_only_regular_files_are_read(tmp_path):
    from mmzoo.modalities.file_probe import read_file

    os.mkfifo(tmp_path / "pipe.wav")
    for path, words in [
        (tmp_path / "pipe.wav", "expected an audio file, found a device or a pipe"),
        (tmp_path, "expected an audio file, found a folder"),
        (tmp_path / "gone.wav", "No such file or directory"),
    ]:
        with pytest.raises(UnreadableError, match=words):
            read_file(path, "audio")
