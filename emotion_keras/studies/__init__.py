"""Many runs: their tasks, and the processes that make them."""
