"""UHF readers of the UHFReader18 family (RRU, Chafon): codec and driver."""
