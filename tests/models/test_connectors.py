"""The connectors that standardise or weight their input, against scikit-learn."""

import torch
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import StandardScaler

from tinyemo.models.connectors import StandardizedLinear, TfidfLinear


def test_vectors_are_standardised_as_by_scikit_learn():
    torch.manual_seed(0)
    vectors = torch.randn(50, 4) * torch.tensor([1.0, 100.0, 0.01, 0.0]) + 7
    connector = StandardizedLinear(4, 4)
    connector.fit(vectors)
    with torch.no_grad():
        connector.linear.weight.copy_(torch.eye(4))
        found = connector(vectors)
    expected = StandardScaler().fit_transform(vectors.double().numpy())
    expected[:, 3] = 0  # constant
    torch.testing.assert_close(found.double(), torch.tensor(expected), atol=1e-3, rtol=1e-3)


def test_mean_and_deviation_are_saved_with_the_weights():
    connector = StandardizedLinear(3, 2)
    connector.fit(torch.randn(20, 3) + 5)
    other = StandardizedLinear(3, 2)
    other.load_state_dict(connector.state_dict())
    x = torch.randn(4, 3)
    torch.testing.assert_close(other(x), connector(x))


def test_dropout_withholds_standardised_dimensions_in_training_only():
    torch.manual_seed(0)
    vectors = torch.randn(400, 3) + 5
    connector = StandardizedLinear(3, 3)
    connector.fit(vectors)
    connector.dropout.p = 0.5
    with torch.no_grad():
        connector.linear.weight.copy_(torch.eye(3))
        trained, tested = connector(vectors), connector.eval()(vectors)
    # a withheld dimension has its mean, which is 0; the others are doubled
    kept = trained != 0
    assert 0.4 < kept.float().mean() < 0.6
    torch.testing.assert_close(trained[kept], 2 * tested[kept])


def test_words_are_weighted_as_by_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    train = (torch.rand(40, 6, generator=generator) < 0.3).float()
    train[:, 5] = 0  # a word that no training text has
    connector = TfidfLinear(6, 6).eval()
    connector.fit(train)
    with torch.no_grad():
        connector.linear.weight.copy_(torch.eye(6))
        found = connector(train)
    kept = train[:, :5].numpy()
    # scikit-learn's idf without smoothing is log(N / n) + 1
    transformer = TfidfTransformer(smooth_idf=False).fit(kept)
    weighted = kept * (transformer.idf_ - 1)
    lengths = (weighted**2).sum(axis=1, keepdims=True) ** 0.5
    expected = (weighted / lengths.clip(min=1e-12)).astype("float64")
    torch.testing.assert_close(found[:, :5].double(), torch.tensor(expected), atol=1e-5, rtol=1e-5)
    assert (found[:, 5] == 0).all()
    unseen = torch.zeros(1, 6)
    unseen[0, 5] = 1
    assert torch.isfinite(connector(unseen)).all()
