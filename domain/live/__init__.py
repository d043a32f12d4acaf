"""Sessions: accounts that go on through time, bar by bar and command by command."""
