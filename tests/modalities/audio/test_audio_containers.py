"""MP3 files without a stated length are read completely."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from sample_sounds import hiss, tone

from mmzoo.modalities.audio.audio_files import (
    WaveformFormat,
    decode_audio,
    read_audio_header,
)
from mmzoo.modalities.audio.audio_flaws import find_audio_flaw
from mmzoo.modalities.audio.mp3_frames import add_frame_count, parse_frame
from mmzoo.modalities.file_probe import UnreadableError

DELAY = 576
"""Encoder delay, which only the removed frame states."""


def mp3(values: np.ndarray, rate: int, mode: str = "CONSTANT") -> bytes:
    content = io.BytesIO()
    channels = 1 if values.ndim == 1 else values.shape[1]
    options = {"format": "MP3", "bitrate_mode": mode, "compression_level": 0.5}
    with soundfile.SoundFile(content, "w", rate, channels, **options) as file:
        file.write(values)
    return content.getvalue()


def without_length(content: bytes) -> bytes:
    """The file without its first frame, in which encoders store the length."""
    return content[parse_frame(content, 0).length :]


def changing(rate: int) -> np.ndarray:
    """Four seconds of decreasing bitrate: noise, a tone, silence."""
    parts = (hiss(rate)[:, 0], tone(300.0, rate), np.zeros(2 * rate, "float32"))
    return np.concatenate(parts)


def test_a_file_with_a_correct_length_is_unchanged():
    content = mp3(tone(), 8_000)
    assert add_frame_count(content) is content
    tagged = b"ID3\x04\x00\x00\x00\x00\x00\x05" + bytes(5) + content
    assert add_frame_count(tagged) is tagged


def test_a_wrong_byte_count_is_corrected_before_decoding(capfd):
    content = mp3(changing(8_000), 8_000, "VARIABLE")
    tag = content.find(b"Xing")
    wrong = content[: tag + 12] + (9_999_999).to_bytes(4, "big") + content[tag + 16 :]
    form = WaveformFormat(8_000, 8_000, "center")
    np.testing.assert_array_equal(decode_audio(wrong, form), decode_audio(content, form))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE", "AVERAGE"])
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_a_file_without_a_length_is_read_to_its_end(rate, mode):
    values = changing(rate)
    complete = mp3(values, rate, mode)
    content = without_length(complete)
    frame = 576 if rate < 32_000 else 1_152
    assert 0 <= read_audio_header(content).samples - len(values) < 2 * frame
    find_audio_flaw(content)
    expected = decode_audio(complete, WaveformFormat(rate, 4 * rate, "start"))
    found = decode_audio(content, WaveformFormat(rate, 4 * rate + DELAY, "start"))[DELAY:]
    np.testing.assert_allclose(found[2 * frame :], expected[2 * frame :], atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "rate", [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]
)
def test_a_length_can_be_added_at_every_rate(rate, channels):
    content = without_length(mp3(hiss(rate, channels), rate))
    counted = add_frame_count(content)
    assert counted.endswith(content)
    find_audio_flaw(counted)
    assert 0 <= read_audio_header(content).samples - rate < 2 * 1_152


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128), b""),
        (b"", b"TAG" + b"a title".ljust(125)),
        (b"", b"APETAGEX" + bytes(range(200))),
        (b"", bytes(500)),
    ],
    ids=["ID3v2", "ID3v1", "APE", "zeros"],
)
def test_tags_are_not_audio(before, behind):
    content = without_length(mp3(tone(), 8_000))
    tagged = before + content + behind
    assert read_audio_header(tagged) == read_audio_header(content)
    np.testing.assert_array_equal(
        decode_audio(tagged, WaveformFormat(8_000, 8_000, "start")),
        decode_audio(content, WaveformFormat(8_000, 8_000, "start")),
    )


def test_an_incomplete_last_frame_is_dropped():
    content = without_length(mp3(tone(), 8_000))
    assert read_audio_header(content[:-10]).samples == read_audio_header(content).samples - 576
    find_audio_flaw(content[:-10])


def test_bytes_between_frames_are_damage():
    content = without_length(mp3(tone(), 8_000))
    length = parse_frame(content, 0).length
    damaged = content[: 3 * length] + b"what is this" + content[3 * length :]
    with pytest.raises(UnreadableError) as caught:
        read_audio_header(damaged)
    assert str(caught.value) == (
        f"the audio is damaged: at byte {3 * length:,} of {len(damaged):,}, there is no MP3 frame"
    )


@pytest.mark.parametrize("content", [b"", b"\xff\xfb", b"\xff\xfb\x00\x00", b"ID3", b"fLaC" * 9])
def test_files_without_layer_three_frames_are_left_to_the_decoder(content):
    assert add_frame_count(content) is content
