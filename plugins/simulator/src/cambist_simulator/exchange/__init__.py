"""An exchange without a wire: listings, users, orders, ledgers, margin. It knows no venue, no JSON and no socket."""
