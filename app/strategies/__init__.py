"""Parts of the page of strategies that users write."""
