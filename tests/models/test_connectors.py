"""The connector that standardises its input, against scikit-learn."""

import torch
from sklearn.preprocessing import StandardScaler

from tinyemo.models.connectors import StandardizedLinear


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
