"""natfit: probabilistic models fitted by maximum likelihood, with the natural gradient."""
from natfit._version import __version__
