"""How well, how fast and how steadily names are resolved; the model is an oracle that is right as often as is said.

It prints three parts and, where that is asked for, the million: a million names blocked, and 10,000 settled against
them. It takes eight minutes, and the million two more where nothing else runs.

Abt-Buy lies beside the repository, in ../shared/data; without it its table is skipped, with a line that says so.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean

import short_names
from measure import ROOT, loop, parser, run, table

sys.path.append(str(ROOT / "plugins"))
from arrival import House

from feedback.resolution import block
from feedback.resolution.match import Band, Matching, Question, Said
from feedback.resolution.normalise import is_comparable, norm
from feedback.resolution.score import Decided, Letters, Scorer, ordered
from feedback.warehouse.base import Warehouse

Named = Sequence[tuple[str, str]]
"""Names, each with the thing it stands for."""

SHARED = ROOT.parent / "shared" / "data" / "entity_matching" / "abt_buy"
SEEDS = range(20)
OTHER_SEEDS = range(401, 406)
"""Of the generator: nothing was tuned on these."""


class Oracle:
    """Answers as one who knows, and is wrong as often as is said: then any other answer is as likely.

    Who is asked about the same names once more says the same, as a model does whose answers a ledger keeps.

    :param same: whether two names stand for one thing.
    """

    def __init__(self, same: Callable[[str, str], bool], right: float, seed: int):
        self.same, self.right, self.seed = same, right, seed
        self.questions = self.shown = 0

    def __call__(self, questions: Sequence[Question]) -> Mapping[Question, Said]:
        said = {}
        for question in questions:
            self.questions += 1
            self.shown += len(question.offered)
            true: list[str | None] = [other for other in question.offered if self.same(question.name, other)]
            wrong = [other for other in (*question.offered, None) if other not in (true or [None])]
            chance = random.Random(f"{self.seed} {sorted((question.name, *question.offered))}")
            is_right = chance.random() < self.right or not wrong
            said[question] = Said((true or [None])[0] if is_right else chance.choice(wrong))
        return said


# Abt-Buy


def abt_buy() -> None:
    """Print F1 on the test split, with no pair asked, a tenth of them and a fifth."""
    if not SHARED.exists():
        print(f"\nAbt-Buy: skipped, {SHARED.relative_to(ROOT.parent)} is not here")
        return
    learnt, test = [pair for split in ("train", "valid") for pair in pairs_of(split)], pairs_of("test")
    letters = Letters(name for one, other, _ in (*learnt, *test) for name in (one, other))
    scorer = Scorer(letters, [Decided(ordered(one, other), float(same)) for one, other, same in learnt])
    scorer.learn()
    likely = dict(zip([pair[:2] for pair in test], scorer([pair[:2] for pair in test]), strict=True))
    rows = [("local only", "76-78", f1_of(test, likely))]
    for share, goal in ((0.1, "89"), (0.2, "91")):
        found = [f1_of(test, asked_about(test, likely, round(share * len(test)), seed)) for seed in SEEDS]
        rows.append((f"{share:.0%} of the pairs asked, oracle 95 %", goal, mean(found)))
    table("Abt-Buy, test split (mean of 20 seeds)", ("", "goal", "F1"), rows)


def pairs_of(split: str) -> list[tuple[str, str, bool]]:
    """Return the pairs of a split as the names we compare."""
    found = []
    for line in (SHARED / f"{split}.txt").read_text(encoding="utf-8").splitlines():
        one, other, same = line.split("\t")
        found.append((f"abt {plain(one)}", f"buy {plain(other)}", same == "1"))
    return found


def plain(product: str) -> str:
    fields = product.replace("COL ", "\n").split("\n")
    return norm(" ".join(field.partition("VAL ")[2] for field in fields if field.startswith("name")))


def asked_about(
    test: Sequence[tuple[str, str, bool]], likely: Mapping[tuple[str, str], float], most: int, seed: int
) -> Mapping[tuple[str, str], float]:
    """Return how likely each pair is once the questions that tell most were asked."""
    near: dict[str, list[str]] = defaultdict(list)
    for one, other, _ in test:
        near[one].append(other)
    truth = {ordered(one, other) for one, other, same in test if same}
    band = Band(low=0.02, high=0.98, per_thousand=0, least=most)
    known = {ordered(*pair): value for pair, value in likely.items()}
    matching = Matching(near, {}, Known(known), band)
    matching.run(Oracle(lambda one, other: ordered(one, other) in truth, 0.95, seed))
    return {pair: matching.matched.likely[ordered(*pair)] for pair in likely}


class Known(Scorer):
    """A scorer that has scored already."""

    has_learnt = True

    def __init__(self, likely: Mapping[tuple[str, str], float]):
        self.likely = likely

    def learn(self, decided: Sequence[Decided] = (), among: Sequence[tuple[str, str]] = ()) -> None:
        """Know already."""

    def knows(self, name: str) -> bool:
        return True

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [self.likely.get(pair, 0.0) for pair in pairs]


def f1_of(test: Sequence[tuple[str, str, bool]], likely: Mapping[tuple[str, str], float]) -> float:
    right = sum(same and likely[one, other] > 0.5 for one, other, same in test)
    return 200 * right / (sum(value > 0.5 for value in likely.values()) + sum(same for *_, same in test))


# Short names


def short(named: Named, title: str) -> None:
    """Print pairwise F1 with and without questions, and what the questions cost."""
    truth = {norm(name): group for name, group in named}
    names = sorted(filter(is_comparable, truth))
    with tempfile.TemporaryDirectory() as folder:
        near, letters = block.candidates(warehouse_in(folder), "company", names, [], [])
    right = pairs([group for _, group in named])
    met = {ordered(name, other) for name, others in near.items() for other in others}
    true = same_pairs(truth)
    print(f"\n{title}: {len(named):,} mentions, {len(names):,} names,", end=" ")
    print(f"{sum(map(len, near.values())) / len(named):.1f} candidates a mention,", end=" ")
    print(f"completeness {len(met & true) / len(true):.3f}")
    wide = Band(low=0.02, high=0.98, right=0.9, per_thousand=915)
    rows: list[tuple[object, ...]] = [("same compared string", "", f1([norm(name) for name, _ in named], right), 0, 0)]
    for what, goal, accuracy, band in (
        ("letters alone", "", 0.0, Band(per_thousand=0, least=0)),
        ("oracle 95 %, at most 240 comparisons", "89", 0.95, Band()),
        ("oracle 90 %, wide band", "80", 0.9, wide),
        ("oracle 100 %", "", 1.0, Band(right=0.99)),
    ):
        found, shown, calls = [], [], []
        for seed in range(3 if accuracy else 1):
            oracle = Oracle(lambda one, other: truth[one] == truth[other], accuracy, seed)
            matched = Matching(near, {}, Scorer(letters), band).run(oracle)
            of = {name: str(number) for number, group in enumerate(matched.groups) for _, name in group}
            found.append(f1([of.get(norm(name), norm(name)) for name, _ in named], right))
            shown.append(oracle.shown / len(named) * 1000)
            calls.append(oracle.questions / 10 / len(named) * 1000)
        rows.append((what, goal, mean(found), mean(shown), mean(calls)))
    table(title, ("", "goal", "pairwise F1", "comparisons", "calls of 10 questions, each per 1,000 mentions"), rows)


def pairs(labels: Sequence[str]) -> set[tuple[int, int]]:
    """Return which mentions are together."""
    together: dict[str, list[int]] = defaultdict(list)
    for number, label in enumerate(labels):
        together[label].append(number)
    return {(a, b) for members in together.values() for at, a in enumerate(members) for b in members[at + 1 :]}


def same_pairs(truth: Mapping[str, str]) -> set[tuple[str, str]]:
    names = sorted(truth)
    return {(names[a], names[b]) for a, b in pairs([truth[name] for name in names])}


def f1(labels: Sequence[str], right: set[tuple[int, int]]) -> float:
    found = pairs(labels)
    return 200 * len(found & right) / (len(found) + len(right))


def warehouse_in(folder: str, memory: str = "512MB") -> Warehouse:
    from feedback.warehouse.duckdb import DuckDBWarehouse

    warehouse = DuckDBWarehouse(Path(folder) / "bench.duckdb", ROOT / "include/sql/ddl", memory=memory)
    warehouse.migrate()
    return warehouse


# Batches


def batches(sets: Mapping[str, Named]) -> None:
    """Print what ten batches of 5 % do to ids that are settled, in two orders, and what a rerun does."""
    rows: list[tuple[object, ...]] = []
    apart = []
    for title, named in sets.items():
        right = pairs([group for _, group in named])
        found = []
        for seed in (1, 2):
            order = list(named)
            random.Random(seed).shuffle(order)
            labels, moved, unexplained, known, rerun = arrive(order, named)
            found.append(f1(labels, right))
            rows.append(
                (f"{title}, order {seed}", found[-1], f"{moved / known:.3%}", f"{unexplained / known:.3%}", *rerun)
            )
        apart.append(abs(found[0] - found[1]))
    rows += [("orders apart, mean", mean(apart), "", "", "", ""), ("worst", max(apart), "", "", "", "")]
    head = ("half, then ten batches of 5 %", "F1", "ids changed a batch", "without an event", "rerun: rows", "calls")
    table("Order of arrival and ids (goals: within 1 point, 0.1 %, 0, 0, 0)", head, rows)


def arrive(order: Named, named: Named) -> tuple[list[str], int, int, int, tuple[int, int]]:
    """Take names in, batch by batch, as the operator does; return what each stands for in the end, how many ids
    changed, how many of these without an event, of how many, and what a rerun did."""
    truth = {norm(name): group for name, group in named}
    oracle = Oracle(lambda one, other: truth[one] == truth[other], 0.95, 0)
    half, step = len(order) // 2, len(order) // 20
    with tempfile.TemporaryDirectory() as folder:
        house = House(warehouse_in(folder), oracle)
        house.take([name for name, _ in order[:half]])
        moved = unexplained = known = 0
        for start in range(half, len(order), step):
            before = house.entities()
            merged = house.take([name for name, _ in order[start : start + step]])
            after = house.entities()
            changed = [name for name, entity_id in before.items() if after[name] != entity_id]
            moved, known = moved + len(changed), known + len(before)
            unexplained += sum(before[name] not in merged for name in changed)
        asked = oracle.questions
        rerun = house.resolve(), oracle.questions - asked
        entities = house.entities()
        labels = [entities.get(norm(name), norm(name)) for name, _ in named]
        return labels, moved, unexplained, known, rerun


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--csv", type=Path, help="short names: columns name and group")
    options.add_argument("--million", action="store_true", help="also block 1,000,000 names, and 10,000 against them")
    options.add_argument("--only", choices=("abt", "short", "batches", "million"), help="one part")
    chosen = options.parse_args()
    print(loop())
    named = short_names.read(chosen.csv) if chosen.csv else short_names.generated(5406)
    title = f"Short names of {chosen.csv.name}" if chosen.csv else "Short names, generated"
    if chosen.only in (None, "abt"):
        abt_buy()
    if chosen.only in (None, "short"):
        short(named, title)
    if chosen.only in (None, "batches"):
        sets = {f"seed {seed}": short_names.generated(5406, seed) for seed in (short_names.SEED, *OTHER_SEEDS)}
        batches({title: named} if chosen.csv else sets)
    if chosen.million or chosen.only == "million":
        print("\nA million (goals: 60 CPU-s, 4 GB, 0.85 at 10; a batch of 10,000 in 10 s and 1 GB)\n")
        for part in ("block", "batch"):
            print(run("benchmarks/million.py", part).output.strip())


if __name__ == "__main__":
    main()
