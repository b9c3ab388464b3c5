"""UHF modules of the M100 family (YRM100, R200): codec and driver."""
