"""The page of compliance: verdict, floors, days, rule sets, imported accounts, chance of passing, risk."""
