"""The page to sign in as plain HTML: no script, no request elsewhere, in the colours that the system prefers."""

from __future__ import annotations

from html import escape
from pathlib import Path

LOGO = (Path(__file__).parent / "static" / "logo.svg").read_text(encoding="utf-8")
STYLE = (
    ":root{color-scheme:light dark;--page:#fff;--panel:#fff;--text:#17222d;--quiet:#5a6875;--line:#b9c3cd;--primary:#2f4a8a;--on:#fff;--wrong:#b4233f}"
    "@media(prefers-color-scheme:dark){:root{--page:#0f161d;--panel:#141d26;--text:#e3e9ef;--quiet:#94a2af;--line:#46566a;--primary:#516ec0;--on:#fff;--wrong:#f2778c}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 'Source Sans','Segoe UI',system-ui,sans-serif}"
    "main{max-width:22rem;margin:0 auto;padding:max(2rem,12vh) 1.25rem 2rem}h1{font-size:1.25rem;font-weight:600;margin:1.75rem 0 1rem}"
    "label{display:block;margin:0 0 .9rem;font-size:.9rem}label span{color:var(--quiet)}input{display:block;width:100%;margin-top:.25rem;padding:.55rem .65rem;font:inherit;color:inherit;background:var(--panel);border:1px solid var(--line);border-radius:4px}"
    "button,a.way{display:block;width:100%;margin-top:1.25rem;padding:.6rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;border-radius:4px;border:1px solid var(--primary);cursor:pointer}"
    "button,a.first{background:var(--primary);color:var(--on)}a.way:not(.first){color:inherit}:focus-visible{outline:3px solid var(--primary);outline-offset:2px}[role=alert]{margin:0 0 1rem;padding:.6rem .75rem;border-left:3px solid var(--wrong);color:var(--wrong)}"
    "p.note{color:var(--quiet);font-size:.85rem}"
)
FIELDS = (
    "<label>Name<input name=name autocomplete=username autocapitalize=none autocorrect=off spellcheck=false maxlength=64 required autofocus value='{name}'></label>"
    "<label>Password<input name=password type=password autocomplete=current-password maxlength=256 required></label>"
    "<label>Code <span>if your account has one</span><input name=code autocomplete=one-time-code inputmode=numeric maxlength=10></label>"
)


def local_path(wanted: str) -> str:
    """An address of this server, else its first page: where to go after signing in.

    >>> local_path("/backtest?run=ab"), local_path("//evil.example"), local_path("https://evil.example"), local_path("/\\\\evil.example"), local_path("/sign-in?next=/")
    ('/backtest?run=ab', '/', '/', '/', '/')
    """
    fine = wanted.startswith("/") and not wanted.startswith(("//", "/sign-in")) and "\\" not in wanted and wanted.isprintable() and len(wanted) < 2_000
    return wanted if fine else "/"


def page(token: str, wanted: str, local: bool, provider: str, wrong: str = "", name: str = "") -> str:
    """``token``: of this form; ``wanted``: where to go afterwards; ``local``: with a password; ``provider``: name of the OpenID provider, or nothing; ``wrong``: what went wrong; ``name``: as it was typed."""
    alert = f"<p role=alert>{escape(wrong)}</p>" if wrong else ""
    hidden = f"<input type=hidden name=form value='{escape(token)}'><input type=hidden name=next value='{escape(wanted)}'>"
    form = f"<form method=post action=/sign-in>{hidden}{FIELDS.format(name=escape(name))}<button>Sign in</button></form>" if local else ""
    way = f"<a class='way{'' if local else ' first'}' href=/sign-in/oidc>Sign in with {escape(provider)}</a>" if provider else ""
    return _page("Sign in", f"<h1>Sign in</h1>{alert}{form}{way}")


def onward(wanted: str) -> str:
    """Goes on to an address of this server: a step from here, so that the browser sends the cookie that it got with this."""
    return _page("Signed in", f"<h1>Signed in</h1><p><a href='{escape(wanted)}'>Continue</a></p>", wanted)


def again(wanted: str) -> str:
    """Asks for the same address once more, from this site."""
    return _page("Opening", f"<p><a href='{escape(local_path(wanted))}'>Continue</a></p>", local_path(wanted))


def _page(title: str, body: str, onward: str = "") -> str:
    refresh = f"<meta http-equiv=refresh content='0;url={escape(onward)}'>" if onward else ""
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'><meta name=robots content=noindex><title>{title} · Tidemark</title><style>{STYLE}</style>{refresh}"
    return f"<!doctype html><html lang=en><head>{head}</head><body><main><div aria-hidden=true>{LOGO}</div>{body}</main></body></html>"
