"""Doubles of vendors: servers on this machine that speak a vendor's protocol to its real SDK, with faults to switch on."""
