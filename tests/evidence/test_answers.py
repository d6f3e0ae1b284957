"""What the process that makes pictures and clips may answer, and what if it dies."""

import os
import signal

import pytest

from evidence.excerpt_maker import ExcerptMaker, check_answer
from evidence.excerpts.protocol import ExcerptAnswer, ExcerptJob, JobKind, NothingMade, Piece
from monitors.pictures import MOST_PICTURE_BYTES

NUMBER = 2**63 + 1
JPEG = b"\xff\xd8\xff\xe0 picture \xff\xd9"
MP4 = b"\0\0\0\x20ftypisom"


def job(kind: JobKind) -> ExcerptJob:
    return ExcerptJob(NUMBER, kind, 0.0, 10, 45.0, [])


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        (JobKind.PICTURES, (JPEG, b"")),
        (JobKind.PICTURES, (JPEG, JPEG)),
        (JobKind.CLIP, (MP4, b"")),
    ],
)
def test_files_arrive_as_they_were_sent(kind: JobKind, files: tuple[bytes, bytes]) -> None:
    answer = ExcerptAnswer.read(ExcerptAnswer(NUMBER, files=files).pack()[4:])
    check_answer(answer, job(kind))
    assert answer.files == files


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        pytest.param(JobKind.CLIP, ExcerptAnswer(1, files=(MP4, b"")), id="another job"),
        pytest.param(JobKind.CLIP, ExcerptAnswer(NUMBER, files=(JPEG, b"")), id="no clip"),
        pytest.param(JobKind.PICTURES, ExcerptAnswer(NUMBER, files=(MP4, b"")), id="no picture"),
        pytest.param(
            JobKind.PICTURES,
            ExcerptAnswer(NUMBER, files=(JPEG, JPEG[:3] + bytes(MOST_PICTURE_BYTES) + JPEG)),
            id="too large",
        ),
        pytest.param(JobKind.CLIP, ExcerptAnswer(NUMBER, "<b>why</b>"), id="a reason in markup"),
    ],
)
def test_what_was_not_asked_for_is_refused(kind: JobKind, answer: ExcerptAnswer) -> None:
    with pytest.raises(ValueError, match=r"an? "):
        check_answer(answer, job(kind))


@pytest.mark.parametrize("body", [b"", bytes(39), bytes(39) + b"\1", bytes(200)])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="an answer"):
        ExcerptAnswer.read(body)


async def test_a_process_that_dies_is_replaced() -> None:
    maker = ExcerptMaker()
    for _ in range(2):
        with pytest.raises(NothingMade, match="undecodable"):
            await maker.clip([Piece(b"no media", 0.0, 2.0)])
        (pid,) = maker.process_ids()
        assert os.getpriority(os.PRIO_PROCESS, pid) == 19
        os.kill(pid, signal.SIGKILL)
    await maker.close()
    assert maker.process_ids() == []
