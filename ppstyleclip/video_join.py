# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Parts of a video joined to one file, and the sound of another laid under it.

Packets are copied as they are, so nothing is encoded a second time. Only a sound whose codec browsers do not
play inside an MP4 is encoded anew, as AAC.
"""

from __future__ import annotations

import heapq
import importlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.files import atomic_path
from ppstyleclip.video import H264_CURE, encoder_refusal

KEPT_CODECS = ("aac", "mp3", "opus", "flac")  # that browsers play inside an MP4
_LOCAL = {"protocol_whitelist": "file"}  # a file that names other files or hosts reaches none of them
_Timed = tuple[Fraction, int, Any]  # seconds, order among equals, packet


class UnreadableSound(UserError):
    """A video's sound cannot be read."""


def sound_codec(path: str | Path) -> str | None:
    """Name the codec of a video's first sound; None where it has none.

    Raises:
        MissingExtra: PyAV is not installed.
        UnreadableSound: the file cannot be read.
    """
    av = _import_av()
    try:
        with av.open(str(path), options=_LOCAL) as source:
            return source.streams.audio[0].codec_context.name if source.streams.audio else None
    except av.error.FFmpegError as error:
        raise _unreadable(path, error) from None


def join_videos(path: str | Path, parts: Sequence[Path], *, sound_of: str | Path | None = None) -> None:
    """Join MP4 files of one size, rate and codec, as mp4_writer writes them, to one.

    Args:
        path: where; it is written whole or not at all.
        parts: at least one file.
        sound_of: a video whose first sound is laid under the pictures; None for no sound.
    Raises:
        UnreadableSound: it cannot be read.
        CannotWrite: the file cannot be written.
        MissingExtra: PyAV is not installed.
    """
    av = _import_av()
    with atomic_path(path, ".mp4") as draft, encoder_refusal(path):
        with av.open(str(draft), "w", format="mp4", options={"movflags": "faststart"}) as target:
            with av.open(str(parts[0])) as first:
                stream = target.add_stream_from_template(first.streams.video[0])
            ways = [_pictures(av, parts, stream)]
            if sound_of is None:
                _mux(target, ways)
                return
            try:
                source = av.open(str(sound_of), options=_LOCAL)
            except av.error.FFmpegError as error:
                raise _unreadable(sound_of, error) from None
            with source:
                if source.streams.audio:
                    ways.append(_sound(av, source, target, sound_of))
                _mux(target, ways)


def _mux(target: Any, ways: Sequence[Iterator[_Timed]]) -> None:
    """Write packets in the order of their times, so that none waits in memory for those of another stream."""
    for _, _, packet in heapq.merge(*ways, key=lambda timed: timed[:2]):
        target.mux(packet)


def _pictures(av: Any, parts: Sequence[Path], stream: Any) -> Iterator[_Timed]:
    begin = Fraction(0)
    for path in parts:
        with av.open(str(path)) as part:
            own = part.streams.video[0]
            shift = int(begin / own.time_base)
            for packet in part.demux(own):
                if packet.dts is None:  # the end
                    continue
                packet.dts, packet.pts, packet.stream = packet.dts + shift, packet.pts + shift, stream
                yield packet.dts * own.time_base, 0, packet
            begin += own.frames / own.average_rate


def _sound(av: Any, source: Any, target: Any, path: str | Path) -> Iterator[_Timed]:
    """Packets of a video's first sound, whose time counts from its first picture; their stream is added."""
    own = source.streams.audio[0]
    begin = Fraction(0)
    if source.streams.video and source.streams.video[0].start_time is not None:
        begin = source.streams.video[0].start_time * source.streams.video[0].time_base
    if own.codec_context.name in KEPT_CODECS:
        packets = _copied(source, own, target.add_stream_from_template(own), begin)
    else:
        stream = target.add_stream("aac", rate=own.rate)
        stream.layout = "mono" if own.codec_context.channels == 1 else "stereo"
        packets = _encoded(av, source, own, stream, begin)
    return _readable(av, packets, path)


def _readable(av: Any, packets: Iterator[_Timed], path: str | Path) -> Iterator[_Timed]:
    try:
        yield from packets
    except av.error.FFmpegError as error:
        raise _unreadable(path, error) from None


def _copied(source: Any, own: Any, stream: Any, begin: Fraction) -> Iterator[_Timed]:
    for packet in source.demux(own):
        if packet.dts is None:
            continue
        shift = int(begin / packet.time_base)
        packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        time = packet.dts * packet.time_base
        packet.stream = stream
        yield time, 1, packet


def _encoded(av: Any, source: Any, own: Any, stream: Any, begin: Fraction) -> Iterator[_Timed]:
    resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    rate, offset = stream.rate, 0

    def timed(packets: Sequence[Any]) -> Iterator[_Timed]:
        return ((packet.dts * packet.time_base, 1, packet) for packet in packets if packet.dts is not None)

    count = 0
    for frame in source.decode(own):
        if not count and frame.pts is not None:
            offset = round((frame.pts * frame.time_base - begin) * rate)
        for made in resampler.resample(frame):
            made.pts, made.time_base = offset + count, Fraction(1, rate)
            count += made.samples
            yield from timed(stream.encode(made))
    for made in resampler.resample(None):
        made.pts, made.time_base = offset + count, Fraction(1, rate)
        count += made.samples
        yield from timed(stream.encode(made))
    yield from timed(stream.encode(None))


def _import_av() -> Any:
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise MissingExtra(
            f"PyAV, which keeps sound, cannot be imported ({error}); run: {H264_CURE}"
        ) from None


def _unreadable(path: str | Path, error: Exception) -> UnreadableSound:
    return UnreadableSound(f"the sound of {path} cannot be read: {' '.join(str(error).split())[:200]}")
