//+------------------------------------------------------------------+
//| Tidemark executor: polls proposals, trades them under its own     |
//| governors, obeys the kill switch and reports what it did.         |
//|                                                                    |
//| It was not compiled by those who ship it: compile it in MetaEditor |
//| and run it on a demo account first. MetaTrader asks you to allow   |
//| the address under Tools > Options > Expert Advisors > WebRequest.  |
//| Its protocol is that of docs/api.md, and is tested by a double     |
//| that speaks it: tests/app/api/test_executor.py.                    |
//+------------------------------------------------------------------+
#property copyright "Tidemark contributors, MIT licence"
#property version   "1.0"
#include <Trade\Trade.mqh>

input string Server          = "http://127.0.0.1:8501"; // address of Tidemark
input string Token           = "";                      // made by: tidemark tokens create NAME --role trader
input int    EverySeconds    = 5;                       // seconds between polls
input long   Magic           = 20250101;                // marks the positions of this expert
input double MaxLots         = 1.0;                     // lots of one order at most
input int    MaxPositions    = 3;                       // positions of this expert at most
input double SoftDailyLoss   = 0.02;                    // share of the day's first equity: no entries beyond it
input double HardDailyLoss   = 0.04;                    // share of the day's first equity: everything is closed, no entries until tomorrow
input double MaxDrawdown     = 0.08;                    // share of the highest equity seen: everything is closed, until the expert is started again

CTrade   trade;
string   done[];                                        // signals that were traded or refused
double   dayEquity = 0, peak = 0;
datetime day = 0;
bool     stopped = false;

int OnInit()
  {
   trade.SetExpertMagicNumber(Magic);
   peak = AccountInfoDouble(ACCOUNT_EQUITY);
   EventSetTimer(MathMax(EverySeconds, 1));
   return INIT_SUCCEEDED;
  }

void OnDeinit(const int reason) { EventKillTimer(); }

//--- governors look at every tick, whatever the server does
void OnTick() { Govern(); }

void OnTimer()
  {
   if(!Govern()) return;
   string body;
   if(!Ask("GET", "/api/v1/paper/halts", "", body)) return;               // without an answer nothing is entered
   if(StringFind(body, "\"items\":[]") < 0) { CloseAll("halted"); return; } // any kill switch that is set stops this expert, too
   if(!Ask("GET", "/api/signals", "", body)) return;
   string rest = body, one;
   while(NextObject(rest, one)) Consider(one);
  }

//--- false where nothing may be entered
bool Govern()
  {
   double equity = AccountInfoDouble(ACCOUNT_EQUITY);
   datetime today = TimeTradeServer() - TimeTradeServer() % 86400;
   if(today != day) { day = today; dayEquity = equity; }
   peak = MathMax(peak, equity);
   if(peak > 0 && equity <= peak * (1 - MaxDrawdown)) { stopped = true; CloseAll("drawdown"); }
   if(dayEquity > 0 && equity <= dayEquity * (1 - HardDailyLoss)) { CloseAll("daily loss"); return false; }
   return !stopped && (dayEquity <= 0 || equity > dayEquity * (1 - SoftDailyLoss));
  }

void Consider(const string signal)
  {
   string id = Text(signal, "id"), symbol = Text(signal, "symbol"), action = Text(signal, "action");
   if(id == "" || Known(id) || Positions() >= MaxPositions || !SymbolSelect(symbol, true)) return;
   double lots = Lots(symbol, Number(signal, "lots")), stop = Number(signal, "stop_loss"), target = First(signal, "take_profit_levels");
   if(lots <= 0 || stop <= 0) return;                                     // no trade without a stop
   Remember(id);                                                          // before it is sent: an answer that is lost makes no second order
   bool sent = action == "BUY" ? trade.Buy(lots, symbol, 0, stop, target, id) : trade.Sell(lots, symbol, 0, stop, target, id);
   if(sent && (trade.ResultRetcode() == TRADE_RETCODE_DONE || trade.ResultRetcode() == TRADE_RETCODE_DONE_PARTIAL))
      Report(id, (string)trade.ResultOrder(), symbol, action, trade.ResultVolume(), trade.ResultPrice(), "null");
  }

//--- closed positions are reported with their profit
void OnTradeTransaction(const MqlTradeTransaction &change, const MqlTradeRequest &request, const MqlTradeResult &result)
  {
   if(change.type != TRADE_TRANSACTION_DEAL_ADD || !HistoryDealSelect(change.deal)) return;
   if(HistoryDealGetInteger(change.deal, DEAL_MAGIC) != Magic || HistoryDealGetInteger(change.deal, DEAL_ENTRY) != DEAL_ENTRY_OUT) return;
   double profit = HistoryDealGetDouble(change.deal, DEAL_PROFIT) + HistoryDealGetDouble(change.deal, DEAL_SWAP) + HistoryDealGetDouble(change.deal, DEAL_COMMISSION);
   Report(HistoryDealGetString(change.deal, DEAL_COMMENT), (string)change.deal, HistoryDealGetString(change.deal, DEAL_SYMBOL), "CLOSE",
          HistoryDealGetDouble(change.deal, DEAL_VOLUME), HistoryDealGetDouble(change.deal, DEAL_PRICE), DoubleToString(profit, 2));
  }

void CloseAll(const string why)
  {
   for(int i = PositionsTotal() - 1; i >= 0; i--)
      if(PositionSelectByTicket(PositionGetTicket(i)) && PositionGetInteger(POSITION_MAGIC) == Magic)
        { Print("Tidemark executor: ", why, ", closing ", PositionGetString(POSITION_SYMBOL)); trade.PositionClose(PositionGetTicket(i)); }
  }

int Positions()
  {
   int found = 0;
   for(int i = PositionsTotal() - 1; i >= 0; i--)
      if(PositionSelectByTicket(PositionGetTicket(i)) && PositionGetInteger(POSITION_MAGIC) == Magic) found++;
   return found;
  }

double Lots(const string symbol, const double asked)
  {
   double step = SymbolInfoDouble(symbol, SYMBOL_VOLUME_STEP), least = SymbolInfoDouble(symbol, SYMBOL_VOLUME_MIN);
   double lots = step > 0 ? MathFloor(MathMin(asked, MaxLots) / step + 1e-9) * step : 0;
   return lots >= least ? lots : 0;
  }

bool Known(const string id) { for(int i = ArraySize(done) - 1; i >= 0; i--) if(done[i] == id) return true; return false; }

void Remember(const string id) { int size = ArraySize(done); ArrayResize(done, size + 1); done[size] = id; }

void Report(const string id, const string ticket, const string symbol, const string action, const double lots, const double price, const string profit)
  {
   string body = StringFormat("{\"signal_id\":\"%s\",\"ticket\":\"%s\",\"symbol\":\"%s\",\"action\":\"%s\",\"lots\":%s,\"price\":%s,\"time\":\"%s\",\"profit\":%s}",
                              id, ticket, symbol, action, DoubleToString(lots, 2), DoubleToString(price, 8), Iso(TimeGMT()), profit);
   string answer;
   for(int attempt = 0; attempt < 3 && !Ask("POST", "/api/executions", body, answer); attempt++) Sleep(1000);   // the same ticket and action is one report
  }

bool Ask(const string method, const string path, const string body, string &answer)
  {
   char content[], found[];
   string headers = "Content-Type: application/json\r\n" + (Token == "" ? "" : "Authorization: Bearer " + Token + "\r\n"), given;
   if(body != "") ArrayResize(content, StringToCharArray(body, content, 0, WHOLE_ARRAY, CP_UTF8) - 1);
   int status = WebRequest(method, Server + path, headers, 5000, content, found, given);
   answer = CharArrayToString(found, 0, WHOLE_ARRAY, CP_UTF8);
   if(status < 200 || status >= 300) { Print("Tidemark executor: ", method, " ", path, " answered ", status, " ", answer); return false; }
   return true;
  }

string Iso(const datetime at) { string text = TimeToString(at, TIME_DATE | TIME_SECONDS); StringReplace(text, ".", "-"); StringReplace(text, " ", "T"); return text + "Z"; }

//--- the next {"id":…} of the list; what is nested in it stays in it
bool NextObject(string &rest, string &one)
  {
   int start = StringFind(rest, "{\"id\""), depth = 0;
   if(start < 0) return false;
   for(int i = start; i < StringLen(rest); i++)
     {
      ushort letter = StringGetCharacter(rest, i);
      if(letter == '{') depth++;
      if(letter == '}' && --depth == 0) { one = StringSubstr(rest, start, i - start + 1); rest = StringSubstr(rest, i + 1); return true; }
     }
   return false;
  }

string Text(const string object, const string name)
  {
   string mark = "\"" + name + "\":\"";
   int start = StringFind(object, mark);
   if(start < 0) return "";
   start += StringLen(mark);
   return StringSubstr(object, start, StringFind(object, "\"", start) - start);
  }

double Number(const string object, const string name)
  {
   string mark = "\"" + name + "\":";
   int start = StringFind(object, mark);
   return start < 0 ? 0 : StringToDouble(StringSubstr(object, start + StringLen(mark), 30));
  }

double First(const string object, const string name)
  {
   string mark = "\"" + name + "\":[";
   int start = StringFind(object, mark);
   return start < 0 ? 0 : StringToDouble(StringSubstr(object, start + StringLen(mark), 30));
  }
