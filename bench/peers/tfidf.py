"""TF-IDF and the cosine, by scikit-learn: articles as near as a threshold are one cluster."""

from __future__ import annotations

from collections.abc import Sequence

NEEDS = ("scikit-learn",)
"""Packages it must have installed."""
THRESHOLDS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def alone(articles: Sequence[tuple[str, str]], threshold: float) -> list[int]:
    """Which of the articles (headline, text), in order of arrival, are the first of their kind. It knows the words of all beforehand."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [f"{title}\n{text}" for title, text in articles]
    vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit_transform(texts)
    return [at for at in range(len(texts)) if not at or (vectors[:at] @ vectors[at].T).max() < threshold]
