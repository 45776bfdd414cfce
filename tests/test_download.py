"""Downloads from a local server with all the faults of real servers.

After every fault the file is there whole or not at all, within the time that was set.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mmzoo.download import DownloadError, Limits, digest_of, download
from mmzoo.run_log import shown_by

PAYLOAD = random.Random(0).randbytes(1_000_000)
SIZE = len(PAYLOAD)
HALF = SIZE // 2
SHA256 = hashlib.sha256(PAYLOAD).hexdigest()
MD5 = hashlib.md5(PAYLOAD).hexdigest()
QUICK = Limits(connect=0.5, stall=0.4, slack=1.0, pace=1e9)


class Server(ThreadingHTTPServer):
    """Serves PAYLOAD at every address; the first word of the address is the fault to make."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str | None]] = []
        """Fault and Range header of each request."""
        self.closing = threading.Event()

    def url(self, fault: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{fault}/file.gz"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        fault, requested = self.path.split("/")[1], self.headers.get("Range")
        self.server.requests.append((fault, requested))
        start = int(requested.removeprefix("bytes=").rstrip("-")) if requested else 0
        getattr(self, fault)(start)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def good(self, start: int) -> None:
        if start:
            span = f"bytes {start}-{SIZE - 1}/{SIZE}"
            self.answer(206, PAYLOAD[start:], Content_Range=span)
        else:
            self.answer(200, PAYLOAD)

    def ignores_range(self, start: int) -> None:
        self.answer(200, PAYLOAD)

    def refuses_range(self, start: int) -> None:
        if start:
            self.answer(416)
        else:
            self.answer(200, PAYLOAD)

    def other_range(self, start: int) -> None:
        if start:
            self.answer(206, PAYLOAD[start:], Content_Range=f"bytes 7-{SIZE - 1}/{SIZE}")
        else:
            self.answer(200, PAYLOAD)

    def breaks_once(self, start: int) -> None:
        if start:
            self.good(start)
        else:
            self.answer(200, PAYLOAD[:HALF], Content_Length=str(SIZE))

    def stalls(self, start: int) -> None:
        self.answer(200, PAYLOAD[:HALF], Content_Length=str(SIZE))
        self.server.closing.wait()

    def drips(self, start: int) -> None:
        self.answer(200, Content_Length=str(SIZE))
        for byte in PAYLOAD:
            self.wfile.write(bytes([byte]))
            if self.server.closing.wait(0.05):
                return

    def slow(self, start: int) -> None:
        time.sleep(0.3)
        self.good(start)

    def short(self, start: int) -> None:
        self.answer(200, PAYLOAD[:-1], Content_Length="")

    def long(self, start: int) -> None:
        self.answer(200, PAYLOAD + b"!", Content_Length="")

    def chunked(self, start: int) -> None:
        self.in_chunks(PAYLOAD, ends=True)

    def chunked_short(self, start: int) -> None:
        self.in_chunks(PAYLOAD[:HALF], ends=False)

    def in_chunks(self, body: bytes, ends: bool) -> None:
        """As GitHub serves archives: chunked, without a length."""
        self.protocol_version = "HTTP/1.1"
        self.answer(200, Content_Length="", Transfer_Encoding="chunked", Connection="close")
        for first in range(0, len(body), 100_000):
            piece = body[first : first + 100_000]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if ends:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def announces_more(self, start: int) -> None:
        self.answer(200, b"", Content_Length=str(SIZE + 1))

    def declares_terabytes(self, start: int) -> None:
        self.answer(200, b"", Content_Length=str(9 * 10**12))

    def truncates(self, start: int) -> None:
        self.answer(200, PAYLOAD[:HALF], Content_Length=str(SIZE))

    def wrong(self, start: int) -> None:
        self.answer(200, bytes(SIZE))

    def login_page(self, start: int) -> None:
        self.answer(200, b"<html>Please log in</html>")

    def claims_gzip(self, start: int) -> None:
        self.answer(200, PAYLOAD, Content_Encoding="x-gzip")

    def missing(self, start: int) -> None:
        self.answer(404)

    def broken(self, start: int) -> None:
        self.answer(500)

    def moved(self, start: int) -> None:
        self.answer(302, Location="/good/file.gz")

    def moved_to_disk(self, start: int) -> None:
        self.answer(302, Location="file:///etc/passwd")

    def redirect_loop(self, start: int) -> None:
        self.answer(302, Location="/redirect_loop/file.gz")

    def hangs_up(self, start: int) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Silences the server's log."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("MMZOO_OFFLINE", raising=False)
    for name in ("no_proxy", "NO_PROXY"):  # The server is a local one.
        monkeypatch.setenv(name, "*")
    server = Server()
    # What the client left early is not worth a traceback.
    monkeypatch.setattr(server, "handle_error", lambda *_: None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "set" / "file.gz"


def part(target: Path) -> Path:
    return target.with_name("file.gz.part")


def get(server: Server, target: Path, *faults: str) -> list[str]:
    """Downloads from these mirrors; returns the messages."""
    logged: list[str] = []
    urls = [server.url(fault) for fault in faults]
    with shown_by(logged.append):
        download(urls, target, SIZE, SHA256, QUICK)
    return logged


def reasons(server: Server, target: Path, *faults: str) -> list[str]:
    with pytest.raises(DownloadError) as caught:
        get(server, target, *faults)
    return [reason.partition(": ")[2] for reason in caught.value.reasons]


def test_a_file_of_unknown_length_has_that_of_the_mirror(
    server: Server,
    target: Path,
    messages: list[str],
) -> None:
    download([server.url("good")], target, None, MD5, QUICK)
    assert target.read_bytes() == PAYLOAD
    assert messages == [f"downloading file.gz from 127.0.0.1:{server.server_port}"]


@pytest.mark.parametrize("digest", [SHA256, MD5, None])
@pytest.mark.parametrize("fault", ["breaks_once", "ignores_range", "moved", "chunked"])
def test_a_file_of_unknown_length_is_downloaded_completely(
    server: Server, target: Path, fault: str, digest: str | None
) -> None:
    download([server.url(fault), server.url("good")], target, None, digest, QUICK)
    assert target.read_bytes() == PAYLOAD
    assert [path.name for path in target.parent.iterdir()] == ["file.gz"]


@pytest.mark.parametrize(
    ("fault", "digest", "reason"),
    [
        (
            "short",
            None,
            "does not give the length of the file, so it cannot be verified",
        ),
        (
            "short",
            MD5,
            f"is another file: its md5 is {hashlib.md5(PAYLOAD[:-1]).hexdigest()}, expected {MD5}",
        ),
        (
            "wrong",
            MD5,
            f"is another file: its md5 is {hashlib.md5(bytes(SIZE)).hexdigest()}, expected {MD5}",
        ),
        (
            "login_page",
            MD5,
            "is another file: its md5 is "
            f"{hashlib.md5(b'<html>Please log in</html>').hexdigest()}, expected {MD5}",
        ),
        (
            "declares_terabytes",
            None,
            "offers 9,000,000,000,000 bytes, expected 4,000,000,000 at most",
        ),
        (
            "declares_terabytes",
            MD5,
            "offers 9,000,000,000,000 bytes, expected 4,000,000,000 at most",
        ),
        ("truncates", None, "breaks off half-way"),
        ("truncates", MD5, "breaks off half-way"),
        ("chunked_short", None, "breaks off half-way"),
    ],
)
def test_errors_are_found_if_the_length_is_unknown(
    server: Server, target: Path, fault: str, digest: str | None, reason: str
) -> None:
    with pytest.raises(DownloadError) as caught:
        download([server.url(fault)], target, None, digest, QUICK)
    assert caught.value.reasons[0].partition(": ")[2] == reason
    assert not target.exists()


def test_without_a_hash_downloads_are_not_resumed(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    part(target).write_bytes(bytes(HALF))
    download([server.url("good")], target, None, None, QUICK)
    assert target.read_bytes() == PAYLOAD
    assert server.requests == [("good", None)]


def test_with_a_hash_a_broken_download_is_resumed(server: Server, target: Path) -> None:
    download([server.url("breaks_once")], target, None, MD5, QUICK)
    assert target.read_bytes() == PAYLOAD
    assert server.requests == [("breaks_once", None), ("breaks_once", f"bytes={HALF}-")]


def test_a_good_mirror_delivers_the_file(server: Server, target: Path) -> None:
    logged = get(server, target, "good")
    assert target.read_bytes() == PAYLOAD
    assert [path.name for path in target.parent.iterdir()] == ["file.gz"]
    assert logged == [f"downloading file.gz (1.0 MB) from 127.0.0.1:{server.server_port}"]


@pytest.mark.parametrize("fault", ["moved", "claims_gzip"])
def test_unusual_but_valid_answers_deliver_the_file(
    server: Server, target: Path, fault: str
) -> None:
    get(server, target, fault)
    assert target.read_bytes() == PAYLOAD


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("missing", "answers 404 Not Found"),
        ("broken", "answers 500 Internal Server Error"),
        ("announces_more", "offers 1000001 bytes, expected 1000000"),
        ("login_page", "offers 26 bytes, expected 1000000"),
        ("long", "sends more than the 1,000,000 bytes it should"),
        (
            "wrong",
            f"is another file: its sha256 is {hashlib.sha256(bytes(SIZE)).hexdigest()}, "
            f"expected {SHA256}",
        ),
        ("moved_to_disk", "leads to an address that is neither http nor https"),
        ("redirect_loop", "fails (TooManyRedirects)"),
        ("hangs_up", "cannot be reached"),
    ],
)
def test_errors_are_named_and_the_next_mirror_is_tried(
    server: Server, target: Path, fault: str, reason: str
) -> None:
    assert reasons(server, target, fault) == [reason]
    assert not target.parent.exists()
    get(server, target, fault, "good")
    assert target.read_bytes() == PAYLOAD


def test_a_broken_download_is_resumed(server: Server, target: Path) -> None:
    logged = get(server, target, "breaks_once")
    assert target.read_bytes() == PAYLOAD
    assert server.requests == [("breaks_once", None), ("breaks_once", f"bytes={HALF}-")]
    assert logged[1].endswith(", resuming after 0.5 MB")


def test_a_short_answer_is_kept_for_another_mirror(server: Server, target: Path) -> None:
    assert reasons(server, target, "short") == ["breaks off after 999,999 of 1,000,000 bytes"] * 2
    assert not target.exists()
    assert part(target).read_bytes() == PAYLOAD[:-1]
    get(server, target, "good")
    assert target.read_bytes() == PAYLOAD
    assert server.requests[-1] == ("good", f"bytes={SIZE - 1}-")


@pytest.mark.parametrize("fault", ["ignores_range", "refuses_range", "other_range"])
def test_a_mirror_without_ranges_restarts(server: Server, target: Path, fault: str) -> None:
    target.parent.mkdir(parents=True)
    part(target).write_bytes(PAYLOAD[:HALF])
    get(server, target, fault)
    assert target.read_bytes() == PAYLOAD


@pytest.mark.parametrize("rest", [bytes(HALF), bytes(SIZE), bytes(2 * SIZE)])
def test_a_wrong_partial_file_is_discarded(server: Server, target: Path, rest: bytes) -> None:
    target.parent.mkdir(parents=True)
    part(target).write_bytes(rest)
    get(server, target, "good")
    assert target.read_bytes() == PAYLOAD


def test_a_complete_partial_file_needs_no_download(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    part(target).write_bytes(PAYLOAD)
    get(server, target, "good")
    assert target.read_bytes() == PAYLOAD
    assert server.requests == []


def test_a_stalled_download_is_abandoned(server: Server, target: Path) -> None:
    assert reasons(server, target, "stalls") == ["stalls: nothing came for 0.4 s"] * 2
    assert part(target).stat().st_size == HALF
    get(server, target, "stalls", "good")
    assert target.read_bytes() == PAYLOAD


def test_a_slow_download_is_abandoned_after_the_total_time(server: Server, target: Path) -> None:
    first, second = reasons(server, target, "drips")
    assert first.startswith("too slow: ")
    assert first.endswith(" of 1,000,000 bytes within the time limit")
    assert second.startswith("too slow: ")


def test_a_closed_port_fails_immediately(server: Server, target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.gz"
    with pytest.raises(DownloadError) as caught:
        download([url], target, SIZE, SHA256, QUICK)
    assert caught.value.reasons == (f"{url}: cannot be reached within 0.5 s",)


def test_an_unresolvable_host_fails_immediately(server: Server, target: Path) -> None:
    url = "http://nowhere.invalid/file.gz"
    with pytest.raises(DownloadError) as caught:
        download([url], target, SIZE, SHA256, QUICK)
    assert caught.value.reasons == (f"{url}: cannot be reached: no such host is known here",)


def test_a_silent_host_of_many_addresses_costs_one_time_out(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        full = [socket.socket() for _ in range(4)]
        for waiting in full:  # Once its queue is full it answers no more.
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        one = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        resolve = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: (
                [one] * 8 if host == "silent.test" else resolve(host, *rest, **more)
            ),
        )
        tried: list[object] = []
        connect = socket.create_connection
        monkeypatch.setattr(
            socket,
            "create_connection",
            lambda address, *rest: tried.append(address) or connect(address, *rest),
        )
        with pytest.raises(DownloadError, match=r"cannot be reached within 0\.5 s$"):
            download([f"http://silent.test:{port}/file.gz"], target, SIZE, SHA256, QUICK)
        assert tried == [("127.0.0.1", port)]
        for waiting in full:
            waiting.close()


def test_offline_makes_no_requests(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMZOO_OFFLINE", "1")
    with pytest.raises(DownloadError) as caught:
        get(server, target, "good")
    assert caught.value.reasons == ("MMZOO_OFFLINE is set, so nothing is downloaded",)
    assert server.requests == []
    monkeypatch.setenv("MMZOO_OFFLINE", "0")
    get(server, target, "good")
    assert target.read_bytes() == PAYLOAD


def test_an_uncreatable_folder_is_reported(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    path = tmp_path / "data" / "file.gz"
    with pytest.raises(DownloadError) as caught:
        get(server, path, "good")
    assert caught.value.reasons == (f"{path} cannot be written: File exists",)


def test_the_download_of_a_killed_process_is_resumed(server: Server, target: Path) -> None:
    program = (
        "from pathlib import Path; from mmzoo.download import download; "
        f"download([{server.url('stalls')!r}], Path({str(target)!r}), {SIZE}, {SHA256!r})"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL) as process:
        while not (part(target).exists() and part(target).stat().st_size > 100_000):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    kept = part(target).stat().st_size
    get(server, target, "good")
    assert target.read_bytes() == PAYLOAD
    assert server.requests[-1] == ("good", f"bytes={kept}-")


def test_concurrent_calls_download_once(server: Server, target: Path) -> None:
    both = [threading.Thread(target=get, args=(server, target, "slow")) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert target.read_bytes() == PAYLOAD
    assert server.requests == [("slow", None)]
    assert [path.name for path in target.parent.iterdir()] == ["file.gz"]


def test_a_damaged_file_is_replaced(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(b"damaged")
    reasons(server, target, "missing")
    assert target.read_bytes() == b"damaged"
    get(server, target, "good")
    assert digest_of(target) == SHA256


def test_progress_is_shown_on_a_terminal_only(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    get(server, target, "good")
    assert capfd.readouterr().err == ""

    reader, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("TERM", "xterm")
        target.unlink()
        get(server, target, "good")
        stderr.flush()
        shown = os.read(reader, 65_536).decode()
    os.close(reader)
    assert "file.gz" in shown
    assert "100%" in shown
