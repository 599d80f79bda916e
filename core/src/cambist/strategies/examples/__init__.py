"""Three strategies to start from, each complete and short."""
