"""What variables do to a fit's predictions: predictions, comparisons, slopes, adjusted means, with standard errors."""
