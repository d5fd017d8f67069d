"""Submissions: table, check, ledger, leaderboards."""
