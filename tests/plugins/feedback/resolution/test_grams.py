"""Names as vectors: the same numbers as scikit-learn's, which is the measure of them."""

import pytest

from feedback.resolution.grams import by_gram, by_word

NAMES = ["a", "ab", "acme labs", "acme acme labs", "c++", "c", "labs a acme", "オフライン 同期", "𠀀𠀁 acme"]
WORDS = [name.split() for name in NAMES]


def alike(rows):
    return (rows @ rows.T).toarray()


def test_n_grams_are_counted_and_weighed_as_scikit_learn_does():
    from sklearn.feature_extraction.text import TfidfVectorizer

    theirs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).fit_transform(NAMES)

    assert alike(by_gram(WORDS)) == pytest.approx(alike(theirs))


def test_words_weigh_what_they_do_there_however_often_a_name_repeats_them():
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(analyzer=str.split, norm=None, binary=True)
    theirs = words.fit_transform(NAMES)
    ours, weights = by_word(WORDS)

    assert alike(ours) == pytest.approx(alike(theirs))
    assert weights == pytest.approx({word: words.idf_[number] for word, number in words.vocabulary_.items()})


def test_no_n_gram_reaches_from_one_name_into_the_next():
    one, other = (by_gram(words) for words in ([["acme"], ["labs"], ["acme"]], [["acme"], ["acme"], ["labs"]]))

    assert one[[0]].nnz == one[[1]].nnz == 5 + 4 + 3
    assert alike(one)[0].tolist() == pytest.approx([1, 0, 1])
    assert alike(other)[0].tolist() == pytest.approx([1, 1, 0])
