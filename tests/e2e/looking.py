"""What a script can tell of a drawn page: that nothing is wider than the window, clipped, faint, raw or broken.

Streamlit writes the keys of a shortcut in a paler white on the theme's primary colour: those are held to 3.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

TALLEST = 6_000         # pixels of a picture

IDLE = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const busy = document.querySelectorAll('[data-testid=stSkeleton], [data-stale=true], [data-testid=stSpinner]').length;
  return app && app.getAttribute('data-test-script-state') !== 'running' && app.getAttribute('data-test-script-state') !== 'initial' && !busy && document.querySelector('h1') !== null;
}"""

FAULTS = """() => {
  const faults = [], seen = element => { const box = element.getBoundingClientRect(), style = getComputedStyle(element); return box.width > 0 && box.height > 0 && style.visibility !== 'hidden' && style.opacity !== '0'; };
  const name = element => (element.innerText || element.getAttribute('aria-label') || element.tagName).trim().slice(0, 60);
  const main = document.querySelector('[data-testid=stMain]'), root = document.scrollingElement;
  for (const [what, element] of [['page', root], ['main part', main]])
    if (element && element.scrollWidth > element.clientWidth + 1) {
      const widest = [...main.querySelectorAll('*')].filter(seen).filter(each => each.getBoundingClientRect().right > innerWidth + 1).pop();
      faults.push(`${what} is ${element.scrollWidth - element.clientWidth} px wider than the window: ${widest ? name(widest) : ''}`);
    }
  for (const element of document.querySelectorAll('[aria-label^="Download as CSV"], [aria-label^="Download as PNG"], [aria-label^="Copy Vega-Lite spec"]')) if (element.getClientRects().length) faults.push(`a file past the audit trail: ${name(element)}`);
  for (const element of document.querySelectorAll('[data-testid=stException]')) faults.push(`exception: ${name(element)}`);
  for (const element of main.querySelectorAll('h1, h2, h3, h4, [data-testid=stHeadingWithActionElements], button p, [data-testid=stTab] p, [data-testid=stMetricValue], [data-testid=stMetricValue] *'))
    if (seen(element) && element.scrollWidth > element.clientWidth + 1 && ['hidden', 'clip'].includes(getComputedStyle(element).overflowX)) faults.push(`clipped: ${name(element)}`);
  const words = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), said = [];
  const number = text => text.match(/[\\d.]+/g).map(Number);
  const rgb = text => { const [r, g, b, a] = number(text); return [r, g, b, a === undefined ? 1 : a]; };
  const light = ([r, g, b]) => { const part = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b); };
  const over = (top, under) => [0, 1, 2].map(k => top[k] * top[3] + under[k] * (1 - top[3])).concat(1);
  const ground = element => {
    const stack = [];
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.backgroundImage !== 'none') return null;
      if (style.backgroundColor.startsWith('rgb')) { const colour = rgb(style.backgroundColor); if (colour[3] > 0) stack.push(colour); if (colour[3] === 1) break; }
    }
    return stack.length && stack[stack.length - 1][3] === 1 ? stack.reverse().reduce((under, top) => over(top, under)) : null;
  };
  while (words.nextNode()) {
    const text = words.currentNode.textContent.trim(), element = words.currentNode.parentElement;
    if (getComputedStyle(element).fontFamily.includes('Material')) continue;
    if (!text || !seen(element) || element.closest('style, script, [data-testid=stIconMaterial], [disabled], [aria-disabled=true], .vega-embed summary')) continue;
    if (!element.closest('code, pre, textarea, input')) said.push(text);
    const style = getComputedStyle(element), under = ground(element);
    if (!under || !style.color.startsWith('rgb')) continue;
    const ink = over(rgb(style.color), under), pair = [light(ink), light(under)].sort((a, b) => b - a), ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    const least = large ? 3 : element.closest('kbd') ? 3 : 4.5;
    if (ratio < least - 0.05) faults.push(`contrast ${ratio.toFixed(2)}: ${text.slice(0, 50)}`);
  }
  return {faults: [...new Set(faults)], said};
}"""

RAW = re.compile(r"^(None|null|True|False|\[object Object\])$|\b(nan|NaT|undefined)\b|[a-z]+_[a-z]+_?[a-z]*\b(?!\()|\{['\"]|<[A-Za-z]+ object")
KEYS = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")


def settled(page: Any) -> None:
    """Wait until the page is drawn and rests."""
    page.wait_for_function(IDLE, timeout=120_000)
    page.wait_for_timeout(600)
    page.wait_for_function(IDLE, timeout=120_000)


def faults(page: Any, names: set[str]) -> list[str]:
    """Sentences on what is wrong with the page as it is drawn; ``names``: of features, columns and the like, which may be shown as they are written."""
    seen = page.evaluate(FAULTS)
    raw = [text for text in seen["said"] if RAW.search(text) and not _named(text, names)]
    return [*seen["faults"], *(f"raw: {text[:80]}" for text in dict.fromkeys(raw))]


def _named(text: str, names: set[str]) -> bool:
    """Whether all that looks like a key in ``text`` is a name that people write themselves."""
    keys = KEYS.findall(text)
    return bool(keys) and all(key in names for key in keys)


def picture(page: Any, name: str) -> None:
    """The whole page, where TIDEMARK_PICTURES names a folder."""
    if folder := os.environ.get("TIDEMARK_PICTURES"):
        height = page.evaluate("() => document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight + 20")
        page.set_viewport_size({"width": page.viewport_size["width"], "height": max(1000, min(height, TALLEST))})
        page.wait_for_timeout(400)
        page.screenshot(path=Path(folder) / f"{name}.png")
