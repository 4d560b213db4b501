"""The engine at a service's limit, among faults, after a kill, and with nothing new; a plain client beside it.

The service is ``model_service.py`` on loopback: 300 ms, 3,000 requests and 4.5 million tokens a minute, tokens
counted as characters / 4. Texts have 10 to 120 words. It measures our side alone and says nothing about quality.

It takes four minutes, two with ``--rows 2000``; ``--million`` at least ten more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from measure import ROOT, loop, parser, table

sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from workloads import WORKLOADS, texts  # noqa: E402

RPM, TPM, LATENCY_S = 3_000, 4_500_000, 0.3
LIMITED = {"rpm": RPM, "tpm": TPM, "latency": LATENCY_S}
FREE = {"latency": 0.05}
NAIVE_ROWS, KILL_ROWS = 1_000, 4_000
FAULT_ROWS = 5_600
"""Each of the seven faults about twice."""
CONCURRENCY, PACK = 32, 20
GOALS = {"peer work": (450, 50, 151_000, 0.15), "our work": (240, 50, 295_000, 0.3)}
"""Rows a second, calls and tokens per 1,000 rows, CPU seconds per 1,000 rows."""


class Service:
    """The model's service in a process of its own, and its account."""

    def __init__(self, port: int):
        self.url = f"http://127.0.0.1:{port}/v1"
        self._account = f"http://127.0.0.1:{port}/account"

    def begin(self, **settings: Any) -> None:
        body = json.dumps(settings).encode()
        urllib.request.urlopen(urllib.request.Request(self._account, body, method="POST")).read()

    @property
    def account(self) -> dict[str, Any]:
        return json.load(urllib.request.urlopen(self._account))


@contextlib.contextmanager
def service() -> Iterator[Service]:
    command = [sys.executable, str(ROOT / "benchmarks/model_service.py")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Service(int(process.stdout.readline() if process.stdout else 0))
    finally:
        process.communicate()  # its input ends, and so does it


class Home:
    """A warehouse of its own with published items."""

    def __init__(self, folder: Path, rows: int):
        from feedback.warehouse.duckdb import DuckDBWarehouse

        folder.mkdir()
        self.warehouse = DuckDBWarehouse(folder / "warehouse.duckdb", ROOT / "include/sql/ddl")
        self.warehouse.migrate()
        self.texts = texts(10_000_000)
        self.publish(rows)

    def publish(self, rows: int) -> None:
        from tests.plugins.feedback.llm.items import publish

        left = rows
        while left > 0:
            some = list(islice(self.texts, min(left, 20_000)))
            publish(self.warehouse, some)
            left -= len(some)

    def start(self, to: Service, workload: str, **options: Any) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        options = {"concurrency": CONCURRENCY, "pack": PACK, "checks": False} | options
        ask = str(ROOT / "benchmarks/ask.py")
        command = [sys.executable, ask, str(self.warehouse.path), to.url, workload, json.dumps(options)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, to: Service, workload: str, **options: Any) -> dict[str, Any]:
        out, _ = self.start(to, workload, **options).communicate()
        told: dict[str, Any] = json.loads(out)
        return told

    def answers(self) -> dict[str, str]:
        found = self.warehouse.rows("select answer_key, answer from ops.llm_answers")
        return {row["answer_key"]: row["answer"] for row in found}


def limit_used(answers: Sequence[tuple[float, int]]) -> float:
    """Return the share of the limit that binds which was used over the middle 80 % of the answers."""
    middle = sorted(answers)[len(answers) // 10 : -(len(answers) // 10)]
    seconds = middle[-1][0] - middle[0][0]
    return max(sum(tokens for _, tokens in middle[1:]) / TPM, (len(middle) - 1) / RPM) * 60 / seconds


def at_the_limit(folder: Path, to: Service, rows: int) -> None:
    lines: list[tuple[object, ...]] = []
    for workload, goals in GOALS.items():
        to.begin(**LIMITED)
        home = Home(folder / f"limit {workload}", rows)
        told = home.ask(to, workload)
        seen = to.account
        seconds = seen["answers"][-1][0] - seen["answers"][0][0]
        per_1000 = 1000 / rows
        lines.append(
            (
                workload,
                f"{rows:,}",
                f"{rows / seconds:.0f} ({goals[0]})",
                told["questions"] - told["staged"],
                f"{limit_used(seen['answers']):.1%} (93 %)",
                seen["refused"],
                f"{seen['calls'] * per_1000:.1f} ({goals[1]})",
                f"{(seen['input_tokens'] + seen['output_tokens']) * per_1000:,.0f} ({goals[2]:,})",
                f"{told['cpu_s'] * per_1000:.3f} ({goals[3]})",
                f"{told['held_mb']:.0f} (100), {told['code_mb']:.0f}",
            )
        )
    lines.append(naive(to))
    header = ("work (goals in brackets)", "rows", "rows/s", "lost", "limit used", "429s", "calls per 1,000")
    table(
        "At the limit",
        (*header, "tokens per 1,000", "CPU s per 1,000", "MB above imports, of them code of libraries"),
        lines,
    )
    savings(home, seen, rows)


def savings(home: Home, seen: dict[str, Any], rows: int) -> None:
    """Reckon what each saving did to our work, from what was answered; the last line is what the service counted."""
    from feedback.llm.questions import Registry

    questions = Registry(WORKLOADS["our work"])
    together = questions.questions(list(questions.by_name))
    answers: dict[str, list[dict[str, Any]]] = {}
    for row in home.warehouse.rows("select enrichment, answer from ops.llm_answers"):
        answers.setdefault(row["enrichment"], []).append(json.loads(row["answer"]))
    text = sum(len(row["text"]) for row in home.warehouse.rows("select text from feedback.items")) / rows
    instructions = len(together.prompt) + len(json.dumps(together.response_format))

    def answered(short: bool) -> float:
        """Characters of a row's answers, quotes as they are or as a number."""
        return sum(
            len(_packed({name: _numbered(answer) if short else answer}))
            for name, some in answers.items()
            for answer in some
        ) / min(map(len, answers.values()))

    around = len('{"number":10,"rating":null,"text":""}')
    in_a_pack = instructions / PACK + around + text
    lines = [
        ("one row a request, names and quotes written out", instructions + around + text, answered(short=False)),
        ("20 rows a request", in_a_pack, answered(short=False)),
        ("a quote as the number of a sentence", in_a_pack + 2 * text / 60, answered(short=True)),
    ]
    told: list[tuple[object, ...]] = [
        (what, f"{sent * 250:,.0f}", f"{said * 250:,.0f}", f"{(sent + said) * 250:,.0f}") for what, sent, said in lines
    ]
    counted = [seen[name] * 1000 / rows for name in ("input_tokens", "output_tokens")]
    told.append(("codes, short keys, numbers without names", *(f"{n:,.0f}" for n in (*counted, sum(counted)))))
    table("Our work: what each saving did, tokens per 1,000 rows", ("with", "input", "output", "together"), told)


def _packed(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _numbered(answer: Any) -> Any:
    """Return an answer with a number in place of each quote."""
    if isinstance(answer, list):
        return [_numbered(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    return {name: 3 if name == "quote" else _numbered(value) for name, value in answer.items()}


def naive(to: Service) -> tuple[object, ...]:
    """Ask the peer work one row a request, as many at once, with the retries of the plain client."""
    to.begin(**LIMITED)
    cpu = time.process_time()
    lost = asyncio.run(_one_by_one(to, list(islice(texts(NAIVE_ROWS), NAIVE_ROWS))))
    cpu = time.process_time() - cpu
    seen = to.account
    done = NAIVE_ROWS - lost
    seconds = seen["answers"][-1][0] - seen["answers"][0][0]
    tokens = (seen["input_tokens"] + seen["output_tokens"]) / done * 1000
    return (
        "plain client, peer work, 128 at once",
        f"{NAIVE_ROWS:,}",
        f"{done / seconds:.0f}",
        lost,
        f"{limit_used(seen['answers']):.1%}",
        seen["refused"],
        f"{seen['calls'] / done * 1000:.0f}",
        f"{tokens:,.0f}",
        f"{cpu / done * 1000:.3f}",
        "–",
    )


async def _one_by_one(to: Service, said: Sequence[str]) -> int:
    """Return how many rows were lost."""
    import openai

    from feedback.llm.schema import closed_object

    questions = WORKLOADS["peer work"]
    labels = {one.name: {"type": "string", "enum": list(one.labels)} for one in questions}
    schema = {"name": "answer", "strict": True, "schema": closed_object(labels)}
    prompt = "\n\n".join(f"{one.name}: {one.prompt}" for one in questions)
    at_once, lost = asyncio.Semaphore(128), 0
    async with openai.AsyncOpenAI(api_key="key", base_url=to.url, max_retries=5) as client:

        async def ask(text: str) -> None:
            nonlocal lost
            messages = [{"role": "system", "content": prompt}, {"role": "user", "content": text}]
            form = {"type": "json_schema", "json_schema": schema}
            async with at_once:
                try:
                    await client.chat.completions.create(model="m", messages=messages, response_format=form)  # type: ignore[call-overload]
                except openai.OpenAIError:
                    lost += 1

        await asyncio.gather(*map(ask, said))
    return lost


def trouble(folder: Path, to: Service) -> None:
    """5 % faults, a kill half way, one row in a hundred new, and nothing new."""
    lines: list[tuple[object, ...]] = []
    for workload in GOALS:
        to.begin(**FREE)
        calm = Home(folder / f"calm {workload}", FAULT_ROWS)
        told = calm.ask(to, workload, checks=True)
        lines.append(
            (workload, "checks of packing, apart", f"{told['calls_for']['check']} calls", "200, then 1 in 2,000")
        )
        to.begin(**FREE, fault_every=20)
        home = Home(folder / f"faults {workload}", FAULT_ROWS)
        told = home.ask(to, workload)
        seen, right, got = to.account, calm.answers(), home.answers()
        wrong = sum(right[key] != answer for key, answer in got.items())
        again = seen["rows_again"] / FAULT_ROWS
        faults = f"lost {told['questions'] - told['staged']}, wrong {wrong}, paid again {again:.1%}"
        lines.append((workload, f"{sum(seen['faults'].values())} faults in {seen['calls']} calls", faults, "0, 0, 2 %"))
        lines += [(workload, *line) for line in (killed(folder, to, workload), grown(calm, to, workload))]
    table("Faults, kills and growth", ("work", "what", "measured", "goal"), lines)


def killed(folder: Path, to: Service, workload: str) -> tuple[object, ...]:
    to.begin(**FREE)
    home = Home(folder / f"killed {workload}", KILL_ROWS)
    process = home.start(to, workload)
    while to.account["rows"] < KILL_ROWS // 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    in_flight = to.account["in_flight"]
    told = home.ask(to, workload)
    paid_again = to.account["rows_again"]
    measured = f"{paid_again} rows paid again, {told['questions'] - told['staged']} lost"
    return ("kill -9 half way, the same command again", measured, f"{CONCURRENCY * PACK} in flight ({in_flight} calls)")


def grown(home: Home, to: Service, workload: str) -> tuple[object, ...]:
    """The first run is published, then one row in a hundred is new."""
    accept(home)
    new = FAULT_ROWS // 100
    home.publish(new)
    to.begin(**FREE)
    home.ask(to, workload, run_id="grown")
    return ("1 % new rows", f"{to.account['rows_paid']} rows paid", f"exactly {new}")


def accept(home: Home) -> None:
    """Take what is staged as published."""
    home.warehouse.transact(
        [
            "insert into ops.answers (item_id, enrichment, status, content_hash, prompt_version, rows_out, model,"
            " run_id, answered_at) select item_id, enrichment, 'answered', content_hash, prompt_version, rows_out,"
            " model, run_id, asked_at from staging.asked where outcome = 'staged'",
            "delete from staging.asked",
        ]
    )


def a_million(folder: Path, to: Service) -> None:
    """Memory over a thousand and a million rows, and nothing new over a million."""
    lines: list[tuple[object, ...]] = []
    for rows in (1_000, 1_000_000):
        to.begin()
        home = Home(folder / f"memory {rows}", rows)
        told = home.ask(to, "peer work")
        lines.append((f"asked about {rows:,} rows", *took(told), to.account["calls"]))
    accept(home)
    to.begin()
    told = home.ask(to, "peer work", run_id="again")
    lines.append(("nothing new, 1,000,000 stored (10 s, 0 calls)", *took(told), to.account["calls"]))
    header = ("what", "s", "CPU s", "MB above imports (100)", "of them code of libraries", "calls")
    table("A million rows, peer work", header, lines)


def took(told: Mapping[str, float]) -> tuple[float, ...]:
    return told["seconds"], told["cpu_s"], told["held_mb"], told["code_mb"]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--rows", type=int, default=20_000, help="rows of each run at the limit (%(default)s)")
    options.add_argument("--million", action="store_true", help="also memory and speed over 1,000,000 rows")
    chosen = options.parse_args()
    print(loop())
    with tempfile.TemporaryDirectory() as folder, service() as to:
        at_the_limit(Path(folder), to, chosen.rows)
        trouble(Path(folder), to)
        if chosen.million:
            a_million(Path(folder), to)
    print(loop())


if __name__ == "__main__":
    main()
