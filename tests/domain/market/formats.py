"""A small original of every format of bars, written as its program writes it: six H1 bars of Monday, 8 January 2024, or minutes of them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

PRICES = ("1.10000", "1.10020", "1.09980", "1.10010")


class Sample(NamedTuple):
    """A file's name, its text, the reader that knows it, and what that recognises: instrument, timeframe, clock, side, first time, spread, volume."""

    name: str
    text: str
    format: str
    instrument: str | None
    timeframe: str
    clock: str | None
    side: str | None
    first: str
    spread: float | None
    volume: float | None
    header: int = 0


def _rows(form: str, count: int = 6) -> str:
    """``form`` with {h}, an hour from 1, {hh} the same with two digits, {m} a minute from 0 with two digits, {o} to {c} prices."""
    o, h, low, c = PRICES
    return "".join(form.format(h=at + 1, hh=f"{at + 1:02d}", m=f"{at:02d}", o=o, hi=h, lo=low, c=c) + "\n" for at in range(count))


OHLC = "{o},{hi},{lo},{c}"
ASK = "1.10010,1.10030,1.09990,1.10020"
FIRST = "2024-01-08T01:00"
MIDNIGHT_MINUTE = "2024-01-08T00:00"
EPOCH = 1_704_675_600

SAMPLES = [
    Sample("EURUSD60.csv", _rows("2024.01.08,{hh}:00,{o},{hi},{lo},{c},120"), "mt4", "EURUSD", "H1", None, "bid", FIRST, None, 120.0),
    Sample("EURUSD_H1.csv", _rows("2024.01.08\t{hh}:00:00\t{o}\t{hi}\t{lo}\t{c}\t120\t0\t13"), "mt5", "EURUSD", "H1", None, "bid", FIRST, 0.00013, 120.0),
    Sample("EURUSD_h1_b.csv", "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>\t<SPREAD>\n" + _rows("2024.01.08\t{hh}:00:00\t{o}\t{hi}\t{lo}\t{c}\t0\t13"), "mt5", "EURUSD", "H1", None, "bid", FIRST, 0.00013, None, 1),
    Sample("EURUSD_h1_c.csv", "DATE,TIME,OPEN,HIGH,LOW,CLOSE,VOL,SPREAD\n" + _rows("2024.01.08,{hh}:00:00," + OHLC + ",0,13"), "mt5", "EURUSD", "H1", None, "bid", FIRST, 0.00013, None, 1),
    Sample("DAT_ASCII_EURUSD_M1_202401.csv", _rows("20240108 00{m}00;{o};{hi};{lo};{c};0"), "histdata", "EURUSD", "M1", "histdata", "bid", MIDNIGHT_MINUTE, None, None),
    Sample("DAT_NT_EURUSD_M1_202401.csv", _rows("20240108 00{m}00;{o};{hi};{lo};{c};0"), "histdata", "EURUSD", "M1", "histdata", "bid", MIDNIGHT_MINUTE, None, None),
    Sample("DAT_MT_EURUSD_M1_202401.csv", _rows("2024.01.08,00:{m},{o},{hi},{lo},{c},0"), "histdata_mt", "EURUSD", "M1", "histdata", "bid", MIDNIGHT_MINUTE, None, None),
    Sample("DAT_MS_EURUSD_M1_202401.csv", _rows("EURUSD,20240108,00{m},{o},{hi},{lo},{c}"), "metastock", "EURUSD", "M1", "histdata", "bid", MIDNIGHT_MINUTE, None, None),
    Sample("gbpusd.txt", "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n" + _rows("GBPUSD,60,20240108,{hh}0000," + OHLC + ",5,0"), "metastock", "GBPUSD", "H1", None, None, FIRST, None, 5.0, 1),
    Sample("DAT_ASCII_EURUSD_T_202401.csv", _rows("20240108 00{m}00123,{o},1.10010,0"), "ticks", "EURUSD", "M1", "histdata", "bid", MIDNIGHT_MINUTE, 0.0001, 1.0),
    Sample("EURUSD_Ticks_08.01.2024.csv", "Local time,Ask,Bid,AskVolume,BidVolume\n" + _rows("08.01.2024 02:{m}:05.962 GMT+0200,1.10010,{o},0.9,1.8"), "ticks", "EURUSD", "M1", "UTC", "bid", MIDNIGHT_MINUTE, 0.0001, 1.0, 1),
    Sample("EURUSD_mt5_ticks.csv", "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n" + _rows("2024.01.08\t00:{m}:00.123\t{o}\t1.10010\t\t\t6"), "ticks", "EURUSD", "M1", None, "bid", MIDNIGHT_MINUTE, 0.0001, 1.0, 1),
    Sample("EURUSD_Candlestick_1_Hour_BID_08.01.2024.csv", "Gmt time,Open,High,Low,Close,Volume\n" + _rows("08.01.2024 {hh}:00:00.000," + OHLC + ",55.2"), "dukascopy", "EURUSD", "H1", "UTC", "bid", FIRST, None, 55.2, 1),
    Sample("EURUSD_Candlestick_1_Hour_MID.csv", "Local time,Open,High,Low,Close,Volume\n" + _rows("08.01.2024 {hh}:00:00.000 GMT+0000," + OHLC + ",55.2"), "dukascopy", "EURUSD", "H1", "UTC", "mid", FIRST, None, 55.2, 1),
    Sample("EURUSD_1 Hour_Bid_2024.csv", "Time (EET),Open,High,Low,Close,Volume \n" + _rows("2024.01.08 {hh}:00:00," + OHLC + ",55.2"), "dukascopy", "EURUSD", "H1", "Europe/Athens", "bid", FIRST, None, 55.2, 1),
    Sample("d.csv", "Price,Close,High,Low,Open,Volume\nTicker,ES=F,ES=F,ES=F,ES=F,ES=F\nDate,,,,,\n" + "".join(f"2024-01-{day:02d},{PRICES[3]},{PRICES[1]},{PRICES[2]},{PRICES[0]},1000\n" for day in range(8, 13)), "yfinance", "ES=F", "D1", "UTC", None, MIDNIGHT_MINUTE, None, 1000.0, 3),
    Sample("CL=F.csv", "Date,Open,High,Low,Close,Adj Close,Volume\n" + "".join(f"2024-01-{day:02d},{','.join(PRICES)},1.05,1000\n" for day in range(8, 13)), "yfinance", "CL=F", "D1", "UTC", None, MIDNIGHT_MINUTE, None, 1000.0, 1),
    Sample("GC=F history.csv", "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n" + "".join(f"2024-01-{day:02d} 00:00:00-05:00,{','.join(PRICES)},1000,0.0,0.0\n" for day in range(8, 13)), "yfinance", "GC=F", "D1", "UTC", None, MIDNIGHT_MINUTE, None, 1000.0, 1),
    Sample("EURUSD_fxcm.csv", "DateTime,BidOpen,BidHigh,BidLow,BidClose,AskOpen,AskHigh,AskLow,AskClose,TickQty\n" + _rows("2024-01-08 {hh}:00:00," + OHLC + "," + ASK + ",55"), "bid_ask", "EURUSD", "H1", None, "bid", FIRST, 0.0001, 55.0, 1),
    Sample("EURUSD_fxcmpy.csv", "date,bidopen,bidclose,bidhigh,bidlow,askopen,askclose,askhigh,asklow,tickqty\n" + _rows("2024-01-08 {hh}:00:00,{o},{c},{hi},{lo},1.10010,1.10020,1.10030,1.09990,55"), "bid_ask", "EURUSD", "H1", None, "bid", FIRST, 0.0001, 55.0, 1),
    Sample("20240108_eurusd_minute_quote.csv", "".join(f"{at * 60_000},{','.join(PRICES)},0,{ASK},0\n" for at in range(6)), "lean", "EURUSD", "M1", None, "bid", MIDNIGHT_MINUTE, 0.0001, None),
    Sample("eurusd.csv", _rows("20240108 {hh}:00," + OHLC + ",0," + ASK + ",0"), "lean", "EURUSD", "H1", None, "bid", FIRST, 0.0001, None),
    Sample("20240108_es_minute_trade_202403.csv", "".join(f"{at * 60_000},{','.join(PRICES)},9\n" for at in range(6)), "lean", None, "M1", None, None, MIDNIGHT_MINUTE, None, 9.0),
    Sample("05h_H1_bars.csv", "Epoch Time (UTC),Symbol,Period,Open,High,Low,Close\n" + _rows("2024-01-08 {hh}:00:00,EURUSD,H1,110000,110020,109980,110010"), "trading_data_stream", "EURUSD", "H1", "UTC", "bid", FIRST, None, None, 1),
    Sample("05h_ticks.csv", "Epoch Time (UTC),Ask,Ask Volume,Bid,Bid Volume\n" + _rows("2024-01-08 00:{m}:01.08,110010,1.76,110000,4.76"), "ticks", None, "M1", "UTC", "bid", MIDNIGHT_MINUTE, 0.0001, 1.0, 1),
    Sample("EURUSD excel.csv", "sep=;\nts;open;high;low;close\n" + _rows("2024-01-08 {hh}:00;{o};{hi};{lo};{c}"), "csv", "EURUSD", "H1", None, None, FIRST, None, None, 2),
    Sample("EURUSD dotted.csv", "ts,open,high,low,close\n" + _rows("08.01.2024 {hh}:00," + OHLC), "csv", "EURUSD", "H1", None, None, FIRST, None, None, 1),
    Sample("EURUSD american.csv", "Date,Time,Open,High,Low,Close\n01/16/2024,01:00 AM,1.1,1.1,1.1,1.1\n" + _rows("01/16/2024,{hh}:30 AM," + OHLC), "csv", "EURUSD", "H1", None, None, "2024-01-16T01:00", None, None, 1),
    Sample("EURUSD hours.csv", "ts,open,high,low,close\n" + _rows("2024-01-08 {h}:00," + OHLC, 12), "csv", "EURUSD", "H1", None, None, FIRST, None, None, 1),
    Sample("EURUSD compact.csv", "ts,open,high,low,close\n" + _rows("20240108{hh}0000," + OHLC), "csv", "EURUSD", "H1", None, None, FIRST, None, None, 1),
    Sample("EURUSD short.csv", "date,time,open,high,low,close\n" + _rows("20240108,{hh}00," + OHLC), "csv", "EURUSD", "H1", None, None, FIRST, None, None, 1),
    *(Sample(f"EURUSD {zeros} zeros.csv", "ts,open,high,low,close\n" + "".join(f"{EPOCH + 3600 * at}{'0' * zeros},{','.join(PRICES)}\n" for at in range(6)), "csv", "EURUSD", "H1", "UTC", None, FIRST, None, None, 1) for zeros in (0, 3, 6, 9)),
    Sample("EURUSD bare.csv", _rows("2024-01-08 {hh}:00," + OHLC), "csv", "EURUSD", "H1", None, None, FIRST, None, None),
    Sample("EUR_USD Historical Data.csv", '"Date","Price","Open","High","Low","Vol.","Change %"\n' + "".join(f'"01/{day}/2024","1.10010","1.10000","1.10020","1.09980","","0.11%"\n' for day in range(15, 20)), "csv", "EURUSD", "D1", None, None, "2024-01-15T00:00", None, None, 1),
    Sample("EURUSD volumes.csv", _rows("2024-01-08,{hh}:00," + OHLC + ",5"), "csv", "EURUSD", "H1", None, None, FIRST, None, 5.0),
    Sample("ES=F ninja.txt", _rows("20240108 {hh}0000;{o};{hi};{lo};{c};{h}2"), "csv", "ES=F", "H1", None, None, FIRST, None, 12.0),
    Sample("EURUSD_jforex_ticks.csv", "Time (EET),Ask,Bid,AskVolume,BidVolume \n" + _rows("2024.01.08 00:{m}:05.962,1.10010,{o},0.9,1.8"), "ticks", "EURUSD", "M1", "Europe/Athens", "bid", MIDNIGHT_MINUTE, 0.0001, 1.0, 1),
]  # fmt: skip


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def history(version: int, symbol: str = "XAUUSD", period: int = 60, digits: int = 2, bars: int = 6) -> bytes:
    """A .hst file of hourly bars from 8 January 2024, 01:00, with a spread of 25 points."""
    data = struct.pack("<i64s12siiii13i", version, b"(C)opyright 2003, MetaQuotes Software Corp.", symbol.encode(), period, digits, 0, 0, *[0] * 13)
    for at in range(bars):
        time = EPOCH + 3600 * at
        data += struct.pack("<iddddd", time, 2030.5, 2029.25, 2031.75, 2030.0, 99.0) if version == 400 else struct.pack("<qddddqiq", time, 2030.5, 2031.75, 2029.25, 2030.0, 99, 25, 0)
    return data
