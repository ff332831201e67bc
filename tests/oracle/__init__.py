"""A plain second opinion: what both orgs must hold when the rules have been followed.

It sees the orgs by their dump alone and imports nothing of the product (kept by an import contract and a test), so that
a mistake in the product cannot hide in the judge.
"""
