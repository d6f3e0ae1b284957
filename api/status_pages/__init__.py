"""Status pages: what anybody may see of chosen monitors."""
