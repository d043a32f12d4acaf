"""Account statements in the layout that each vendor writes, with invented rows."""

from __future__ import annotations

from pathlib import Path

NBSP = "\u00a0"

MT4 = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html>
  <head>
    <title>Statement: 7001234 - Example Person</title>
    <meta name="generator" content="MetaQuotes Software Corp.">
    <style type="text/css" media="screen">
    <!--
    td { font: 8pt Tahoma,Arial; }
    //-->
    </style>
    <style type="text/css">
    <!--
    .msdate { mso-number-format:"General Date"; }
    .mspt   { mso-number-format:\\#\\,\\#\\#0\\.00;  }
    //-->
    </style>
  </head>
<body topmargin=1 marginheight=1>
<div align=center>
<div style="font: 20pt Times New Roman"><b>Example Markets Ltd</b></div><br>
<table cellspacing=1 cellpadding=3 border=0>
<tr align=left>
    <td colspan=2><b>Account: 7001234</b></td>
    <td colspan=5><b>Name: Example Person</b></td>
    <td colspan=2><b>Currency: USD</b></td>
    <td colspan=2><b>Leverage: <!--LEVERAGE--></b></td>
    <td colspan=3 align=right><b>2024 March 20, 22:09</b></td></tr>

<tr align=left><td colspan=13><b>Closed Transactions:</b></td></tr>
<tr align=center bgcolor="#C0C0C0">
   <td>Ticket</td><td nowrap>Open Time</td><td>Type</td><td>Size</td><td>Item</td>
   <td>Price</td><td>S / L</td><td>T / P</td><td nowrap>Close Time</td>
   <td>Price</td><td>Commission</td><td>Taxes</td><td>Swap</td><td>Profit</td></tr>
<tr align=right><td title="Deposit">101</td><td class=msdate nowrap>2024.03.04 05:53:24</td><td>balance</td><td colspan=10 align=left>Deposit</td><td class=mspt>10 000.00</td></tr>
<tr bgcolor=#E0E0E0 align=right><td title="#9244 robot[tp]">102</td><td class=msdate nowrap>2024.03.04 10:00:00</td><td>buy</td><td class=mspt>1.00</td><td>eurusd.p</td><td style="mso-number-format:0\\.00000;">1.08000</td><td style="mso-number-format:0\\.00000;">0.00000</td><td style="mso-number-format:0\\.00000;">1.08500</td><td class=msdate nowrap>2024.03.04 15:13:15</td><td style="mso-number-format:0\\.00000;">1.08500</td><td class=mspt>-7.00</td><td class=mspt>0.00</td><td class=mspt>0.00</td><td class=mspt>500.00</td></tr>
<tr align=right><td title="#9244 robot[sl]">103</td><td class=msdate nowrap>2024.03.05 09:00:00</td><td>sell</td><td class=mspt>0.50</td><td>xauusd</td><td>2 110.00</td><td>2 130.00</td><td>0.00</td><td class=msdate nowrap>2024.03.06 03:50:15</td><td>2 130.00</td><td class=mspt>-3.50</td><td class=mspt>-1.25</td><td class=mspt>-4.75</td><td class=mspt>-1 000.00</td></tr>
<tr bgcolor=#E0E0E0 align=right><td>104</td><td class=msdate nowrap>2024.03.06 07:00:00</td><td>buy limit</td><td class=mspt>0.50</td><td>eurusd.p</td><td>1.07000</td><td>0.00000</td><td>0.00000</td><td class=msdate nowrap>2024.03.06 08:00:00</td><td>1.08400</td><td colspan=4>cancelled</td></tr>
<tr align=right><td title="Withdrawal">105</td><td class=msdate nowrap>2024.03.06 12:00:00</td><td>balance</td><td colspan=10 align=left>Withdrawal</td><td class=mspt>-200.00</td></tr>
<tr align=right><td title="Bonus">106</td><td class=msdate nowrap>2024.03.06 12:30:00</td><td>credit</td><td colspan=10 align=left>Bonus</td><td class=mspt>50.00</td></tr>
<tr bgcolor=#E0E0E0 align=right><td title="from #102">107</td><td class=msdate nowrap>2024.03.07 10:00:00</td><td>sell</td><td class=mspt>0.20</td><td>eurusd.p</td><td>1.09000</td><td>0.00000</td><td>0.00000</td><td class=msdate nowrap>2024.03.08 11:00:00</td><td>1.08900</td><td class=mspt>-1.40</td><td class=mspt>0.00</td><td class=mspt>0.15</td><td class=mspt>20.00</td></tr>

<tr align=right>
    <td colspan=10>&nbsp;</td>
    <td class=mspt>-11.90</td>
    <td class=mspt>-1.25</td>
    <td class=mspt>-4.60</td>
    <td class=mspt>-480.00</td>
</tr>

<tr align=right>
    <td colspan=12 align=right><b>Closed P/L:</b></td>
    <td colspan=2 align=right title="Commission + Swap + Profit + Taxes" class=mspt><b>-497.75</b></td>
</tr>

<tr align=left><td colspan=14><b>Open Trades:</b></td></tr>
<tr align=center bgcolor="#C0C0C0">
    <td>Ticket</td><td nowrap>Open Time</td><td>Type</td><td>Size</td><td>Item</td>
    <td>Price</td><td>S / L</td><td>T / P</td><td>&nbsp;</td>
    <td>Price</td><td>Commission</td><td>Taxes</td><td>Swap</td><td>Profit</td></tr>
OPEN_TRADES

<tr align=right>
    <td colspan=10>&nbsp;</td>
    <td class=mspt>0.00</td><td class=mspt>0.00</td><td class=mspt>0.00</td><td class=mspt>0.00</td>
</tr>
<tr><td colspan=10>&nbsp;</td><td colspan=2 align=right><b>Floating P/L:</b></td>
    <td colspan=2 align=right title="Commission + Swap + Profit" class=mspt><b>0.00</b></td></tr>

<tr align=left><td colspan=14><b>Working Orders:</b></td></tr>
<tr align=center bgcolor="#C0C0C0">
    <td>Ticket</td><td nowrap>Open Time</td><td>Type</td><td>Size</td><td>Item</td>
    <td>Price</td><td>S / L</td><td>T / P</td><td colspan=2 nowrap>Market Price</td><td colspan=4>&nbsp;</td></tr>
<tr align=right><td colspan=13 align=center>No transactions</td></tr>

<tr align=left><td colspan=14><b>Summary:</b></td></tr>
<tr align=right>
    <td colspan=2><b>Deposit/Withdrawal:</b></td>
    <td colspan=2 class=mspt><b>9 800.00</b></td>
    <td colspan=4><b>Credit Facility:</b></td>
    <td class=mspt><b>50.00</b></td>
    <td colspan=5>&nbsp;</td></tr>
<tr align=right>
    <td colspan=2><b>Closed Trade P/L:</b></td>
    <td colspan=2 class=mspt><b>-497.75</b></td>
    <td colspan=4><b>Floating P/L:</b></td>
    <td class=mspt><b>0.00</b></td>
    <td colspan=3><b>Margin:</b></td>
    <td colspan=2 class=mspt><b>0.00</b></td></tr>
<tr align=right>
    <td colspan=2><b>Balance:</b></td>
    <td colspan=2 class=mspt><b>9 302.25</b></td>
    <td colspan=4><b>Equity:</b></td>
    <td class=mspt><b>9 352.25</b></td>
    <td colspan=3><b>Free Margin:</b></td>
    <td colspan=2 class=mspt><b>9 352.25</b></td></tr>
<tr align=left><td colspan=14><b>Details:</b></td></tr>
<tr align=center><td colspan=14><img src="DetailedStatement.gif" width=820 height=200 border=0 alt="Graph"></td></tr>
<tr align=right>
    <td colspan=2><b>Gross Profit:</b></td>
    <td colspan=2 class=mspt><b>511.75</b></td>
    <td colspan=4><b>Absolute Drawdown:</b></td>
    <td class=mspt><b>509.50</b></td></tr>
</table>
</div></body></html>
"""
NONE_OPEN = "<tr align=right><td colspan=13 align=center>No transactions</td></tr>"
ONE_OPEN = (
    '<tr align=right><td title="robot">108</td><td class=msdate nowrap>2024.03.08 12:00:00</td><td>buy</td><td class=mspt>0.10</td><td>eurusd.p</td>'
    "<td>1.09000</td><td>0.00000</td><td>0.00000</td><td>&nbsp;</td><td>1.08800</td><td class=mspt>-0.70</td><td class=mspt>0.00</td><td class=mspt>0.00</td><td class=mspt>-20.00</td></tr>"
)
MT4_HTML = MT4.replace("OPEN_TRADES", NONE_OPEN)

POSITIONS = (
    ("2024.03.04 10:00:01", "5001", "EURUSD", "buy", "1", "1.08000", "1.07000", "", "2024.03.04 15:00:00", "1.08400", "-7.00", "0.00", "400.00"),
    ("2024.03.05 09:00:00", "5002", "XAUUSD", "sell", "0.50", f"2{NBSP}110.00", f"2{NBSP}130.00", "", "2024.03.06 11:00:00", f"2{NBSP}120.00", "-3.50", "-4.50", f"-{NBSP}500.00"),
)
DEALS = (
    ("2024.03.04 08:00:00", "9001", "", "balance", "", "", "", "", "0.00", "0.00", "0.00", f"10{NBSP}000.00", f"10{NBSP}000.00", "Initial account balance"),
    ("2024.03.04 10:00:01", "9002", "EURUSD", "buy", "in", "1", "1.08000", "6001", "-3.50", "0.00", "0.00", "0.00", f"9{NBSP}996.50", ""),
    ("2024.03.04 15:00:00", "9003", "EURUSD", "sell", "out", "1", "1.08400", "6002", "-3.50", "0.00", "0.00", "400.00", f"10{NBSP}393.00", "[tp 1.08400]"),
    ("2024.03.05 09:00:00", "9004", "XAUUSD", "sell", "in", "0.50", f"2{NBSP}110.00", "6003", "-1.75", "0.00", "0.00", "0.00", f"10{NBSP}391.25", ""),
    ("2024.03.06 10:00:00", "9005", "XAUUSD", "buy", "out", "0.25", f"2{NBSP}130.00", "6004", "-0.75", "0.00", "-4.50", f"-{NBSP}500.00", f"9{NBSP}886.00", ""),
    ("2024.03.06 11:00:00", "9006", "XAUUSD", "buy", "out", "0.25", f"2{NBSP}110.00", "6005", "-1.00", "0.00", "0.00", "0.00", f"9{NBSP}885.00", ""),
    ("2024.03.07 12:00:00", "9007", "", "balance", "", "", "", "", "0.00", "0.00", "0.00", f"-{NBSP}100.00", f"9{NBSP}785.00", "Withdrawal"),
    ("2024.03.07 13:00:00", "9008", "", "credit", "", "", "", "", "0.00", "0.00", "0.00", "50.00", f"9{NBSP}785.00", "Bonus"),
    ("2024.03.07 14:00:00", "9009", "", "commission daily", "", "", "", "", "0.00", "0.00", "0.00", "-2.00", f"9{NBSP}783.00", "Fees"),
)
POSITION_HEADER = ("Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Time", "Price", "Commission", "Swap", "Profit")
ORDER_HEADER = ("Open Time", "Order", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Time", "State", "Comment")
DEAL_HEADER = ("Time", "Deal", "Symbol", "Type", "Direction", "Volume", "Price", "Order", "Commission", "Fee", "Swap", "Profit", "Balance", "Comment")
ORDERS = (
    ("2024.03.04 10:00:01", "6001", "EURUSD", "buy", "1 / 1", "market", "", "", "2024.03.04 10:00:01", "filled", ""),
    ("2024.03.04 11:00:00", "6009", "EURUSD", "buy limit", "0 / 1", "1.07000", "", "", "2024.03.04 12:00:00", "canceled", ""),
)


def mt5_html(positions=POSITIONS, deals=DEALS, orders=ORDERS, balance=f"9{NBSP}783.00", account="7005678&nbsp;(USD, Example-Server, real, Hedge)") -> str:
    """MetaTrader 5's report as a text; ``write_mt5`` writes it in UTF-16, as the terminal does."""
    sections = (
        _section("Positions", POSITION_HEADER, positions, hidden=4)
        + _section("Orders", ORDER_HEADER, orders)
        + _section("Deals", DEAL_HEADER, deals)
    )
    totals = (("Balance:", balance), ("Credit Facility:", "50.00"), ("Floating P/L:", "0.00"), ("Equity:", f"9{NBSP}833.00"))
    more = "".join(f'<tr align="right"><td colspan="3" style="height: 20px">{label}</td><td colspan="2"><b>{value}</b></td></tr>\n' for label, value in totals)
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
<html><head><title>7005678: Example Person - Trade History Report</title>
<meta name="generator" content="client terminal">
<style type="text/css"><!-- @media screen {{ td {{ font: 8pt Tahoma,Arial; }} }} .hidden {{ display: none; }} //--></style></head>
<body><div align="center"><table cellspacing="1" cellpadding="3" border="0">
<tr align="center"><td colspan="14"><div style="font: 14pt Tahoma"><b>Trade History Report</b><br></div></td></tr>
<tr align="left"><th colspan="4" nowrap align="right">Name:</th><th colspan="10" nowrap align="left"><b>Example Person</b></th></tr>
<tr align="left"><th colspan="4" nowrap align="right">Account:</th><th colspan="10" nowrap align="left"><b>{account}</b></th></tr>
<tr align="left"><th colspan="4" nowrap align="right">Company:</th><th colspan="10" nowrap align="left"><b>Example Markets Ltd</b></th></tr>
<tr align="left"><th colspan="4" nowrap align="right">Date:</th><th colspan="10" nowrap align="left"><b>2024.03.08 22:09</b></th></tr>
{sections}<tr align="right"><td colspan="13" style="height: 10px"></td></tr>
{more}<tr align="center"><th colspan="13"><img src="ReportHistory-7005678.png" title="Balance graph" width=820 height=200 border=0 alt="Graph"></th></tr>
<tr align="center"><th colspan="13"><div style="font: 10pt Tahoma"><b>Results</b></div></th></tr>
<tr align="right"><td nowrap colspan="3">Total Net Profit:</td><td nowrap><b>-115.00</b></td><td nowrap colspan="3">Gross Profit:</td><td nowrap><b>393.00</b></td></tr>
<tr align="right"><td nowrap colspan="3">Balance Drawdown Absolute:</td><td nowrap><b>115.00</b></td></tr>
</table></div></body></html>
"""


def _section(name, header, rows, hidden=None) -> str:
    title = f'<tr align="center"><th colspan="14" style="height: 25px"><div style="font: 10pt Tahoma"><b>{name}</b></div></th></tr>\n'
    head = '<tr align="center" bgcolor="#E5F0FC">' + "".join(f'<td nowrap style="height: 30px"><b>{cell}</b></td>' for cell in header) + "</tr>\n"
    body = "".join(f'<tr bgcolor="#FFFFFF" align="right">{_cells(row, hidden)}</tr>\n' for row in rows)
    return title + head + body + '<tr align="right"><td nowrap colspan="8" style="height: 30px"></td><td nowrap><b>-9.00</b></td><td nowrap><b>-4.50</b></td></tr>\n'


def _cells(row, hidden) -> str:
    cells = [f"<td>{cell}</td>" for cell in row]
    if hidden is not None:
        cells.insert(hidden, '<td class="hidden" colspan="8">robot</td>')
        cells[-1] = f'<td colspan="2">{row[-1]}</td>'
    return "".join(cells)


def mt5_csv(separator=",", decimal=".") -> str:
    """The same report, its Excel form saved as CSV."""
    rows = [("Trade History Report",), ("Name:", "", "", "Example Person"), ("Account:", "", "", "7005678 (USD, Example-Server, real, Hedge)"), ("Positions",), POSITION_HEADER, *POSITIONS]
    rows += [("Orders",), ORDER_HEADER, *ORDERS, ("Deals",), DEAL_HEADER, *DEALS, ("",) * 14, ("Balance:", "", "", f"9{NBSP}783.00"), ("Results",), ("Total Net Profit:", "", "", "-115.00")]
    return "\n".join(separator.join(_quoted(cell, separator, decimal) for cell in (*row, *("",) * (15 - len(row)))) for row in rows) + "\n"


def _quoted(cell: str, separator: str, decimal: str) -> str:
    number = cell.replace(NBSP, "").replace("-", "").replace(".", "", 1).isdigit() and not cell.startswith("2024")
    cell = cell.replace(".", decimal) if number else cell
    return f'"{cell}"' if separator in cell else cell


MT4_CSV = """Ticket,Open Time,Type,Size,Item,Price,S / L,T / P,Close Time,Price,Commission,Taxes,Swap,Profit
101,2024.03.04 05:53:24,balance,,,,,,,,,,,10000.00
102,2024.03.04 10:00:00,buy,1.00,eurusd,1.08000,1.07000,0.00000,2024.03.04 15:13:15,1.08500,-7.00,0.00,0.00,500.00
103,2024.03.05 09:00:00,sell,0.50,xauusd,2110.00,2130.00,0.00,2024.03.06 03:50:15,2130.00,-3.50,-1.25,-4.75,-1000.00
"""
SIGNAL_CSV = """Time;Type;Volume;Symbol;Price;S/L;T/P;Time;Price;Commission;Swap;Profit;Comment
2024.03.04 15:00:00;Sell;0.50;EURUSD;1.08500;;;2024.03.04 16:00:00;1.08400;-3.50;0.00;50.00;
2024.03.04 10:00:00;Buy;1.00;EURUSD;1.08000;;;2024.03.04 15:13:15;1.08500;-7.00;0.00;500.00;
2024.03.04 08:00:00;Balance;;;;;;;;;;10 000.00;Deposit
"""
MYFXBOOK_CSV = """Tags,Ticket,Open Date,Close Date,Symbol,Action,Units/Lots,SL,TP,Open Price,Close Price,Commission,Swap,Pips,Profit,Gain,Comment
,1003,03/14/2024 09:15,03/15/2024 11:40,GBPUSD,Buy,0.20,0,0,1.30377,1.30451,-1.5100,0.0000,7.4,13.29,0.07,robot
,1002,03/13/2024 10:00,03/13/2024 13:02,XAUUSD,Sell,0.50,0,0,2080.10,2084.60,-3.50,-1.00,-45.0,-229.50,-2.2,
,1001,03/01/2024 08:00,03/01/2024 08:00,,Deposit,,,,,,,,,10000.00,,
Open Trades,,,,,,,,,,,,,,,,
,Ticket,Open Date,Symbol,Action,Units/Lots,SL,TP,Open Price,Profit
,1004,03/17/2024 08:00,EURUSD,Buy,0.20,0,0,1.09000,5.00
"""
EQUITY_CSV = """ts,balance,equity,equity_low
2024-03-04T10:00:00Z,100000.0,100000.0,99900.0
2024-03-04T11:00:00Z,100000.0,99500.0,99000.0
2024-03-05T11:00:00Z,100500.0,100500.0,100100.0
"""
TRADES_CSV = """trade_id,tag,instrument,side,lots,entry_ts,entry_price,exit_ts,exit_price,stop_loss,pnl_gross,costs,swap,pnl,r,mae_r,mfe_r,bars_held,exit_reason,regime
1,a,EURUSD,long,1.0,2024-03-04T10:00:00Z,1.08,2024-03-04T15:00:00Z,1.085,1.07,500.0,7.0,-1.5,491.5,0.5,-0.1,0.6,5,target_1,
2,a,EURUSD,short,0.5,2024-03-05T10:00:00Z,1.09,2024-03-05T15:00:00Z,1.092,1.10,-100.0,3.5,0.0,-103.5,-0.2,-0.3,0.1,5,stop_loss,
"""

FILES = {       # format -> (file name, bytes)
    "mt4_html": ("DetailedStatement.htm", MT4_HTML.encode()),
    "mt5_html": ("ReportHistory-7005678.html", b"\xff\xfe" + mt5_html().encode("utf-16-le")),
    "mt5_csv": ("ReportHistory.csv", mt5_csv().encode("utf-8-sig")),
    "mt4_csv": ("statement.csv", MT4_CSV.encode()),
    "mql5_signal_csv": ("signal.history.csv", SIGNAL_CSV.encode()),
    "myfxbook_csv": ("myfxbook.csv", MYFXBOOK_CSV.encode()),
    "tidemark_equity": ("equity.csv", EQUITY_CSV.encode()),
    "tidemark_trades": ("trades.csv", TRADES_CSV.encode()),
}  # fmt: skip


def write(folder: Path, format: str) -> Path:
    name, content = FILES[format]
    return written(folder, name, content)


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
