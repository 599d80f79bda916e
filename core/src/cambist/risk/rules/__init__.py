"""The risk rules that come with the core, one file each.

A rule looks at one order and a read-only view of the account. It answers None, or a `Refusal` whose code is
stable and whose message names the values and the remedy. It never raises for an order it does not like.

Some remember, and halt trading or restrict it to reducing: `MaxDailyLossRule`, `MaxDrawdownRule`, `MaxOrderRateRule`
and `MaxConsecutiveLossesRule`. See `cambist.ports.risk.StatefulRule`.
"""
