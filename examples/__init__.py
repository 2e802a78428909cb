"""One runnable script for each textbook example; ``natfit gallery`` lists and runs them."""
