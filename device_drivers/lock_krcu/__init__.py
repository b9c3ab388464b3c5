"""Kerong lock boards, KR-CU12, KR-CU16 and CU48: codecs and drivers."""
